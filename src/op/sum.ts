// Sums over rows, and over the parts of a sum that was cut.

import source from "../../shaders/column-sum.wgsl?raw";
import { checkPart } from "./check.ts";
import { defineElementwise } from "./elementwise.ts";
import { threads } from "./kernel.ts";
import type { Kernel } from "./op.ts";
import { defineOp } from "./op.ts";
import { dims, size } from "./tensor.ts";

/** Sums over rows, in parts where `splits` says so; to add up parts is the same with each part for a row. */
const sumOver = /* @__NO_SIDE_EFFECTS__ */ (name: string): Kernel<"x" | "y"> => ({
  name,
  source,
  choose({ tensors: { x, y }, attributes, checked }) {
    const splits = (attributes.splits as number | undefined) ?? 1;
    const sums = size(y.shape);
    const columns = sums / splits;
    return {
      holes: { CHECK: checkPart(checked) },
      constants: { ROWS: size(x.shape) / columns, COLUMNS: columns, SPLITS: splits },
      grid: threads(sums),
      note: `${dims(x)}${splits > 1 ? ` in ${splits} parts` : ""}`,
    };
  },
});

/** [..., N] -> [N]: the sum over everything but the last axis; the gradient of a bias. With `splits` > 1 [splits, N]. */
export const columnSum = defineOp({
  name: "columnSum",
  inputs: ["x"],
  outputs: ["y"],
  shape: ({ x }, { splits = 1 }: { readonly splits?: number }) => ({
    y: { shape: [...(splits === 1 ? [] : [splits]), x.shape.at(-1) as number] },
  }),
  kernel: sumOver("column-sum"),
});

/** [S, ...] -> [...]: adds the partial results of a split sum, in the order of S. */
export const sumPartials = defineOp({
  name: "sumPartials",
  inputs: ["x"],
  outputs: ["y"],
  shape: ({ x }) => ({ y: { shape: x.shape.slice(1) } }),
  kernel: sumOver("sum-partials"),
});

/** x + b with one b for each entry of the last axis. */
export const bias = defineElementwise({
  name: "bias",
  inputs: ["x", "b"],
  last: ["b"],
  expression: "x + b",
  back({ dz }, { give, emit }) {
    give("x", () => dz!);
    give("b", () => emit(columnSum, { x: dz! }).y);
  },
});
