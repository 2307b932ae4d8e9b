// Each op as nodes of ONNX. A form is told its inputs as the file has them and gives what it makes; of several nodes that are one
// operator in ONNX, such as a convolution with its bias, the last sees what came before it and takes the place of all.

import type { Attributes } from "../index.ts";
import { BOOL, FLOAT, type Host, host, INT64 } from "../onnx/host.ts";
import type { Ask, Form } from "./ask.ts";
import { attention, rotary } from "./attend.ts";
import { recurrent } from "./recurrent.ts";
import { channelsFirst, type Flow, type Held, inOrder, type Sheet, same, shapeOf } from "./sheet.ts";
import type { Dims } from "./trace.ts";

const list = (ask: Ask, name: string): readonly number[] => (ask.attributes[name] ?? []) as readonly number[];
const real = (ask: Ask, name: string): number => ask.attributes[name] as number;

/** Operands in one order of axes, that of the first that is an image; gives their names and what is made of them. */
function beside({ x, shape, sheet }: Ask, build: (names: readonly string[]) => string): Flow {
  let all = Object.values(x);
  const flows = all.filter((one): one is Flow => one.kind === "flow");
  const [lead] = flows;
  // A change of shape that is only noted stays so where nobody else sees the axes before the last.
  const isNoted =
    lead !== undefined &&
    same(lead.shape, shape) &&
    !same(lead.shape, lead.dims) &&
    all.every((one) =>
      one.kind === "flow"
        ? same(one.dims, lead.dims) && same(one.shape, lead.shape)
        : one.dims.length < 2 && lead.dims.at(-1) === lead.shape.at(-1),
    );
  if (!isNoted) all = all.map((one) => (one.kind === "flow" ? sheet.settled(one) : one));
  const rankOf = (one: Held): number => one.dims.length;
  const rank = Math.max(...all.map(rankOf));
  const whole = all.filter((one): one is Flow => one.kind === "flow" && rankOf(one) === rank);
  const axes = (whole.find((one) => !same(one.axes, inOrder(rank))) ?? whole[0])?.axes ?? inOrder(rank);
  const names = all.map((one) => {
    const more = rank - rankOf(one);
    const dims = [...inOrder(more).map(() => 1), ...one.dims];
    if (one.kind === "host") {
      const places = axes.map((axis) => dims[axis] as number);
      const from = places.findIndex((length) => length !== 1);
      return sheet.stored({ ...one, dims }, axes, from < 0 ? [] : places.slice(from));
    }
    if (more === 0) return sheet.turned(one, axes);
    return same(axes, inOrder(rank)) ? sheet.laid(one) : sheet.laid({ ...one, shape: dims }, axes);
  });
  const made = isNoted ? (lead as Flow).dims : shape;
  return sheet.flow(build(names), shape, axes, made);
}

const elementwise =
  (op: string, attributes: (ask: Ask) => Readonly<Record<string, number>> = () => ({})): Form =>
  (ask) =>
    beside(ask, (names) => ask.sheet.node(op, names, attributes(ask)));

/** A function of one number that is several nodes. */
const composed =
  (of: (x: string, node: Sheet["node"], number: Sheet["number"], ask: Ask) => string): Form =>
  (ask) =>
    beside(ask, ([x = ""]) => of(x, ask.sheet.node, ask.sheet.number, ask));

const linear = composed((x, node, number, ask) => {
  const { factor = 1, offset = 0 } = ask.attributes as Readonly<Record<string, number>>;
  const product = factor === 1 ? x : node("Mul", [x, number(factor)]);
  return offset === 0 ? product : node("Add", [product, number(offset)]);
});

const gelu = composed((x, node, number, ask) => {
  const times = (a: string, b: string | number): string => node("Mul", [a, typeof b === "number" ? number(b) : b]);
  const plus = (a: string, b: string | number): string => node("Add", [a, typeof b === "number" ? number(b) : b]);
  const gate = ask.attributes.approximate
    ? node("Tanh", [times(plus(x, times(times(times(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI))])
    : node("Erf", [node("Div", [x, number(Math.SQRT2)])]);
  return times(times(x, plus(gate, 1)), 0.5);
});

const clipped = (least: (ask: Ask) => unknown, most: (ask: Ask) => unknown): Form =>
  composed((x, node, number, ask) => {
    const [min, max] = [least(ask), most(ask)].map((one) => (one === undefined ? "" : number(one as number)));
    return node("Clip", max === "" ? [x, min as string] : [x, min as string, max as string]);
  });

const compared = (op: string): Form =>
  composed((_, node, __, ask) => {
    const both = beside(ask, (names) => node(op, names));
    return node("Cast", [both.name], { to: FLOAT });
  });

/** x and what it is the input of, where it was made by this op. */
const madeBy = (x: Held | undefined, ...ops: readonly string[]) =>
  x?.from !== undefined && ops.includes(x.from.op) ? x.from : undefined;

/** A tensor of the model that is no number that flows. */
const isHost = (x: Held | undefined): x is Host => x?.kind === "host";

/** (x - mean) slope: a batch normalization in inference, if the slope is one of its variance. */
const multiply: Form = (ask) => {
  const { x, y } = ask.x as Record<"x" | "y", Held>;
  const [centered, scaled] = [madeBy(x, "subtract"), madeBy(y, "multiply")];
  const gamma = scaled?.x.y;
  const variance = madeBy(scaled === undefined ? y : scaled.x.x, "inverseRoot");
  const mean = centered?.x.y;
  if (centered === undefined || variance === undefined || !isHost(mean) || mean.dims.length !== 1 || isHost(x))
    return elementwise("Mul")(ask);
  return normalized(
    ask,
    { ...centered.x, ...(gamma && { gamma }), variance: variance.x.x as Held },
    variance.attributes,
  );
};

/** A batch normalization of x less y by its variance; without gamma or beta these are 1 and 0. */
function normalized(ask: Ask, given: Readonly<Record<string, Held>>, { eps }: Attributes): Held {
  const { sheet } = ask;
  const { x, y, variance } = given as Record<"x" | "y" | "variance", Held>;
  const rank = shapeOf(x).length;
  const axes = channelsFirst(rank);
  const full = (value: number): Host => host(y.dims, new Float32Array(y.dims[0] as number).fill(value), FLOAT);
  const vectors = [given.gamma ?? full(1), given.beta ?? full(0), y, variance].map((one) => sheet.laid(one));
  const made = sheet.node("BatchNormalization", [sheet.laid(x, axes), ...vectors], { epsilon: eps as number });
  return { ...sheet.flow(made, ask.shape, axes), from: { op: "norm", x: given, attributes: { eps } } };
}

/** Behind a convolution or a normalization it is part of that. */
const bias: Form = (ask) => {
  const { x, b } = ask.x as Record<"x" | "b", Held>;
  const before = isHost(b) ? madeBy(x, "conv2d", "conv2dTranspose", "depthwiseConv2d", "norm") : undefined;
  if (before?.op === "norm" && before.x.beta === undefined)
    return normalized(ask, { ...before.x, beta: b }, before.attributes);
  if (before === undefined || before.x.bias !== undefined) return elementwise("Add")(ask);
  const own = { ...ask, ...before, x: { ...before.x, bias: b } };
  return { ...(forms[before.op] as Form)(own), from: own } as Held;
};

/** How a window slides: lists for an image, and zeros [top, left, bottom, right] by what comes in and out. */
function window(ask: Ask, image: Dims, kernel: readonly number[]) {
  const { padding = "valid", stride = [1, 1], dilation = [1, 1] } = ask.attributes as Record<string, number[] | string>;
  const sides = [0, 1].map((axis) => {
    if (typeof padding !== "string") return [padding[2 * axis] as number, padding[2 * axis + 1] as number];
    const span = ((kernel[axis] as number) - 1) * Number(dilation[axis]) + 1;
    const [from, to] = [image[axis + 1] as number, ask.shape[axis + 1] as number];
    const all = padding === "same" ? Math.max(0, (to - 1) * Number(stride[axis]) + span - from) : 0;
    return [Math.floor(all / 2), Math.ceil(all / 2)];
  });
  const pads = [0, 1].flatMap((side) => sides.map((one) => one[side] as number));
  return { kernel_shape: kernel, strides: stride as number[], dilations: dilation as number[], pads };
}

const IMAGE = channelsFirst(4);

/** A node on an image with channels first, and what else it takes. */
function onImage(
  ask: Ask,
  x: Held,
  op: string,
  more: readonly string[],
  attributes: Parameters<Sheet["node"]>[2],
): Flow {
  const { sheet } = ask;
  return sheet.flow(sheet.node(op, [sheet.laid(x, IMAGE), ...more], attributes), ask.shape, IMAGE);
}

/** A filter and perhaps a bias. */
function filters({ sheet, x }: Ask, filter: Held): string[] {
  return [sheet.laid(filter, [3, 2, 0, 1]), ...(x.bias === undefined ? [] : [sheet.laid(x.bias)])];
}

const conv2d: Form = (ask) => {
  const { a, b } = ask.x as Record<"a" | "b", Held>;
  const slide = window(ask, shapeOf(a), shapeOf(b).slice(0, 2));
  return onImage(ask, a, "Conv", filters(ask, b), { ...slide, group: real(ask, "groups") ?? 1 });
};

const depthwise: Form = (ask) => {
  const { a, b } = ask.x as Record<"a" | "b", Held>;
  const [height, width] = shapeOf(b) as [number, number];
  const channels = shapeOf(a)[3] as number;
  const slide = window(ask, shapeOf(a), [height, width]);
  const filter = ask.sheet.reshaped(b, [height, width, 1, channels]);
  return onImage(ask, a, "Conv", filters(ask, filter), { ...slide, group: channels });
};

/** All that a convolution spreads, less what is cut off before and behind; what is put behind is `output_padding`. */
const transposed: Form = (ask) => {
  const { a, b } = ask.x as Record<"a" | "b", Held>;
  const { kernel_shape, strides, dilations } = window(ask, shapeOf(a), shapeOf(b).slice(0, 2));
  const { padding } = ask.attributes;
  const sides = [0, 1].map((axis) => {
    const span = ((kernel_shape[axis] as number) - 1) * (dilations[axis] as number) + 1;
    const full = ((shapeOf(a)[axis + 1] as number) - 1) * (strides[axis] as number) + span;
    const out = ask.shape[axis + 1] as number;
    const before =
      typeof padding === "object"
        ? (padding[2 * axis] as number)
        : padding === "same"
          ? Math.floor(Math.max(0, full - out) / 2)
          : 0;
    return [before, full - out - before] as const;
  });
  return onImage(ask, a, "ConvTranspose", filters(ask, b), {
    ...{ kernel_shape, strides, dilations, group: real(ask, "groups") ?? 1 },
    pads: [...sides.map(([before]) => before), ...sides.map(([, after]) => Math.max(0, after))],
    output_padding: sides.map(([, after]) => Math.max(0, -after)),
  });
};

const pooled =
  (op: string): Form =>
  (ask) => {
    const x = ask.x.x as Held;
    const { dilations: _, ...slide } = window(ask, shapeOf(x), list(ask, "kernel"));
    const { countPadding } = ask.attributes;
    return onImage(ask, x, op, [], { ...slide, ...(countPadding === true && { count_include_pad: 1 }) });
  };

/** A matrix that is a weight goes on the last axis of any shape, so that no rows need to be made. */
const matmul: Form = (ask) => {
  const { sheet, attributes, shape } = ask;
  const { a, b } = ask.x as Record<"a" | "b", Held>;
  const turned = (x: Held, turn: unknown): Held =>
    turn === true && !isHost(x) ? sheet.permuted(x, turning(shapeOf(x).length)) : x;
  const named = (x: Held, turn: unknown): string =>
    isHost(x) && turn === true ? sheet.laid(x, turning(x.dims.length)) : sheet.laid(turned(x, turn));
  const second = named(b, attributes.transposeB);
  const isRows = !isHost(a) && b.dims.length === 2 && shape.length === 2 && attributes.transposeA !== true;
  if (isRows && a.dims.at(-1) === a.shape.at(-1)) {
    const dims = [...a.dims.slice(0, -1), shape.at(-1) as number];
    const axes = inOrder(dims.length);
    return sheet.flow(sheet.node("MatMul", [sheet.turned(a, axes), second]), shape, axes, dims);
  }
  return sheet.flow(sheet.node("MatMul", [named(a, attributes.transposeA), second]), shape);
};

/** The last two axes in each other's place. */
const turning = (rank: number): number[] => [...inOrder(rank - 2), rank - 1, rank - 2];

const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** x as it lies, with where its axes stand. */
function lying(ask: Ask, x = ask.x.x as Held): Flow {
  if (isHost(x)) return ask.sheet.flow(ask.sheet.laid(x), x.dims);
  return ask.sheet.settled(x);
}

const along =
  (op: string): Form =>
  (ask) => {
    const { name, axes } = lying(ask);
    return ask.sheet.flow(ask.sheet.node(op, [name], { axis: axes.indexOf(axes.length - 1) }), ask.shape, axes);
  };

const reduced =
  (op: string): Form =>
  (ask) => {
    const { sheet, shape } = ask;
    const x = lying(ask);
    const { name, axes: own } = x;
    const gone = list(ask, "axes").map((axis) => axisOf(axis, own.length));
    const axes = gone.map((axis) => own.indexOf(axis)).sort((a, b) => a - b);
    const keepdims = ask.attributes.keepDims === true ? 1 : 0;
    const left = inOrder(own.length).filter((axis) => !gone.includes(axis));
    const order = keepdims === 1 ? own : own.filter((axis) => left.includes(axis)).map((axis) => left.indexOf(axis));
    const made =
      op === "ReduceSum"
        ? sheet.node(op, [name, sheet.ints(axes)], { keepdims })
        : sheet.node(op, [name], { axes, keepdims });
    const dims = keepdims === 1 ? shape : left.map((axis) => x.shape[axis] as number);
    return sheet.flow(made, shape, order, dims);
  };

const concat: Form = (ask) => {
  const { sheet } = ask;
  const all = Object.values(ask.x).map((one) => (isHost(one) ? one : sheet.settled(one)));
  const rank = ask.shape.length;
  const flows = all.filter((one): one is Flow => !isHost(one));
  const axes = flows.find((one) => !same(one.axes, inOrder(rank)))?.axes ?? inOrder(rank);
  const axis = axes.indexOf(axisOf(real(ask, "axis"), rank));
  const names = all.map((one) => sheet.laid(one, axes));
  return sheet.flow(sheet.node("Concat", names, { axis }), ask.shape, axes);
};

const tile: Form = (ask) => {
  const { sheet } = ask;
  const x = lying(ask);
  const [from, to] = [x.axes.map((axis) => x.shape[axis] as number), x.axes.map((axis) => ask.shape[axis] as number)];
  const times = from.map((length, i) => (to[i] as number) / length);
  const { attributes, shape } = ask;
  const made =
    attributes.each === true
      ? sheet.node("Resize", [x.name, "", sheet.number(host([times.length], times, FLOAT))], {
          ...{ mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
        })
      : sheet.node("Tile", [x.name, sheet.counted(times)]);
  return sheet.flow(made, shape, x.axes);
};

/** Stands for an end of an axis, wherever that is. */
const FAR = Number.MAX_SAFE_INTEGER;

const slice: Form = (ask) => {
  const { sheet } = ask;
  const x = lying(ask);
  const [begin, end, stride] = ["begin", "end", "stride"].map((name) => list(ask, name)) as [Dims, Dims, Dims];
  const bounded = (place: number): number => Math.min(Math.max(place, -FAR), FAR);
  const cuts = inOrder(x.axes.length).flatMap((axis) => {
    const by = stride[axis] ?? 1;
    const from = bounded(begin[axis] ?? (by > 0 ? 0 : FAR));
    const to = bounded(end[axis] ?? (by > 0 ? FAR : -FAR));
    // Where the end is told though nothing is cut, it may be the number of samples.
    return by === 1 && x.shape[axis] === ask.shape[axis] ? [] : [[from, to, x.axes.indexOf(axis), by]];
  });
  if (cuts.length === 0) return x;
  const told = [0, 1, 2, 3].map((i) => sheet.ints(cuts.map((cut) => cut[i] as number)));
  return sheet.flow(sheet.node("Slice", [x.name, ...told]), ask.shape, x.axes);
};

const pad: Form = (ask) => {
  const { sheet } = ask;
  const x = lying(ask);
  const pads = ["before", "after"].flatMap((side) => x.axes.map((axis) => list(ask, side)[axis] ?? 0));
  const made = sheet.node("Pad", [x.name, sheet.ints(pads), sheet.number(real(ask, "value") ?? 0)], {
    mode: "constant",
  });
  return sheet.flow(made, ask.shape, x.axes);
};

const where: Form = (ask) =>
  beside(ask, ([condition = "", ...both]) =>
    ask.sheet.node("Where", [ask.sheet.node("Cast", [condition], { to: BOOL }), ...both]),
  );

const embedding: Form = (ask) => {
  const { ids, table } = ask.x as Record<"ids" | "table", Held>;
  return ask.sheet.flow(ask.sheet.node("Gather", [ask.sheet.laid(table), ask.sheet.laid(ids)], { axis: 0 }), ask.shape);
};

/** Layer, RMS and group normalization. */
const normalize: Form = (ask) => {
  const { sheet, shape, attributes } = ask;
  const { x, gamma, beta } = ask.x as Record<"x" | "gamma" | "beta", Held | undefined> & { x: Held };
  const { groups, positions, centered, eps } = attributes;
  const channels = shape.at(-1) as number;
  const full = (count: number, value: number): string =>
    sheet.number(host([count], new Float32Array(count).fill(value), FLOAT));
  if (positions !== true && groups === 1) {
    const scale = gamma === undefined ? undefined : sheet.laid(gamma);
    if (centered === true) {
      ask.needs(17);
      const inputs = [sheet.laid(x), scale ?? full(channels, 1), ...(beta === undefined ? [] : [sheet.laid(beta)])];
      return sheet.flow(sheet.node("LayerNormalization", inputs, { axis: -1, epsilon: eps as number }), shape);
    }
    const own = sheet.laid(x);
    const squares = sheet.node("ReduceMean", [sheet.node("Mul", [own, own])], { axes: [-1], keepdims: 1 });
    const root = sheet.node("Sqrt", [sheet.node("Add", [squares, sheet.number(eps as number)])]);
    const made = sheet.node("Div", [own, root]);
    return sheet.flow(scale === undefined ? made : sheet.node("Mul", [made, scale]), shape);
  }
  if (positions !== true || centered !== true) return ask.refuse("parts the channels of a place into groups");
  const axes = channelsFirst(shape.length);
  const image = sheet.laid(x, axes);
  const epsilon = eps as number;
  if (groups === channels) {
    const vectors = [
      gamma === undefined ? full(channels, 1) : sheet.laid(gamma),
      beta === undefined ? full(channels, 0) : sheet.laid(beta),
    ];
    return sheet.flow(sheet.node("InstanceNormalization", [image, ...vectors], { epsilon }), shape, axes);
  }
  const count = groups as number;
  const rows = sheet.node("Reshape", [image, sheet.ints([0, count, -1])]);
  const even = sheet.node("InstanceNormalization", [rows, full(count, 1), full(count, 0)], { epsilon });
  const back = sheet.node("Reshape", [even, sheet.lengths(axes.map((axis) => shape[axis] as number))]);
  let made: Held = sheet.flow(back, shape, axes);
  if (gamma !== undefined) made = beside({ ...ask, x: { made, gamma } }, (names) => sheet.node("Mul", names));
  if (beta !== undefined) made = beside({ ...ask, x: { made, beta } }, (names) => sheet.node("Add", names));
  return made;
};

const interpolate: Form = (ask) => {
  const scales = host([4], [1, 1, ...list(ask, "size")], FLOAT);
  const { alignCorners } = ask.attributes;
  return onImage(ask, ask.x.x as Held, "Resize", ["", ask.sheet.number(scales)], {
    ...{ mode: "linear", coordinate_transformation_mode: alignCorners === true ? "align_corners" : "half_pixel" },
  });
};

const plain = Object.fromEntries(
  ["Abs", "Neg", "Sqrt", "Exp", "Log", "Reciprocal", "Sin", "Relu", "Tanh", "Sigmoid", "Softplus", "Selu"]
    .concat(["Erf", "Floor", "Ceil", "Round", "Softsign"])
    .map((name) => [name[0]?.toLowerCase() + name.slice(1), elementwise(name)]),
);

/** By the names of ops. */
export const forms: Readonly<Record<string, Form>> = {
  ...plain,
  ...{ add: elementwise("Add"), subtract: elementwise("Sub"), multiply, divide: elementwise("Div"), bias },
  ...{ maximum: elementwise("Max"), minimum: elementwise("Min"), prelu: elementwise("PRelu") },
  ...{ equal: compared("Equal"), greater: compared("Greater"), less: compared("Less"), where },
  ...{ scaled: linear, affine: linear, line: linear, gelu, conv2d, conv2dTranspose: transposed, matmul },
  ...{ depthwiseConv2d: depthwise, maxPool2d: pooled("MaxPool"), averagePool2d: pooled("AveragePool") },
  ...{ softmax: along("Softmax"), logSoftmax: along("LogSoftmax"), concat, concat3: concat, tile, slice, pad },
  ...{ sum: reduced("ReduceSum"), mean: reduced("ReduceMean"), max: reduced("ReduceMax"), min: reduced("ReduceMin") },
  ...{ embedding, normalize, interpolate, attention, rotary },
  ...{ lstmSteps: recurrent, gruSteps: recurrent, gruResetBeforeSteps: recurrent },
  copy: ({ x }) => x.x as Held,
  reshape: ({ x, sheet, shape }) => sheet.reshaped(x.x as Held, shape),
  permute: ({ x, sheet, attributes }) => {
    const rank = shapeOf(x.x as Held).length;
    return sheet.permuted(
      x.x as Held,
      (attributes.axes as Dims).map((axis) => axisOf(axis, rank)),
    );
  },
  leakyRelu: elementwise("LeakyRelu", (ask) => ({ alpha: real(ask, "slope") })),
  elu: elementwise("Elu", (ask) => ({ alpha: real(ask, "alpha") })),
  hardSigmoid: elementwise("HardSigmoid", () => ({ alpha: 1 / 6, beta: 0.5 })),
  hardSwish: composed((x, node) => node("Mul", [x, node("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 })])),
  silu: composed((x, node) => node("Mul", [x, node("Sigmoid", [x])])),
  mish: composed((x, node) => node("Mul", [x, node("Tanh", [node("Softplus", [x])])])),
  square: composed((x, node) => node("Mul", [x, x])),
  pow: composed((x, node, number, ask) => node("Pow", [x, number(real(ask, "exponent"))])),
  trunc: composed((x, node) => node("Cast", [node("Cast", [x], { to: INT64 })], { to: FLOAT })),
  relu6: clipped(
    () => 0,
    () => 6,
  ),
  clip: clipped(
    (ask) => ask.attributes.min,
    (ask) => ask.attributes.max,
  ),
  inverseRoot: composed((x, node, number, ask) =>
    node("Reciprocal", [node("Sqrt", [node("Add", [x, number(real(ask, "eps"))])])]),
  ),
};
