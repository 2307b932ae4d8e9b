// Matrix product, in three forms of loading and two tile sizes.

import source from "../../shaders/matmul.wgsl?raw";
import { checkBindings, checkPart } from "./check.ts";
import { epilogue, operandBindings } from "./epilogue.ts";
import { dims, type Kernel } from "./kernel.ts";
import { tilingFor } from "./tile.ts";

const bindings = {
  a: "read",
  b: "read",
  c: "readWrite",
  sum: "readWrite",
  ...operandBindings,
  ...checkBindings,
} as const;

export const matmul: Kernel = {
  name: "matmul",
  source,
  bindings,
  step: false,
  choose({ inputs, outputs, attributes, epilogue: steps, device, checked = false }) {
    const [a, b] = inputs as [(typeof inputs)[0], (typeof inputs)[0]];
    const [c, sum] = outputs as [(typeof outputs)[0], (typeof outputs)[0]?];
    const transposeA = attributes.transposeA === true;
    const transposeB = attributes.transposeB === true;
    const splits = (attributes.splits as number | undefined) ?? 1;
    const [M, K] = (transposeA ? [a.shape[1], a.shape[0]] : a.shape) as [number, number];
    const N = b.shape[transposeB ? 0 : 1] as number;
    const aligned = N % 4 === 0;
    const end = epilogue(steps, inputs, { lanes: 4, firstBinding: 4, columns: N, aligned });
    const tiling = tilingFor(device, M, N, splits);
    return {
      holes: {
        ...tiling.holes,
        EPILOGUE: end.text,
        CHECK: checkPart(bindings, checked, sum !== undefined),
        TRANSPOSE_A: transposeA,
        TRANSPOSE_B: transposeB,
        VECTOR_A: (a.shape[1] as number) % 4 === 0,
        VECTOR_B: (b.shape[1] as number) % 4 === 0,
        VECTOR_C: aligned,
        COLUMN_SUM: sum !== undefined,
      },
      constants: { M, N, K, SPLITS: splits },
      tensors: { a, b, c, ...(sum === undefined ? {} : { sum }), ...end.tensors },
      grid: tiling.grid,
      note:
        `${dims(a)}${transposeA ? "^T" : ""} x ${dims(b)}${transposeB ? "^T" : ""}` +
        `${splits > 1 ? ` in ${splits} parts` : ""}${sum === undefined ? "" : " +columnSum"}${end.note}`,
    };
  },
};
