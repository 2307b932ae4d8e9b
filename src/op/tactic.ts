// How a product is run: the tactics that fit it, of which the first is what is taken, and the grid that each needs.

import { sidesOf } from "./block.ts";
import { type DeviceFacts, fold, type Grid, type Holes, MOST_GROUPS } from "./kernel.ts";
import type { Tactic, Work } from "./op.ts";
import { isBusy } from "./split.ts";

/** Another way to run a product, whose threads make strips of its results. */
export interface Strips {
  /** All that fit, in equal order of terms. */
  tactics(device: DeviceFacts, splits: number): readonly Tactic[];
  /** How many strips there are. */
  countOf(tactic: Tactic): number;
  /** What a thread takes, in loads of one number. */
  costOf(tactic: Tactic): number;
  /** Holes of the text; columns of B are added up in sums, in parts of them, or not at all. */
  textOf(tactic: Tactic, adds: "sum" | "part" | ""): Holes;
}

export const isByStrips = ({ staging }: Pick<Tactic, "staging">): boolean => staging.endsWith("strips");

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
  /** The same by strips, where it is a convolution. */
  readonly strips?: Strips | undefined;
  readonly note: string;
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
export function tacticsFor(
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
  const isWhole = (one: Tactic): boolean => !whole || tilingFor(one, product, true).rows !== undefined;
  const quads = quadsFor(device, product)
    .map(([staging, tile]) => tactic(tile, device.software ? (whole && N > 32 ? 8 : 4) : 64, staging))
    .filter(isWhole);
  const fits = (one: Tactic): boolean => {
    const workgroups = workgroupsOf(one, product, whole);
    const results = M * N * groups;
    const isFull = 3 * results * splits >= 2 * 16 * one.threads * workgroups;
    return K > 8 && isFull && isWhole(one) && isBusy((workgroups * 64) / one.threads, 64, results, K);
  };
  const strips = whole ? [] : (product.strips?.tactics(device, splits) ?? []);
  const large = [cpu, ...quads.filter((one) => terms >= MOST_TERMS || sidesOf(one)[0] <= 16), ...strips];
  const first = device.software
    ? terms < MANY_TERMS
      ? gpu
      : cheapest(large, product, whole)
    : (staged.find(fits) ?? shared(gpu, product, whole));
  const all = [gpu, cpu, ...others, ...quads, ...staged, ...strips];
  return [first, ...all.filter((one) => one !== first && isWhole(one))];
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

/** How many times longer a line of images under taps takes than one of a matrix: where it lies, and whether, is reckoned for each. */
const UNDER_TAPS = 2.5;

/** Workgroups that a CPU adapter runs at once. */
const CORES = 2;

/** The one whose threads take the least time: in loads of one number each, of which a sum of products takes a sixteenth. */
function cheapest(tactics: readonly Tactic[], product: Product, whole: boolean): Tactic {
  const costOfTile = (one: Tactic): number => {
    const [rows, columns] = sidesOf(one);
    const lines = (one.staging === "quads across" ? rows / 4 : rows) * (product.strips === undefined ? 1 : UNDER_TAPS);
    const loads = lines + (one.staging === "quads down" ? columns / 4 : columns);
    return (Math.ceil(product.K / 4) * 4 * (loads + (rows * columns) / 16)) / one.splits;
  };
  const costOf = (one: Tactic): number =>
    Math.ceil(workgroupsOf(one, product, whole) / CORES) *
    one.threads *
    (isByStrips(one) ? (product.strips as Strips).costOf(one) : costOfTile(one));
  return tactics.reduce((best, one) => (costOf(one) < costOf(best) ? one : best));
}

const workgroupsOf = (tactic: Tactic, product: Product, whole: boolean): number =>
  tilingFor(tactic, product, whole).grid.reduce((a, b) => a * b);

/** Terms that a thread of a GPU adds up by itself, where it loads them by itself too. */
const MOST_ALONE = 1024;

/** The same with as many threads for each sum of a tile as keep a GPU busy, a power of 2. Each has four terms at least. */
function shared(tactic: Tactic, product: Product, whole: boolean): Tactic {
  const { threads, splits, shares } = tactic;
  const { M, N, K, groups } = product;
  const terms = K / splits / shares;
  const isEnough = terms <= MOST_ALONE && isBusy(workgroupsOf(tactic, product, whole), threads, M * N * groups, K);
  const more = { ...tactic, shares: shares * 2 };
  const isMost = shares >= threads || terms <= 4 || (whole && tilingFor(more, product, true).rows === undefined);
  return isEnough || isMost ? tactic : shared(more, product, whole);
}

/**
 * Tiles or strips for the results of a product, as many as there are groups and parts of their sums.
 *
 * The shape of a workgroup is a square where it stages, else the one that leaves the fewest threads without work: they would still
 * take their place in the vector units.
 *
 * Where an axis has more groups than WebGPU allows, all are counted as one and folded anew; `place_of` takes that back.
 *
 * `whole`: a workgroup is as wide as the result, if it can be. `rows`: so many it makes whole then, or anyway.
 */
export function tilingFor(
  tactic: Tactic,
  { M, N, groups, strips }: Product,
  whole = false,
): { readonly holes: Holes; readonly grid: Grid; readonly rows: number | undefined } {
  const { threads, shares, staging } = tactic;
  const [tall, wide] = sidesOf(tactic);
  const slots = threads / shares;
  const byStrips = isByStrips(tactic);
  const results = groups * tactic.splits;
  const down = byStrips ? (strips as Strips).countOf(tactic) : Math.ceil(M / tall);
  const tiles = [Math.ceil(N / wide), down, results] as const;
  const staged = staging === "workgroup";
  // Of four neighbours all stand in one row, or in one column of one product.
  const [least, most, deepest] =
    staging === "quads across" ? [4, 8, slots] : isInQuads(tactic) ? [1, 1, slots / 4] : [1, 8, slots];
  const x = staged
    ? Math.sqrt(slots)
    : Math.min(whole ? slots : most, slots, Math.max(least, 2 ** Math.ceil(Math.log2(tiles[0]))));
  let best = { y: slots / x, z: 1, taken: staged ? 0 : Number.POSITIVE_INFINITY };
  for (let z = 1; z * x <= deepest; z *= 2) {
    const y = slots / x / z;
    const taken = Math.ceil(tiles[1] / y) * y * Math.ceil(results / z) * z;
    if (taken < best.taken) best = { y, z, taken };
  }
  const { y, z } = best;
  const sides = [Math.ceil(tiles[0] / x), Math.ceil(tiles[1] / y), Math.ceil(results / z)] as const;
  const folded = Math.max(...sides) > MOST_GROUPS;
  const grid = folded ? fold(sides.reduce((a, b) => a * b)) : sides;
  const at = `workgroup.y * ${grid[0]}u + workgroup.x`;
  const place = folded
    ? `let at = ${at}; return vec3u(at % ${sides[0]}u, at / ${sides[0]}u % ${sides[1]}u, at / ${sides[0] * sides[1]}u)`
    : "return workgroup";
  return {
    rows: sides[0] === 1 && results === 1 && !folded && !byStrips ? y * tall : undefined,
    holes: {
      PLACE: place,
      ACROSS: wide,
      THREADS: threads,
      QUADS: isInQuads(tactic),
      WORKGROUP_X: x,
      WORKGROUP_Y: y,
      WORKGROUP_Z: z,
    },
    grid,
  };
}

const isInQuads = ({ staging }: Tactic): boolean => staging.startsWith("quads");
