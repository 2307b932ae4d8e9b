// Operators with a window, and normalization by channels: they see values with channels last.

import { sizeOf } from "../../foreign/strided.ts";
import {
  averagePool2d,
  batchNorm,
  depthwiseConv2d,
  groupNorm,
  type Layer,
  maxPool2d,
  ops,
  type Scope,
  type Value,
} from "../../index.ts";
import {
  type About,
  beside,
  channelsLast,
  dimsOf,
  expectAlone,
  hostAt,
  inputOf,
  type Known,
  type Live,
  needed,
  operands,
  type Row,
  type Step,
  stepOf,
  view,
  weight,
} from "../live.ts";
import { expectCount, expectDims, inOrder, type Node, refuse } from "../node.ts";

type Pair = readonly [number, number];

/** The images that an operator works on: as [B, H, W, C], where they are lines with a height of 1. */
interface Images {
  readonly x: Live;
  readonly order: readonly number[];
  /** Lengths of the axes that are neither batch nor channels: one or two. */
  readonly spatial: readonly number[];
  readonly channels: number;
}

function imagesOf(node: Node, ins: readonly (Known | undefined)[]): Images {
  const x = inputOf(node, ins);
  const dims = dimsOf(x);
  if (dims.length !== 3 && dims.length !== 4)
    refuse(node, `it is given [${dims}]; lines and images are read, 3 or 4 axes.`);
  return { x, order: channelsLast(dims.length), spatial: dims.slice(2), channels: dims[1] as number };
}

/** Lists of an attribute for one or two axes, as those of two. */
const both = (list: readonly number[]): Pair => (list.length === 1 ? [1, list[0] as number] : (list as Pair));

interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** [[top, bottom], [left, right]]. */
  readonly padding: readonly [Pair, Pair];
}

/** A list of an attribute that must have so many numbers, each as large as the default or larger. */
function listed(node: Node, name: string, count: number, least: number): readonly number[] {
  const list = expectCount(node, name, node.ints(name) ?? new Array<number>(count).fill(least), count);
  return atLeast(node, name, list, least);
}

function atLeast(node: Node, name: string, list: readonly number[], least: number): readonly number[] {
  if (list.some((one) => one < least)) refuse(node, `its ${name} are [${list}], at least ${least} is read.`);
  return list;
}

/** What stands around in all, before and after; the odd one after, or before. */
const halves = (all: number, auto: string): Pair => {
  const less = Math.floor(all / 2);
  return auto === "SAME_UPPER" ? [less, all - less] : [all - less, less];
};

/** The window of a node; \`ceil\` says whether what is left at the end makes one more place. */
function windowOf(node: Node, { spatial }: Images, kernel: readonly number[], ceil = false): Window {
  const rank = spatial.length;
  const [stride, dilation] = ["strides", "dilations"].map((name) => listed(node, name, rank, 1)) as [
    number[],
    number[],
  ];
  atLeast(node, "lengths of the window", kernel, 1);
  const given = listed(node, "pads", 2 * rank, 0);
  const auto = node.text("auto_pad", "NOTSET");
  const pads = spatial.map((length, i): Pair => {
    const [by, span] = [stride[i] as number, ((kernel[i] as number) - 1) * (dilation[i] as number) + 1];
    if (auto === "VALID") return [0, 0];
    if (auto.startsWith("SAME")) return halves(Math.max(0, (Math.ceil(length / by) - 1) * by + span - length), auto);
    const [before, after] = [given[i] as number, given[i + rank] as number];
    const places = Math.ceil((length + before + after - span) / by) + 1;
    return [before, ceil ? Math.max(after, (places - 1) * by + span - length - before) : after];
  });
  if (rank === 1) pads.unshift([0, 0]);
  return {
    ...{ kernel: both(kernel), stride: both(stride), dilation: both(dilation) },
    padding: pads as unknown as readonly [Pair, Pair],
  };
}

/** What works on images, for lines too. */
const onImages = (scope: Scope, x: Value, of: (x: Value) => Value): Value => {
  if (x.shape.length === 4) return of(x);
  const [batch, width, channels] = x.shape as [number, number, number];
  const y = of(view(scope, x, [batch, 1, width, channels]));
  return view(scope, y, [batch, y.shape[2] as number, y.shape[3] as number]);
};

/** x with channels last, weight and bias of a convolution; how it is wound up. */
function convolution(node: Node, ins: readonly (Known | undefined)[], about: About, images: Images, filters: number) {
  const { x, order } = images;
  const bias = ins[2];
  if (bias !== undefined) expectDims(node, "bias", dimsOf(bias), [filters]);
  const { takes, weights, take } = operands(node, about);
  const image = take(x, "", order);
  const step = (kind: string, of: (scope: Scope, a: Value, values: readonly Value[]) => Value): Step => {
    const b = bias && take(bias, "bias", [0]);
    return {
      ...{ kind: order.length === 3 ? kind.replace("2d", "1d") : kind, takes, weights, orders: [order] },
      run: (scope, values) =>
        onImages(scope, image(scope, values), (a) => {
          const x = of(scope, a, values);
          return b === undefined ? x : scope.op(ops.bias, { x, b: b(scope, values) }).z;
        }),
    };
  };
  return { take, step };
}

/** Refuses a weight of other axes or channels than the image. */
function expectChannels(node: Node, { x, channels }: Images, dims: readonly number[], takes: number): void {
  if (dims.length !== x.order.length || channels !== takes)
    refuse(
      node,
      `its weight is [${dims}], which takes ${takes} channels; it is given [${dimsOf(x)}] with ${channels}.`,
    );
}

const conv: Row = (node, ins, about) => {
  const images = imagesOf(node, ins);
  const { channels } = images;
  const w = needed(node, ins, 1, "weight");
  const dims = dimsOf(w);
  const groups = node.int("group", 1);
  const inner = dims[1] as number;
  expectChannels(node, images, dims, inner * groups);
  const filters = dims[0] as number;
  if (filters % groups !== 0) refuse(node, `its ${filters} filters do not fill ${groups} groups.`);
  const { kernel, ...slide } = windowOf(node, images, dims.slice(2));
  const { take, step } = convolution(node, ins, about, images, filters);
  if (groups === channels && groups > 1) {
    const depthMultiplier = filters / groups;
    const filter = take(w, "weight", [...inOrder(dims.length).slice(2), 0, 1]);
    const layer = depthwiseConv2d({ ...slide, kernel, bias: false, depthMultiplier });
    return step("depthwiseConv2d", (scope, a, values) => {
      const value = view(scope, filter(scope, values), [...kernel, channels, depthMultiplier]);
      return layer.apply(beside(scope, { parameter: () => value }), a);
    });
  }
  const filter = take(w, "weight", [...inOrder(dims.length).slice(2), 1, 0]);
  const attributes = { ...slide, padding: slide.padding.flat(), groups };
  return step("conv2d", (scope, a, values) => {
    const b = view(scope, filter(scope, values), [...kernel, inner, filters]);
    return scope.op(ops.conv2d, { a, b }, attributes).c;
  });
};

const convTranspose: Row = (node, ins, about) => {
  const images = imagesOf(node, ins);
  const { channels, spatial } = images;
  const w = needed(node, ins, 1, "weight");
  const dims = dimsOf(w);
  const groups = node.int("group", 1);
  expectChannels(node, images, dims, dims[0] as number);
  const inner = dims[1] as number;
  const rank = spatial.length;
  const kernel = dims.slice(2);
  const [stride, dilation] = ["strides", "dilations"].map((name) => listed(node, name, rank, 1)) as [
    number[],
    number[],
  ];
  const [more, pads] = [listed(node, "output_padding", rank, 0), listed(node, "pads", 2 * rank, 0)];
  const auto = node.text("auto_pad", "NOTSET");
  const shape = node.ints("output_shape")?.slice(-rank);
  // What stands around the whole result: zeros that are cut away, or, below 0, such as are put there.
  const around = spatial.map((length, i): Pair => {
    const [by, extra] = [stride[i] as number, more[i] as number];
    const wanted = shape?.[i] ?? (auto.startsWith("SAME") ? length * by : undefined);
    if (wanted === undefined)
      return auto === "VALID" ? [0, -extra] : [pads[i] as number, (pads[i + rank] as number) - extra];
    const all = (length - 1) * by + ((kernel[i] as number) - 1) * (dilation[i] as number) + 1 + extra - wanted;
    const [before, after] = halves(all, auto);
    return [before, after - extra];
  });
  if (rank === 1) around.unshift([0, 0]);
  const cut = around.flat().map((count) => Math.max(count, 0));
  const [before, after] = [0, 1].map((side) => [0, ...around.map((one) => Math.max(-(one[side] as number), 0)), 0]) as [
    number[],
    number[],
  ];
  const { take, step } = convolution(node, ins, about, images, inner * groups);
  const filter = take(w, "weight", [...inOrder(dims.length).slice(2), 1, 0]);
  const attributes = { stride: both(stride), dilation: both(dilation), groups, padding: cut };
  return step("conv2dTranspose", (scope, a, values) => {
    const b = view(scope, filter(scope, values), [...both(kernel), inner, channels]);
    const made = scope.op(ops.conv2dTranspose, { a, b }, attributes).c;
    return [...before, ...after].some((count) => count > 0)
      ? scope.op(ops.pad, { x: made }, { before, after }).y
      : made;
  });
};

function pool(kind: "maxPool2d" | "averagePool2d"): Row {
  return (node, ins, about) => {
    const images = imagesOf(node, ins);
    const { x, order } = images;
    expectAlone(node, about, "indices are");
    const size = listed(node, "kernel_shape", images.spatial.length, 0);
    const ceil = node.int("ceil_mode", 0) === 1;
    const window = windowOf(node, images, size, ceil);
    if (sizeOf(window.dilation) !== 1) refuse(node, `its dilations are [${window.dilation}], 1 is read.`);
    const countPadding = kind === "averagePool2d" && node.int("count_include_pad", 0) === 1;
    if (countPadding && ceil && String(window.padding) !== String(windowOf(node, images, size).padding))
      refuse(node, "it has count_include_pad and ceil_mode, of which one is read.");
    const { kernel, stride, padding } = window;
    const layer =
      kind === "maxPool2d"
        ? maxPool2d(kernel, { stride, padding })
        : averagePool2d(kernel, { stride, padding, countPadding });
    return stepOf(x, (scope, value) => onImages(scope, value, (a) => layer.apply(scope, a)), order);
  };
}

const globalPool =
  (op: "mean" | "max"): Row =>
  (node, ins) => {
    const x = inputOf(node, ins);
    const axes = x.order.flatMap((axis, place) => (axis > 1 ? [place] : []));
    if (axes.length === 0) return x;
    return stepOf(x, (scope, value) => scope.op(ops[op], { x: value }, { axes, keepDims: true }).y);
  };

/** Vectors of a number for each channel, as weights of a layer that sees channels last; the first two may train. */
const normalization =
  (names: readonly string[], layerOf: (node: Node, channels: number, about: About) => Pick<Layer, "apply">): Row =>
  (node, ins, about) => {
    const x = inputOf(node, ins);
    const dims = dimsOf(x);
    const channels = dims[1] as number;
    expectAlone(node, about, "running values are");
    const weights = Object.fromEntries(
      names.map((name, i) => {
        const given = hostAt(node, ins, i + 1, name);
        expectDims(node, name, given.dims, [channels]);
        const own = weight(node, given, about);
        return [name, i < 2 ? own : { ...own, trains: false }];
      }),
    );
    return stepOf(x, layerOf(node, channels, about).apply, channelsLast(dims.length), { weights });
  };

const eps = (node: Node): number => node.float("epsilon", 1e-5);

/** Where a Reshape took samples apart, each has several rows of the first axis, which the layer is to count. */
function byBatch(node: Node, _: number, { batch }: About): Pick<Layer, "apply"> {
  const layer = batchNorm({ momentum: node.float("momentum", 0.9), eps: eps(node) });
  return {
    apply(scope, x) {
      const [rows = 1, ...rest] = x.shape;
      const samples = rows % batch === 0 ? batch : 1;
      const y = layer.apply(scope, samples === rows ? x : view(scope, x, [samples, rows / samples, ...rest]));
      return view(scope, y, x.shape);
    },
  };
}

export const window: Readonly<Record<string, Row>> = {
  AveragePool: pool("averagePool2d"),
  BatchNormalization: normalization(["gamma", "beta", "movingMean", "movingVariance"], byBatch),
  Conv: conv,
  ConvTranspose: convTranspose,
  GlobalAveragePool: globalPool("mean"),
  GlobalMaxPool: globalPool("max"),
  InstanceNormalization: normalization(["gamma", "beta"], (node, channels) => groupNorm(channels, { eps: eps(node) })),
  MaxPool: pool("maxPool2d"),
};
