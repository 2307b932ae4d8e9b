// What normalizes numbers of one sample: layer, RMS and group normalization. They differ in which numbers are a group, and in whether
// the mean is taken off. The way back measures groups anew, so that forward and back each take what follows into their ends.

import source from "../../shaders/normalize.wgsl?raw";
import backwardSource from "../../shaders/normalize-backward.wgsl?raw";
import groupPart from "../../shaders/parts/group.wgsl?raw";
import joined from "../../shaders/parts/joined-channels.wgsl?raw";
import { mergeSums } from "./channel-sums.ts";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { indexMap, placeOf } from "./index-map.ts";
import { type DeviceFacts, fold, inLines, threads } from "./kernel.ts";
import { type Attributes, defineOp, type Kernel, type Op, once } from "./op.ts";
import { checkCount } from "./request.ts";
import { isBusy, sharesRow } from "./split.ts";
import { dims, size, type Tensor, type Tensors } from "./tensor.ts";

export type Groups = {
  /** Into how many groups the channels are parted, neighbours together. */
  readonly groups: number;
  /** Whether a group spans all positions of a sample, and not those of each position by itself. */
  readonly positions: boolean;
  /** Whether the mean is taken off. */
  readonly centered: boolean;
  readonly eps: number;
  /** Samples of a part of the way back. Default: by the shape. */
  readonly height?: number;
};

const attributes = { groups: [1, checkCount], positions: [false], centered: [true], eps: [1e-5] } as const;

/** From so many numbers on a workgroup shares a group. */
const SHARED = 128;

/** Most samples of a part: each has a number of workgroup memory. */
const MOST_HEIGHT = 64;

/** x as [samples, positions, groups, channels of a group]. */
function viewOf({ shape }: Tensor, { groups, positions }: Groups): readonly [number, number, number, number] {
  const channels = shape.at(-1) as number;
  const samples = positions ? (shape[0] as number) : size(shape.slice(0, -1));
  return [samples, size(shape) / (samples * channels), groups, channels / groups];
}

/**
 * How many samples a part of the way back has: a thread measures its own, or a workgroup one after the other. As a CPU likes it, unless
 * attributes say: parts are tensors of the plan.
 */
function heightOf(x: Tensor, given: Attributes, device: DeviceFacts = { software: true }): number {
  if (given.height !== undefined) return given.height as number;
  const [samples, positions] = viewOf(x, given as Groups);
  const isShared = sharesGroup(x, given, device);
  const height =
    given.summed === true ? Math.sqrt(samples / positions) / (isShared ? 4 : 1) : isShared ? 1 : MOST_HEIGHT;
  return Math.min(MOST_HEIGHT, Math.ceil(height));
}

/** Whether a workgroup shares a group on the way back, as if there were groups enough: parts make more of them. */
function sharesGroup(x: Tensor, given: Attributes, device: DeviceFacts): boolean {
  const [, positions, , channels] = viewOf(x, given as Groups);
  return sharesRow(Number.POSITIVE_INFINITY, positions * channels, SHARED, device);
}

/** What all kernels of groups have in common. */
function groupsOf(x: Tensor, given: Attributes, sharing: (groups: number, numbers: number) => boolean) {
  const { centered, eps } = given as Groups;
  const view = viewOf(x, given as Groups);
  const [samples, positions, groups, channels] = view;
  const isWithin = (axis: number): boolean => axis === 1 || axis === 3;
  const place = (axes: (axis: number) => boolean, at: string): string =>
    placeOf(
      indexMap(view, axes, () => true),
      at,
    );
  const isShared = sharing(samples * groups, positions * channels);
  const lanes: 4 | 1 = channels % 4 === 0 ? 4 : 1;
  return {
    view,
    isShared,
    lanes,
    holes: {
      THREADS: isShared ? 64 : 1,
      LANES: lanes,
      VECTOR: lanes === 4,
      LONG: positions * channels > 256 * lanes * (isShared ? 64 : 1),
      SHARED: isShared,
      JOINED: isShared ? joined : "",
      RESULT: place((axis) => !isWithin(axis), "i"),
      TERM: place(isWithin, "k"),
      CHANNEL: `${groups === 1 ? "" : "i % PER_SAMPLE * CHANNELS + "}${positions === 1 ? "k" : "k % CHANNELS"}`,
      MEAN: String(centered),
    },
    constants: {
      GROUPS: samples * groups,
      COUNT: positions * channels,
      PER_SAMPLE: groups,
      CHANNELS: channels,
      EPS: eps,
    },
  };
}

const kernel = /* @__NO_SIDE_EFFECTS__ */ (name: string, text: string, isForward: boolean): Kernel => ({
  name,
  source: inLines(groupPart, text),
  beside: true,
  rows({ tensors, attributes: given }) {
    const [, , , channels] = viewOf(tensors.x as Tensor, given as Groups);
    return isForward && given.positions !== true ? { of: "x", length: channels } : undefined;
  },
  choose({ tensors, all, attributes: given, epilogue: steps, checked, device }) {
    const { x, gamma, beta } = tensors as Tensors<"x"> & Partial<Tensors<"gamma" | "beta">>;
    const { view, lanes, holes, constants, isShared } = groupsOf(x, given, (groups, numbers) =>
      isForward ? sharesRow(groups, numbers, SHARED, device) : sharesGroup(x, given, device),
    );
    const height = heightOf(x, given);
    const columns = x.shape.at(-1) as number;
    const end = epilogue(steps, all, { lanes, columns, aligned: lanes === 4 });
    // On a CPU adapter a barrier costs as much as there are threads.
    const width = isShared || !device.software ? 64 : 4;
    const summed = given.summed === true;
    const byChannels = view[3] >= width * lanes;
    return {
      holes: {
        ...holes,
        EPILOGUE: end.text,
        CHECK: checkPart(checked),
        SCALED: gamma !== undefined,
        ...(isForward
          ? { SHIFTED: beta !== undefined }
          : { SUMMED: summed, BY_CHANNELS: byChannels, SUMS: summed || byChannels, WIDTH: width }),
      },
      constants: { ...constants, ...(!isForward && { HEIGHT: height, SAMPLES: view[0] }) },
      tensors: { ...tensors, ...end.tensors },
      by: isShared ? "workgroup" : "thread",
      grid: isForward
        ? isShared
          ? fold(constants.GROUPS)
          : threads(constants.GROUPS)
        : fold(Math.ceil(view[0] / height) * view[2]),
      note: `${dims(x)} in groups of ${constants.COUNT}${end.note}`,
    };
  },
});

/** y = (x - mean) / sqrt(variance + eps) gamma + beta of each group, with or without the last or the last two. */
export const normalize = defineOp({
  name: "normalize",
  inputs: ["x", "gamma", "beta"],
  optional: ["gamma", "beta"],
  outputs: ["y"],
  attributes,
  shape: ({ x: { shape } }, _: Groups) => ({ y: { shape } }),
  back({ x, gamma, dy }, { attributes: given, give, emit }) {
    const from = { x, dy, ...(gamma && { gamma }) } as Tensors<"x" | "dy" | "gamma">;
    const back = (summed: boolean) => once(() => emit(normalizeBackward, from, { ...given, summed }));
    const both = back(true);
    let made = back(false);
    const sums = once(() => {
      made = both;
      return emit(mergeSums, { parts: both().parts } as Tensors<"parts" | "mean" | "inverse">);
    });
    give("gamma", () => sums().dgamma);
    give("beta", () => sums().dbeta);
    give("x", () => made().dx);
  },
  kernel: kernel("normalize", source, true),
  takesEpilogue: true,
});

/** The gradient of x and, where they are `summed`, parts of those of gamma and beta, [parts, 2, C]. */
export const normalizeBackward: Op<"x" | "dy" | "gamma", "dx" | "parts", Groups & { readonly summed: boolean }> =
  defineOp({
    name: "normalizeBackward",
    inputs: ["x", "dy", "gamma"],
    optional: ["gamma"],
    outputs: ["dx", "parts"],
    shape({ x }, given: Groups & { readonly summed: boolean }) {
      const parts = [Math.ceil(viewOf(x, given)[0] / heightOf(x, given)), 2, x.shape.at(-1) as number];
      return { dx: { shape: x.shape }, ...(given.summed && { parts: { shape: parts } }) };
    },
    forGpu({ x, dy, gamma }, { attributes, emit }) {
      const [samples, positions, groups, channels] = viewOf(x, attributes);
      const isEnough = (height: number): boolean =>
        isBusy(Math.ceil(samples / height) * groups, 64, size(x.shape), positions * channels);
      let height = heightOf(x, attributes, { software: false });
      while (height > 1 && !isEnough(height)) height = Math.ceil(height / 2);
      const from = { x, dy, ...(gamma && { gamma }) } as Tensors<"x" | "dy" | "gamma">;
      return height === attributes.height ? undefined : emit(normalizeBackward, from, { ...attributes, height });
    },
    kernel: kernel("normalize-backward", backwardSource, false),
    takesEpilogue: true,
  });
