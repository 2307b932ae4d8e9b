// What the text of a product says once for each line or block of 4 x 4 of a thread's tile: as many variables and statements as the tile has.

import { each, type Holes } from "./kernel.ts";
import type { Tactic } from "./op.ts";

/** Rows and columns of a tile. */
export const sidesOf = ({ tile }: Tactic) => tile.split("x").map(Number) as [rows: number, columns: number];

const turned = (transposed: boolean): string => (transposed ? "transpose" : "");

/** The number of a line, or which of four neighbours loads it. */
type Which = number | "lane % 4";

/**
 * `adds`: where columns of B are added up, in sums, in parts of them, or not at all. `indexed`: whether rows of the tile are taken by a
 * variable index, which puts it into memory: fast and soon compiled where registers are memory. Else they are turned to the front.
 */
export function blocksOf(
  tactic: Tactic,
  { transposeA, transposeB }: { readonly transposeA: boolean; readonly transposeB: boolean },
  { adds, indexed }: { readonly adds: "sum" | "part" | ""; readonly indexed: boolean },
): Holes {
  const [rows, columns] = sidesOf(tactic).map((side) => side / 4) as [number, number];
  const { staging } = tactic;
  const across = staging === "quads across";
  const down = staging === "quads down";
  // What lines of four rows a quad has exchanged may stay in another order in each of its threads: a CPU adapter swaps in one instruction.
  const ownFirst = across && !transposeA;
  const names = [...Array(rows * columns).keys()].map((i) => `c${Math.floor(i / columns)}_${i % columns}`);
  const sums = (text: (i: number) => string): string => (adds === "" ? "" : each(columns, text));

  /** Four lines, all of which the thread loads by itself, or the four of a quad one each. */
  const four = (together: boolean, line: (which: Which) => string): string =>
    together ? `lines_of(${line("lane % 4")})` : `mat4x4f(${each(4, line, ", ")})`;
  /** Spots of A are those of its stored lines: rows, which stay, or terms, which come four at a time. */
  const spot = (row: number, which: Which): string => {
    const line = which === "lane % 4" ? 0 : which;
    return `s${transposeA ? line : across ? row : 4 * row + line}`;
  };
  const lineA = (row: number) => (which: Which) => `line_a(${spot(row, which)}, ${transposeA ? `t${row}` : "taps"})`;
  const lineB = (column: number) => (which: Which) =>
    transposeB
      ? `line_b(from_b, walk, n + ${4 * column} + ${which})`
      : `line_b(from_b, k + ${which}, n + ${4 * column})`;
  const [blockA, blockB] =
    staging === "workgroup"
      ? [() => "block_at(at * PITCH + lane / STEP)", () => "block_at((STEP + at) * PITCH + lane % STEP)"]
      : [(row: number) => four(across, lineA(row)), (column: number) => four(down, lineB(column))];

  const [first, next] = across ? ["line_at(m + lane % 4)", "walk_on(line)"] : ["line_at(m)", "walk_next(line)"];
  const [term, after] = across ? ["walk_a", "walk_on(walk_a)"] : ["next", "walk_next(next)"];
  const begin = across ? "" : "var next = walk;";
  /** All rows of the tile one place to the front; what then stands last is not asked for. */
  const turn = (i: number): string =>
    `${names[i]} = mat4x4f(${each(3, (row) => `${names[i]}[${row + 1}]`, ", ")}, ${names[i + 1] ?? names[i]}[0]);`;
  const ofRow = (row: number): string =>
    each(columns, (i) => `c${row}_${i} = add_product(c${row}_${i}, a${row}, b${i});`);
  return {
    IS_THERE: ["m < M", "n < N"].filter((_, i) => !(i === 0 ? down : across)).join(" && "),
    BLOCKS: each(names.length, (i) => `var ${names[i]} = mat4x4f();`) + sums((i) => `var sum${i} = vec4f();`),
    TAPS: each(rows, (i) => `let t${i} = taps_of(tap_at(m, m + ${4 * i}));`),
    SPOTS: `var line = ${first};${each(across ? rows : 4 * rows, (i) => `let s${i} = spot_at(from_a, line); line = ${next};`)}`,
    LINES_A: transposeA
      ? begin + each(across ? 1 : 4, (i) => `let s${i} = spot_at(from_a, ${term}); ${term} = ${after};`)
      : "let taps = taps_of(walk);",
    BLOCKS_B: each(columns, (i) => `let b${i} = ${turned(transposeB)}(${blockB(i)});`),
    PRODUCTS: each(rows, (i) => `let a${i} = ${turned(transposeA)}(${blockA(i)}); ${ofRow(i)}`),
    ADD_COLUMNS: sums((i) => `${adds}${i} += b${i}[0] + b${i}[1] + b${i}[2] + b${i}[3];`),
    PARTS: sums((i) => `var part${i} = vec4f();`),
    ADD_PARTS: sums((i) => `sum${i} += part${i};`),
    LINES_OF_QUAD: ownFirst
      ? `line, ${each(3, (i) => `quadSwap${["X", "Y", "Diagonal"][i]}(line)`, ", ")}`
      : each(4, (i) => `quadBroadcast(line, ${i})`, ", "),
    ROW_OF_BLOCK: ownFirst ? "(i ^ lane) % 4" : "i % 4",
    TILE: indexed ? `var tile = array<mat4x4f, ${names.length}>(${names.join(", ")});` : "",
    ROW: indexed ? "tile[i / 4][i % 4]" : "c0_0[0]",
    TURN: indexed ? "" : each(names.length, turn),
    STORE_SUMS: sums((i) => `store_sum(n + ${4 * i}, from_sum, sum${i});`),
  };
}
