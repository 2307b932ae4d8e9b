// What the kernels that are products of matrices share, matmul and the three convolutions: one text, which works in tiles of
// registers, loaded by each thread or for a whole workgroup, after that of the kernel, which says where the numbers of A and B stand.

import text from "../../shaders/product.wgsl?raw";
import { blocksOf, sidesOf } from "./block.ts";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { type DeviceFacts, fold, type Grid, type Holes, inLines, MOST_GROUPS } from "./kernel.ts";
import type { Attributes, Choice, Kernel, Tactic, Work } from "./op.ts";
import { isBusy } from "./split.ts";
import type { Tensor, Tensors } from "./tensor.ts";

/** C [M, N] = A [M, K] B [K, N], each stored so or transposed, or several such products. */
export interface Product {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly groups: number;
  /** How many numbers there are from one group to the next in A, B and C: whole matrices, or columns beside columns. */
  readonly apart: readonly [a: number, b: number, c: number];
  /** From one row of C to the next, and of B where that is not transposed. */
  readonly line: number;
  /** Lengths of the stored rows of A and B within a group: vectors are loaded where these are multiples of 4. */
  readonly rows: readonly [a: number, b: number];
  /** Values of the kernel's own `override` declarations. */
  readonly constants: Readonly<Record<string, number>>;
  /** And of its own holes. */
  readonly holes?: Holes;
  readonly note: string;
}

/** Holes for how an operand is seen: as vectors or as single numbers. */
const loads = (operand: "A" | "B" | "C", vector: boolean): Holes => ({
  [operand]: vector ? "vec4f" : "f32",
  [`VECTOR_${operand}`]: vector,
});

/** Whether results are stored in fours, so that what comes before the end of the kernel can be kept in fours too. */
export const keepsInner = ({ groups = 1 }: Attributes, { shape }: Tensor): boolean =>
  ((shape.at(-1) as number) / Number(groups)) % 4 === 0;

/** The kernel of this name, whose own text stands before that of all products. Sums may be cut into attribute `splits` parts. */
/* @__NO_SIDE_EFFECTS__ */ export function productKernel(
  name: string,
  own: string,
  productOf: (work: Work<"a" | "b" | "c">) => Product,
): Kernel<"a" | "b" | "c" | "sum"> {
  const chosen = (work: Work<"a" | "b" | "c" | "sum">, tactic: Tactic): Choice => {
    const { device, tensors, all, outputs, epilogue: steps, checked, whole = false } = work;
    const product = productOf(work);
    const { M, N, K, transposeA, transposeB, groups, apart, line, rows, constants, note, ...more } = product;
    const { a, b, c, sum } = tensors as Partial<typeof tensors> & Tensors<"a" | "b" | "c">;
    const { splits, shares } = tactic;
    const aligned = N % 4 === 0;
    const end = epilogue(steps, all, { lanes: 4, columns: line, aligned }, outputs);
    const { holes, grid, rows: held } = tilingFor(tactic, M, N, groups * splits, whole);
    const long = sum !== undefined && K > splits * shares * 1024;
    return {
      lines: more.holes?.STORED_ROW === undefined && held !== undefined ? held * N : undefined,
      holes: {
        ...holes,
        ...{ TERMS: "K", STORED_ROW: "m" },
        ...more.holes,
        GROUP: groups === 1 ? "0u" : "id.z % GROUPS", // what is known to be 0 costs nothing in the loop
        EPILOGUE: end.text,
        CHECK: checkPart(checked, sum !== undefined),
        TRANSPOSE_A: transposeA,
        TRANSPOSE_B: transposeB,
        ...loads("A", rows[0] % 4 === 0),
        ...loads("B", rows[1] % 4 === 0),
        ...loads("C", aligned),
        COLUMN_SUM: sum !== undefined,
        LONG: long,
        ...blocksOf(tactic, product, {
          adds: long ? "part" : sum === undefined ? "" : "sum",
          indexed: device.software,
        }),
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
    source: inLines(own, text),
    beside: true,
    lines: (work) => linesOf(work, productOf(work as Work<"a" | "b" | "c">)),
    choose: (work) => chosen(work, tacticsFor(work, productOf(work))[0]),
    // Each thread adds term by term: tiles and workgroups change nothing of it, parts and who shares them do.
    candidates: (work) =>
      tacticsFor(work, productOf(work)).map((tactic) => ({
        tactic,
        order: `terms one by one in ${tactic.splits} parts of ${tactic.shares} threads`,
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

/** Terms of all sums from which on a CPU adapter is faster with large tiles by more than it takes longer to compile them. */
const MANY_TERMS = 2 ** 16;
/** And from which on with very large ones. */
const MOST_TERMS = 2 ** 22;

/**
 * On a CPU adapter arithmetic in registers is nearly free, and each number that is loaded takes as long as dozens of sums, also where all
 * threads load the same. So tiles are large, where there is much work, and four threads load what they share together if they can. On a
 * GPU 4 x 4 tiles, since it needs many threads to hide its memory's latency.
 *
 * A GPU stages what fills two thirds of the results of its workgroups and leaves it busy: 8 x 8 threads with sums in steps of 8 did best on
 * average of four GPUs, and 16 x 16 in steps of 16 on an M4 Pro, where there are as many threads as so many small groups have. Each loads
 * an eighth or a sixteenth of what its registers would.
 */
function tacticsFor(
  { device, attributes, whole = false }: Pick<Work, "device" | "attributes" | "whole">,
  product: Product,
): readonly [Tactic, ...Tactic[]] {
  const { splits = 1 } = attributes as { readonly splits?: number };
  const { M, N, K, groups, holes } = product;
  const tactic = (
    tile: Tactic["tile"],
    threads: Tactic["threads"],
    staging: Tactic["staging"] = "registers",
  ): Tactic => ({ tile, threads, shares: 1, splits, staging });
  const [cpu, gpu, ...others] = [tactic("8x8", 16), tactic("4x4", 64), tactic("8x8", 64), tactic("4x4", 16)] as const;
  const staged =
    device.software || holes?.STRIDED ? [] : ([256, 64] as const).map((threads) => tactic("4x4", threads, "workgroup"));
  const terms = M * N * K * groups;
  const isWhole = (one: Tactic): boolean => !whole || tilingFor(one, M, N, groups * splits, true).rows !== undefined;
  const quads = quadsFor(device, product)
    .map(([staging, tile]) => tactic(tile, device.software ? (whole && N > 32 ? 8 : 4) : 64, staging))
    .filter(isWhole);
  const fits = (one: Tactic): boolean => {
    const workgroups = workgroupsOf(one, product, whole);
    const results = M * N * groups;
    const isFull = 3 * results * splits >= 2 * 16 * one.threads * workgroups;
    return K > 8 && isFull && isWhole(one) && isBusy((workgroups * 64) / one.threads, 64, results, K);
  };
  const first = device.software
    ? terms < MANY_TERMS
      ? gpu
      : cheapest([cpu, ...quads.filter((one) => terms >= MOST_TERMS || sidesOf(one)[0] <= 16)], product, whole)
    : (staged.find(fits) ?? shared(gpu, product, whole));
  return [first, ...[gpu, cpu, ...others, ...quads, ...staged].filter((one) => one !== first && isWhole(one))];
}

/** Tiles of which four threads load one operand together. With a stride rows of one class of pixels stand beside those of another in eights. */
const quadsFor = (
  { quads, software }: DeviceFacts,
  { holes }: Product,
): readonly (readonly [Tactic["staging"], Tactic["tile"]])[] => {
  if (!quads) return [];
  if (!software || holes?.STRIDED) return [["quads across", "8x8"]];
  return [
    ...(["8x8", "16x8", "16x4", "24x4", "32x8", "32x4"] as const).map((tile) => ["quads across", tile] as const),
    ...(["8x8", "16x8", "8x12"] as const).map((tile) => ["quads down", tile] as const),
  ];
};

/** Workgroups that a CPU adapter runs at once. */
const CORES = 2;

/** The one whose threads take the least time: in loads of one number each, of which a sum of products takes a sixteenth. */
function cheapest(tactics: readonly Tactic[], product: Product, whole: boolean): Tactic {
  const costOf = (one: Tactic): number => {
    const [rows, columns] = sidesOf(one);
    const loads =
      one.staging === "quads across" ? rows / 4 + columns : rows + columns / (one.staging === "registers" ? 1 : 4);
    return Math.ceil(workgroupsOf(one, product, whole) / CORES) * one.threads * (loads + (rows * columns) / 16);
  };
  return tactics.reduce((best, one) => (costOf(one) < costOf(best) ? one : best));
}

const workgroupsOf = (tactic: Tactic, { M, N, groups }: Product, whole: boolean): number =>
  tilingFor(tactic, M, N, groups * tactic.splits, whole).grid.reduce((a, b) => a * b);

/** Terms that a thread of a GPU adds up by itself, where it loads them by itself too. */
const MOST_ALONE = 1024;

/** The same with as many threads for each sum of a tile as keep a GPU busy, a power of 2. Each has four terms at least. */
function shared(tactic: Tactic, product: Product, whole: boolean): Tactic {
  const { threads, splits, shares } = tactic;
  const { M, N, K, groups } = product;
  const terms = K / splits / shares;
  const isEnough = terms <= MOST_ALONE && isBusy(workgroupsOf(tactic, product, whole), threads, M * N * groups, K);
  const more = { ...tactic, shares: shares * 2 };
  const isMost = shares >= threads || terms <= 4 || (whole && tilingFor(more, M, N, 1, true).rows === undefined);
  return isEnough || isMost ? tactic : shared(more, product, whole);
}

/**
 * Tiles for results of rows x columns, as many as there are groups and parts of their sums.
 *
 * The shape of a workgroup is a square where it stages, else the one that leaves the fewest threads without work: they would still
 * take their place in the vector units.
 *
 * Where an axis has more groups than WebGPU allows, all are counted as one and folded anew; `place_of` takes that back.
 *
 * `whole`: a workgroup is as wide as the result, if it can be. `rows`: so many it makes whole then, or anyway.
 */
function tilingFor(
  tactic: Tactic,
  rows: number,
  columns: number,
  results: number,
  whole = false,
): { readonly holes: Holes; readonly grid: Grid; readonly rows: number | undefined } {
  const { threads, shares, staging } = tactic;
  const [tall, wide] = sidesOf(tactic);
  const slots = threads / shares;
  const tiles = [Math.ceil(columns / wide), Math.ceil(rows / tall), results] as const;
  const staged = staging === "workgroup";
  const step = staged ? Math.sqrt(threads) : 4 * shares;
  // Of four neighbours all stand in one row, or in one column of one product.
  const [least, most, deepest] =
    staging === "quads across" ? [4, 8, slots] : staging === "quads down" ? [1, 1, slots / 4] : [1, 8, slots];
  const x = staged ? step : Math.min(whole ? slots : most, slots, Math.max(least, 2 ** Math.ceil(Math.log2(tiles[0]))));
  let best = { y: slots / x, z: 1, taken: staged ? 0 : Number.POSITIVE_INFINITY };
  for (let z = 1; z * x <= deepest; z *= 2) {
    const y = slots / x / z;
    const taken = Math.ceil(tiles[1] / y) * y * Math.ceil(results / z) * z;
    if (taken < best.taken) best = { y, z, taken };
  }
  const { y, z } = best;
  const [across, down, deep] = [Math.ceil(tiles[0] / x), Math.ceil(tiles[1] / y), Math.ceil(results / z)];
  const folded = Math.max(across, down, deep) > MOST_GROUPS;
  const grid = folded ? fold(across * down * deep) : ([across, down, deep] as const);
  const at = `workgroup.y * ${grid[0]}u + workgroup.x`;
  const place = folded
    ? `let at = ${at}; return vec3u(at % ${across}u, at / ${across}u % ${down}u, at / ${across * down}u)`
    : "return workgroup";
  return {
    rows: across === 1 && results === 1 && !folded ? y * tall : undefined,
    holes: {
      PLACE: place,
      DOWN: tall,
      ACROSS: wide,
      THREADS: threads,
      SHARES: shares,
      SHARED: shares > 1,
      STAGED: staged,
      QUADS: staging.startsWith("quads"),
      STEP: step,
      LINES: 2 * step * (step + 1),
      WORKGROUP_X: x,
      WORKGROUP_Y: y,
      WORKGROUP_Z: z,
    },
    grid,
  };
}
