// Sums, means and extremes over axes.

import extremeSource from "../../shaders/extreme.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { OptionError } from "../errors.ts";
import { shown } from "../option.ts";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { indexMap, placeOf, repeated } from "./index-map.ts";
import { threads } from "./kernel.ts";
import { moveKernel } from "./move.ts";
import { type Attributes, defineOp, type Kernel, type Op } from "./op.ts";
import { given, perhaps } from "./request.ts";
import { reshape } from "./reshape.ts";
import { realOf, sumKernel } from "./sum.ts";
import { dims, size, type Tensor } from "./tensor.ts";

type Reduction = {
  readonly axes: readonly number[];
  readonly keepDims?: boolean;
  /** Whether axis 0 counts the samples of the batch; to be said where it is summed. */
  readonly batch?: boolean | undefined;
};

function checkAxes(place: string, name: string, value: unknown): void {
  if (Array.isArray(value) && value.length > 0 && value.every(Number.isSafeInteger)) return;
  throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be a list of axes, for example [1, 2] or [-1].`);
}

/** The axes of x that attribute `axes` names; -1 is the last. */
const axesOf = ({ shape }: Tensor, { axes }: Attributes): number[] =>
  (axes as readonly number[]).map((axis) => (axis < 0 ? axis + shape.length : axis));

/** x with length 1 in the place of each axis that is summed. */
const keptShape = (x: Tensor, attributes: Attributes): number[] => {
  const axes = axesOf(x, attributes);
  return x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
};

function refuse({ x }: { readonly x: Tensor }, attributes: Reduction): string | undefined {
  const axes = axesOf(x, attributes);
  const odd = axes.findIndex((axis, i) => x.shape[axis] === undefined || axes.indexOf(axis) !== i);
  if (odd >= 0) {
    const what = x.shape[axes[odd] as number] === undefined ? "It has no" : "Named twice is";
    return `${given(x)} ${what} axis ${attributes.axes[odd]}; axes count from 0, or back from -1.`;
  }
  return axes.includes(0) && attributes.batch === undefined
    ? `${given(x)} Say batch: true where axis 0 counts samples, so that rows beyond a short batch are left out, or batch: false where it does not.`
    : undefined;
}

/** What all of them are beside their kernels. */
const overAxes = {
  inputs: ["x"],
  outputs: ["y"],
  attributes: { axes: [undefined, checkAxes], keepDims: [false], batch: [undefined, perhaps("true or false")] },
  refuse,
  shape({ x }: { readonly x: Tensor }, attributes: Reduction) {
    const axes = axesOf(x, attributes);
    const kept = keptShape(x, attributes);
    return { y: { shape: attributes.keepDims === true ? kept : kept.filter((_, axis) => !axes.includes(axis)) } };
  },
  takesEpilogue: true,
  // What is in the batch with a sample is other each time.
  moves: ({ batch }: Reduction) => batch === true,
} as const;

/* @__NO_SIDE_EFFECTS__ */ const reduction = (name: string, mean: boolean): Op<"x", "y", Reduction> =>
  defineOp({
    name,
    ...overAxes,
    back({ x, dy }, { attributes, give, emit }) {
      give("x", () => {
        const kept = keptShape(x, attributes);
        const seen = attributes.keepDims === true ? dy : emit(reshape, { x: dy }, { shape: kept }).y;
        const batch = attributes.batch === true && kept[0] !== x.shape[0];
        return emit(spread, { x: seen }, { shape: x.shape, mean, batch }).y;
      });
    },
    kernel: sumKernel({ name, axes: axesOf, shares: true, mean }),
  });

/** The sum over `axes`. */
export const sum: Op<"x", "y", Reduction> = reduction("sum", false);

/** The mean over `axes`; over a batch, of the rows that are real. */
export const mean: Op<"x", "y", Reduction> = reduction("mean", true);

/** The way back: what came for a sum goes to each of its terms, and for a mean its share. With `batch` only to those of real samples. */
export const spread = defineOp({
  name: "spread",
  inputs: ["x"],
  outputs: ["y"],
  shape: (_, { shape }: { readonly shape: readonly number[]; readonly mean: boolean; readonly batch: boolean }) => ({
    y: { shape },
  }),
  kernel: moveKernel(
    "spread",
    ["x"],
    ({ tensors: { x, y } }) => [repeated(x!.shape, y!.shape)],
    ({ tensors: { x, y }, attributes: { mean, batch } }) => {
      const length = size(y!.shape);
      const terms = length / size(x!.shape);
      return {
        ...(mean === true && { share: `given / f32(${batch === true ? realOf(terms, y!) : `${terms}u`})` }),
        ...(batch === true && { real: realOf(length, y!) }),
      };
    },
  ),
  takesEpilogue: true,
});

/** Of x over axes; with dy, which has a number for each result, the gradient of x. */
const extremeKernel = /* @__NO_SIDE_EFFECTS__ */ (least: boolean): Kernel => ({
  name: "extreme",
  source: extremeSource,
  choose({ tensors, all, outputs, attributes, epilogue: steps, checked }) {
    const x = tensors.x as Tensor;
    const axes = axesOf(x, attributes);
    const isReduced = (axis: number): boolean => axes.includes(axis);
    const results = indexMap(
      x.shape,
      (axis) => !isReduced(axis),
      () => true,
    );
    const terms = indexMap(x.shape, isReduced, () => true);
    const isBatch = attributes.batch === true && isReduced(0);
    const columns = outputs[0]?.shape.at(-1) ?? 1;
    const end = epilogue(steps, all, { lanes: 1, columns, aligned: false });
    return {
      holes: {
        STEP: isBatch && !checked ? step : "",
        EPILOGUE: end.text,
        CHECK: checkPart(checked),
        GRADIENT: tensors.dy !== undefined,
        LEAST: least,
        RESULT: placeOf(results, "i"),
        TERM: placeOf(terms, "k"),
        COUNT: isBatch ? realOf(terms.count, x) : "TERMS",
      },
      constants: { RESULTS: results.count, TERMS: terms.count, COLUMNS: columns },
      tensors: { ...tensors, ...end.tensors },
      grid: threads(results.count),
      note: `${dims(x)}${end.note}`,
    };
  },
});

/** The way back of an extreme: what came for a result goes to the first term that is it. */
const extremeBackward = /* @__NO_SIDE_EFFECTS__ */ (name: string, least: boolean) =>
  defineOp({
    name,
    inputs: ["x", "dy"],
    outputs: ["dx"],
    shape: ({ x: { shape } }, _: Reduction) => ({ dx: { shape } }),
    kernel: extremeKernel(least),
  });

export const maxBackward = extremeBackward("maxBackward", false);

export const minBackward = extremeBackward("minBackward", true);

const extreme = /* @__NO_SIDE_EFFECTS__ */ (
  name: string,
  least: boolean,
  backward: ReturnType<typeof extremeBackward>,
): Op<"x", "y", Reduction> =>
  defineOp({
    name,
    ...overAxes,
    back: ({ x, dy }, { attributes, give, emit }) => give("x", () => emit(backward, { x, dy }, attributes).dx),
    kernel: extremeKernel(least),
  });

/** The largest over `axes`; of equal ones the first has the gradient, and NaN counts above all. */
export const max: Op<"x", "y", Reduction> = extreme("max", false, maxBackward);

/** The smallest over `axes`, in the same way. */
export const min: Op<"x", "y", Reduction> = extreme("min", true, minBackward);
