// Each op as an expression of PyTorch. Values lie as they do here, channels last; only what needs another order is turned around it.

import { OptionError } from "../index.ts";
import { BATCH, type Use } from "./recorded.ts";

/** An op with its inputs as Python expressions. */
export interface Written {
  readonly use: Use;
  /** By the op's names; undefined for an optional input that is not given. */
  readonly x: Readonly<Record<string, string>>;
  /** Refuses what has no form in PyTorch. */
  readonly refuse: (what: string) => never;
}

type Form = (written: Written) => string;

const binary =
  (sign: string): Form =>
  ({ x }) =>
    `${x.x} ${sign} ${x.y}`;
const call =
  (name: string, ...more: string[]): Form =>
  ({ x }) =>
    `${name}(${[x.x, ...more].join(", ")})`;

/** The shape of an input that is given. */
const shapeOf = (use: Use, input: string): readonly number[] => use.inputs[input]?.shape ?? [];

const list = (numbers: readonly (number | string)[]): string => `[${numbers.join(", ")}]`;

/** A length that may count samples. */
const length = (number: number): string =>
  number % BATCH !== 0 ? String(number) : number === BATCH ? "batch" : `${number / BATCH} * batch`;

/** NCHW and back. */
const first = (x: string): string => `${x}.movedim(-1, 1)`;
const last = (x: string): string => `${x}.movedim(1, -1)`;

/** Zeros on each side, [top, bottom, left, right], of a window that slides. */
function padsOf(
  { use: { attributes, inputs, outputs }, refuse }: Written,
  image: string,
  kernel: readonly number[],
): number[] {
  const {
    padding = "valid",
    stride = [1, 1],
    dilation = [1, 1],
  } = attributes as Record<string, readonly number[] | string>;
  if (Array.isArray(padding)) return [...padding];
  if (padding === "valid") return [0, 0, 0, 0];
  const [from, to] = [inputs[image]?.shape, Object.values(outputs)[0]?.shape];
  if (from === undefined || to === undefined) return refuse("has no shape");
  return [0, 1].flatMap((axis) => {
    const [steps, far] = [Number(stride[axis]), Number(dilation[axis])];
    const span = (Number(kernel[axis]) - 1) * far + 1;
    const all = Math.max(0, ((to[axis + 1] as number) - 1) * steps + span - (from[axis + 1] as number));
    return [Math.floor(all / 2), all - Math.floor(all / 2)];
  });
}

/** The image with its padding, channels first, and what is left to say of it. */
function padded(image: string, [top = 0, bottom = 0, left = 0, right = 0]: readonly number[], value = "0.0") {
  const isEven = top === bottom && left === right;
  if (isEven) return { image: first(image), padding: `, padding=(${top}, ${left})` };
  return { image: `F.pad(${first(image)}, (${left}, ${right}, ${top}, ${bottom}), value=${value})`, padding: "" };
}

const pairs = (given: unknown, otherwise = "1, 1"): string =>
  `(${Array.isArray(given) ? given.join(", ") : otherwise})`;

/** A filter as PyTorch has it, of one that is seen as it lies here. */
const filterOf = (filter: string): string => {
  const turn = ".permute(2, 3, 1, 0)";
  return filter.endsWith(turn) ? filter.slice(0, -turn.length) : `${filter}.permute(3, 2, 0, 1)`;
};

const convolution: Form = (written) => {
  const { use, x } = written;
  const { stride, dilation, groups = 1 } = use.attributes;
  const { image, padding } = padded(x.a as string, padsOf(written, "a", shapeOf(use, "b").slice(0, 2)));
  return last(
    `F.conv2d(${image}, ${filterOf(x.b as string)}, stride=${pairs(stride)}${padding}, dilation=${pairs(dilation)}, groups=${groups})`,
  );
};

/** The way back of a convolution: all that it spreads, then the part that is the image, zeros where nothing came. */
const transposed: Form = ({ use, x }) => {
  const {
    stride = [1, 1],
    dilation = [1, 1],
    groups = 1,
    padding,
  } = use.attributes as Record<string, number[] | string>;
  const [from, kernel, to] = [shapeOf(use, "a"), shapeOf(use, "b"), use.outputs.c?.shape ?? []];
  const sides = [0, 1].map((axis) => {
    const span = ((kernel[axis] as number) - 1) * Number(dilation[axis]) + 1;
    const full = ((from[axis + 1] as number) - 1) * Number(stride[axis]) + span;
    const out = to[axis + 1] as number;
    const before = Array.isArray(padding)
      ? Number(padding[2 * axis])
      : padding === "same"
        ? Math.floor(Math.max(0, full - out) / 2)
        : 0;
    return [-before, out - full + before];
  });
  const call = `F.conv_transpose2d(${first(x.a as string)}, ${filterOf(x.b as string)}, stride=${pairs(stride)}, dilation=${pairs(dilation)}, groups=${groups})`;
  return last(`F.pad(${call}, ${pairs([...sides].reverse().flat())})`);
};

const depthwise: Form = (written) => {
  const { use, x } = written;
  const [height, width, channels] = shapeOf(use, "b");
  const { image, padding } = padded(x.a as string, padsOf(written, "a", [height, width] as number[]));
  const filter = `${x.b}.permute(2, 3, 0, 1)`;
  return last(`F.conv2d(${image}, ${filter}, stride=${pairs(use.attributes.stride)}${padding}, groups=${channels})`);
};

const pooled =
  (name: "max" | "avg"): Form =>
  (written) => {
    const { use, x, refuse } = written;
    const { kernel, stride, countPadding } = use.attributes;
    const pads = padsOf(written, "x", kernel as number[]);
    const { image, padding } = padded(x.x as string, pads, "float('-inf')");
    if (name === "avg" && padding === "") refuse("pads an average on one side alone");
    const counted = name === "avg" ? `, count_include_pad=${countPadding === true ? "True" : "False"}` : "";
    return last(
      `F.${name}_pool2d(${image}, ${pairs(kernel)}, stride=${pairs(stride, pairs(kernel).slice(1, -1))}${padding}${counted})`,
    );
  };

const reduced =
  (name: string): Form =>
  ({ use: { attributes }, x }) =>
    `${x.x}.${name}(dim=(${(attributes.axes as number[]).join(", ")},), keepdim=${attributes.keepDims === true ? "True" : "False"})`;

/** Forms by the names of ops. */
export const pythonForms: Readonly<Record<string, Form>> = {
  ...{ add: binary("+"), subtract: binary("-"), multiply: binary("*"), divide: binary("/") },
  bias: ({ x }) => `${x.x} + ${x.b}`,
  ...{ maximum: ({ x }) => `torch.maximum(${x.x}, ${x.y})`, minimum: ({ x }) => `torch.minimum(${x.x}, ${x.y})` },
  ...{
    neg: call("torch.neg"),
    exp: call("torch.exp"),
    log: call("torch.log"),
    sqrt: call("torch.sqrt"),
    abs: call("torch.abs"),
  },
  ...{
    square: call("torch.square"),
    reciprocal: call("torch.reciprocal"),
    sin: call("torch.sin"),
    copy: ({ x }) => x.x as string,
  },
  pow: ({ use, x }) => `${x.x} ** ${use.attributes.exponent}`,
  ...{ relu: call("F.relu"), relu6: call("F.relu6"), tanh: call("torch.tanh"), sigmoid: call("torch.sigmoid") },
  ...{ silu: call("F.silu"), mish: call("F.mish"), softplus: call("F.softplus"), selu: call("F.selu") },
  ...{ hardSigmoid: call("F.hardsigmoid"), hardSwish: call("F.hardswish") },
  leakyRelu: ({ use, x }) => `F.leaky_relu(${x.x}, ${use.attributes.slope})`,
  elu: ({ use, x }) => `F.elu(${x.x}, ${use.attributes.alpha})`,
  gelu: ({ use, x }) => `F.gelu(${x.x}, approximate="${use.attributes.approximate === true ? "tanh" : "none"}")`,
  ...{ softmax: call("F.softmax", "dim=-1"), logSoftmax: call("F.log_softmax", "dim=-1") },
  matmul: ({ use: { attributes }, x }) =>
    `${x.a}${attributes.transposeA === true ? ".transpose(-1, -2)" : ""} @ ${x.b}${attributes.transposeB === true ? ".transpose(-1, -2)" : ""}`,
  reshape: ({ use, x }) => `${x.x}.reshape(${list((use.attributes.shape as number[]).map(length))})`,
  permute: ({ use, x }) => `${x.x}.permute(${list(use.attributes.axes as number[])})`,
  ...{ concat: ({ use, x }) => `torch.cat([${x.a}, ${x.b}], dim=${use.attributes.axis})` },
  concat3: ({ use, x }) => `torch.cat([${Object.values(x).join(", ")}], dim=${use.attributes.axis})`,
  tile: ({ use, x, refuse }) =>
    use.attributes.each === true
      ? refuse("repeats numbers by themselves")
      : `${x.x}.repeat(${list((use.attributes.repeats as number[]).map(length))})`,
  slice({ use, x, refuse }) {
    const { begin, end, stride } = use.attributes as Record<string, readonly number[]>;
    const parts = shapeOf(use, "x").map((_, axis) => {
      const by = stride?.[axis] ?? 1;
      if (by < 0) return refuse("goes backwards");
      const place = (given: number | undefined): string =>
        given === undefined || !Number.isFinite(given) ? "" : String(given);
      return `${place(begin?.[axis])}:${place(end?.[axis])}${by === 1 ? "" : `:${by}`}`;
    });
    return `${x.x}[${parts.join(", ")}]`;
  },
  pad({ use: { attributes }, x }) {
    const { before, after, value } = attributes as unknown as Record<"before" | "after", number[]> & { value: number };
    const sides = before.map((one, axis) => [one, after[axis] as number]).reverse();
    return `F.pad(${x.x}, ${pairs(sides.flat())}, value=${value})`;
  },
  ...{ sum: reduced("sum"), mean: reduced("mean"), max: reduced("amax"), min: reduced("amin") },
  conv2d: convolution,
  conv2dTranspose: transposed,
  depthwiseConv2d: depthwise,
  ...{ maxPool2d: pooled("max"), averagePool2d: pooled("avg") },
  embedding({ x, refuse }) {
    const [tokens, table] = Object.values(x);
    return tokens === undefined || table === undefined
      ? refuse("has other inputs")
      : `F.embedding(${tokens}.long(), ${table})`;
  },
  normalize({ use: { attributes, inputs }, x, refuse }) {
    const { groups, positions, centered, eps } = attributes;
    if (groups !== 1 || positions === true) {
      const image = `F.group_norm(${first(x.x as string)}, ${groups}, ${x.gamma ?? "None"}, ${x.beta ?? "None"}, ${eps})`;
      return positions === true ? last(image) : refuse("parts the channels of a sequence into groups");
    }
    if (centered === true)
      return `F.layer_norm(${x.x}, [${inputs.x?.shape.at(-1)}], ${x.gamma ?? "None"}, ${x.beta ?? "None"}, ${eps})`;
    return `${x.x} * torch.rsqrt(${x.x}.square().mean(-1, keepdim=True) + ${eps})${x.gamma === undefined ? "" : ` * ${x.gamma}`}`;
  },
  attention({ use: { attributes }, x, refuse }) {
    const { heads, keyHeads = heads, causal, scale } = attributes;
    if (x.mask !== undefined) refuse("hides keys by a mask");
    return `attend(${x.q}, ${x.k}, ${x.v}, ${heads}, ${keyHeads}, ${causal === true ? "True" : "False"}, ${scale ?? "None"})`;
  },
  drop: ({ use, x }) => `F.dropout(${x.x}, ${use.attributes.rate}, self.training)`,
};

/** The ops of a batch normalization in training, of which PyTorch has one. */
export const isNorm = (op: string): boolean => /^batchNorm(Affine|Scaled|Shifted|Plain)$/.test(op);

export function normForm(use: Use, statistics: Use, x: Readonly<Record<string, string>>, isFrozen: boolean): string {
  const { momentum, eps, unbiased } = statistics.attributes;
  if (unbiased !== true)
    throw new OptionError(
      `toPyTorch: "${use.path}" moves its variance by that of n, as in Keras, and PyTorch by that of n - 1. Give batchNorm({ unbiased: true }).`,
    );
  const image = (use.inputs.x?.shape.length as number) > 2 ? first(x.x as string) : x.x;
  const training = isFrozen ? "False" : "self.training";
  const call = `F.batch_norm(${image}, ${x.mean}, ${x.variance}, ${x.gamma ?? "None"}, ${x.beta ?? "None"}, ${training}, ${Number((1 - Number(momentum)).toPrecision(12))}, ${eps})`;
  return image === x.x ? call : last(call);
}
