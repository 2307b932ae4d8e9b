// What the kernels that are products of matrices share, matmul and the three convolutions: a text that works in tiles of registers, loaded
// by each thread or for a whole workgroup, after that of the kernel, which says where the numbers of A and B stand; or one by strips.

import tile from "../../shaders/product/tile.wgsl?raw";
import tiles from "../../shaders/product.wgsl?raw";
import { blocksOf, sidesOf } from "./block.ts";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { type Holes, inLines } from "./kernel.ts";
import type { Attributes, Choice, Kernel, Tactic, Work } from "./op.ts";
import { isByStrips, type Product, type Strips, tacticsFor, tilingFor } from "./tactic.ts";
import type { Tensor, Tensors } from "./tensor.ts";

/** Holes for how an operand is seen: as vectors or as single numbers. */
const loads = (operand: "A" | "B" | "C", vector: boolean): Holes => ({
  [operand]: vector ? "vec4f" : "f32",
  [`VECTOR_${operand}`]: vector,
});

/** Whether results are stored in fours, so that what comes before the end of the kernel can be kept in fours too. */
export const keepsInner = ({ groups = 1 }: Attributes, { shape }: Tensor): boolean =>
  ((shape.at(-1) as number) / Number(groups)) % 4 === 0;

/** What is added one by one: by strips all taps of a line under one channel before those under the next. */
const orderOf = (tactic: Tactic): string => (isByStrips(tactic) ? "taps" : "terms");

/** What a text has for each block of a thread's tile, and how the threads of a workgroup work together on that. */
function tileText(tactic: Tactic, product: Product, how: Parameters<typeof blocksOf>[2]): Holes {
  const { threads, shares, staging } = tactic;
  const staged = staging === "workgroup";
  const step = staged ? Math.sqrt(threads) : 4 * shares;
  return {
    ...{ DOWN: sidesOf(tactic)[0], SHARES: shares, SHARED: shares > 1, STAGED: staged },
    ...{ STEP: step, LINES: 2 * step * (step + 1) },
    ...{ TERMS: "K", STORED_ROW: "m" },
    ...product.holes,
    ...loads("A", product.rows[0] % 4 === 0),
    ...loads("B", product.rows[1] % 4 === 0),
    ...blocksOf(tactic, product, how),
  };
}

/**
 * The kernel of this name, whose own text stands before that of all products; `byStrips` is the text for strips. Sums may be cut into
 * attribute `splits` parts.
 */
/* @__NO_SIDE_EFFECTS__ */ export function productKernel(
  name: string,
  own: string,
  productOf: (work: Work<"a" | "b" | "c">) => Product,
  byStrips?: string,
): Kernel<"a" | "b" | "c" | "sum"> {
  const chosen = (work: Work<"a" | "b" | "c" | "sum">, tactic: Tactic): Choice => {
    const { device, tensors, all, outputs, epilogue: steps, checked, whole = false } = work;
    const product = productOf(work);
    const { M, N, K, transposeA, transposeB, groups, apart, line, constants, note } = product;
    const { a, b, c, sum } = tensors as Partial<typeof tensors> & Tensors<"a" | "b" | "c">;
    const { splits, shares } = tactic;
    const aligned = N % 4 === 0;
    const end = epilogue(steps, all, { lanes: 4, columns: line, aligned }, outputs);
    const { holes, grid, rows: held } = tilingFor(tactic, product, whole);
    const long = sum !== undefined && K > splits * shares * 1024;
    const strips = isByStrips(tactic);
    const adds = long ? "part" : sum === undefined ? "" : "sum";
    const text = strips
      ? (product.strips as Strips).textOf(tactic, adds)
      : tileText(tactic, product, { adds, indexed: device.software });
    return {
      ...(strips && { source: byStrips as string }),
      lines: product.holes?.STORED_ROW === undefined && held !== undefined ? held * N : undefined,
      holes: {
        ...holes,
        ...text,
        GROUP: groups === 1 ? "0u" : "id.z % GROUPS", // what is known to be 0 costs nothing in the loop
        EPILOGUE: end.text,
        CHECK: checkPart(checked, sum !== undefined),
        TRANSPOSE_A: transposeA,
        TRANSPOSE_B: transposeB,
        ...loads("C", aligned),
        COLUMN_SUM: sum !== undefined,
        LONG: long,
      },
      constants: {
        ...{ M, N, K, SPLITS: splits, GROUPS: groups, LINE: line },
        ...{ GROUP_A: apart[0], GROUP_B: apart[1], GROUP_C: apart[2] },
        ...constants,
      },
      tensors: { a, b, c, ...(sum && { sum }), ...end.tensors },
      grid,
      note: `${note}${splits > 1 ? ` in ${splits} parts` : ""}${sum === undefined ? "" : " +columnSum"}${end.note}`,
    };
  };
  return {
    name,
    source: inLines(tile, own, tiles),
    ...(byStrips !== undefined && { others: [byStrips] }),
    beside: true,
    lines: (work) => linesOf(work, productOf(work as Work<"a" | "b" | "c">)),
    choose: (work) => chosen(work, tacticsFor(work, productOf(work))[0]),
    // Each thread adds term by term: tiles and workgroups change nothing of it, parts and who shares them do.
    candidates: (work) =>
      tacticsFor(work, productOf(work)).map((tactic) => ({
        tactic,
        order: `${orderOf(tactic)} one by one in ${tactic.splits} parts of ${tactic.shares} threads`,
        choice: chosen(work, tactic),
      })),
  };
}

/** The most columns of rows that a workgroup makes whole: all tactics can, and a GPU still shares out the sums. */
const MOST_WHOLE = 64;

/** What a GPU would stage is not made whole by threads that load for themselves. */
function linesOf({ attributes }: Pick<Work, "attributes">, product: Product): number | undefined {
  const { N, groups, holes } = product;
  const isPlain = groups === 1 && Number(attributes.splits ?? 1) === 1 && holes?.STORED_ROW === undefined;
  const [plain, made] = [false, true].map(
    (whole) => tacticsFor({ device: { software: false }, attributes, whole }, product)[0],
  );
  return isPlain && N <= MOST_WHOLE && plain?.staging === made?.staging ? N : undefined;
}
