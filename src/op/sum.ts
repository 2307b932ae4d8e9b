// Sums: the kernel of all of them, those over rows and over the parts of a sum that was cut, and what gradients of repeated
// operands become.

import joined from "../../shaders/parts/joined.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import source from "../../shaders/sum.wgsl?raw";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { indexMap, placeOf } from "./index-map.ts";
import { fold, threads } from "./kernel.ts";
import type { Attributes, Kernel, RowSum, Way } from "./op.ts";
import { defineOp } from "./op.ts";
import { reshape } from "./reshape.ts";
import { dims, size, type Tensor, type Tensors } from "./tensor.ts";

/** What a kernel of sums is told of an op. */
interface Sums {
  readonly name: string;
  /** The axes of x that are summed. */
  readonly axes: (x: Tensor, attributes: Attributes) => readonly number[];
  /** Whether a workgroup may share a sum. */
  readonly shares?: boolean;
  /** Whether sums are divided by how many terms they have. */
  readonly mean?: boolean;
}

/** From so many terms on a workgroup shares a sum, where that reads neighbours or there are few sums. */
const SHARED = 256;
const FEW = 1024;

/**
 * Sums of x over axes, with attribute `splits` in parts one after the other. With attribute `batch` axis 0, where it is summed, counts
 * samples, and those beyond a short batch are left out. How terms are shared out goes by shapes alone, so all devices add in one order.
 */
export const sumKernel = /* @__NO_SIDE_EFFECTS__ */ ({
  name,
  axes: axesOf,
  shares = false,
  mean = false,
}: Sums): Kernel<"x" | "y"> => ({
  name,
  source,
  choose({ tensors: { x, y }, all, attributes, epilogue: steps, checked }) {
    const { splits = 1, batch = false } = attributes as { readonly splits?: number; readonly batch?: boolean };
    const axes = axesOf(x, attributes);
    const isSummed = (axis: number): boolean => axes.includes(axis);
    const anywhere = (): boolean => true;
    const results = indexMap(x.shape, (axis) => !isSummed(axis), anywhere);
    const terms = indexMap(x.shape, isSummed, anywhere);
    const isFast = terms.runs.at(-1)?.to === 1 || results.count < FEW;
    const isShared = shares && terms.count >= SHARED && isFast;
    const isBatch = batch && isSummed(0);
    const sums = splits * results.count;
    const end = epilogue(steps, all, { lanes: 1, columns: y.shape.at(-1) ?? 1, aligned: false });
    return {
      holes: {
        STEP: isBatch && !checked ? step : "",
        EPILOGUE: end.text,
        CHECK: checkPart(checked),
        JOINED: isShared ? joined : "fn joined(thread: u32, value: f32) -> f32 { return value; }",
        THREADS: isShared ? 64 : 1,
        RESULT: placeOf(results, "i"),
        TERM: placeOf(terms, "k"),
        COUNT: isBatch ? realOf(terms.count, x) : "TERMS",
        VALUE: mean ? "total / f32(terms)" : "total",
      },
      constants: { RESULTS: results.count, TERMS: terms.count, SPLITS: splits, COLUMNS: y.shape.at(-1) ?? 1 },
      tensors: { x, y, ...end.tensors },
      grid: isShared ? fold(sums) : threads(sums),
      note: `${dims(x)}${splits > 1 ? ` in ${splits} parts` : ""}${end.note}`,
    };
  },
});

/** How many of so many numbers belong to samples that are real, as WGSL; axis 0 of x counts the samples. */
export const realOf = (count: number, { shape: [samples = 1] }: Tensor): string =>
  `min(${count}u, step.count * ${count / samples}u)`;

/** Of a sum to y over all axes in front. */
const rowSums = ({ x, y }: Tensors<"x" | "y">): readonly RowSum[] => {
  const step = size(y.shape);
  return [{ x, y, first: 0, step, terms: size(x.shape) / step }];
};

/**
 * [..., N] -> [N]: the sum over everything but the last axis; the gradient of a bias. `shape` is what the N numbers are given as. With
 * `splits` > 1 [splits, N].
 */
export const columnSum = defineOp({
  name: "columnSum",
  inputs: ["x"],
  outputs: ["y"],
  shape: ({ x }, { splits = 1, shape }: { readonly splits?: number; readonly shape?: readonly number[] }) => ({
    y: { shape: [...(splits === 1 ? [] : [splits]), ...(shape ?? x.shape.slice(-1))] },
  }),
  kernel: sumKernel({ name: "column-sum", axes: ({ shape }) => [...shape.keys()].slice(0, -1) }),
  rowSums,
});

/** [S, ...] -> [...]: adds the partial results of a split sum, in the order of S. */
export const sumPartials = defineOp({
  name: "sumPartials",
  inputs: ["x"],
  outputs: ["y"],
  shape: ({ x }) => ({ y: { shape: x.shape.slice(1) } }),
  kernel: sumKernel({ name: "sum-partials", axes: () => [0] }),
  rowSums,
});

/** The sum over all of `axes`, as `shape`. */
export const sumOver = defineOp({
  name: "sumOver",
  inputs: ["x"],
  outputs: ["y"],
  shape: (_, { shape }: { readonly axes: readonly number[]; readonly shape: readonly number[] }) => ({ y: { shape } }),
  kernel: sumKernel({ name: "sum", axes: (_, { axes }) => axes as readonly number[], shares: true }),
  takesEpilogue: true,
});

/** The gradient of an operand of this shape, from that of a result in which it was repeated. */
export function sumTo(gradient: Tensor, shape: readonly number[], emit: Way["emit"]): Tensor {
  const from = gradient.shape;
  const seenAs = (x: Tensor, as: readonly number[]): Tensor =>
    String(x.shape) === String(as) ? x : emit(reshape, { x }, { shape: as }).y;
  const summed = [...from.keys()].filter((axis) => from[axis] !== (shape[axis - from.length + shape.length] ?? 1));
  if (summed.length === 0) return seenAs(gradient, shape);
  // The results have their shape at once, since the gradient of a weight is no view.
  // What stands in rows goes into the product beside it, or is cut where it is long.
  const columns = size(from.slice((summed.at(-1) as number) + 1));
  if (columns !== size(shape)) return emit(sumOver, { x: gradient }, { axes: summed, shape }).y;
  const rows = columns === from.at(-1) ? gradient : seenAs(gradient, [size(from) / columns, columns]);
  return emit(columnSum, { x: rows }, shape.length === 1 ? {} : { shape }).y;
}
