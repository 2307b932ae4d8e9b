// The optimizer update: one dispatch over all blocks of the arenas, whatever the number of layers, rates and rules. A rule
// brings the text of its formula; the rules of a trainer stand side by side in one shader, each under its own number.

import arena from "../../shaders/parts/arena.wgsl?raw";
import shared from "../../shaders/parts/rule.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import update from "../../shaders/update.wgsl?raw";
import { fold, type Grid, type Holes, inLines, scoped } from "../op/kernel.ts";

/** Rows of 16 bytes that fit the 64 KiB which every device allows a uniform; beyond that the table is storage. */
export const MOST_UNIFORM_ROWS = 4096;

export const moments = ["moment1", "moment2", "moment3"] as const;

/** Name of an arena that holds what a rule remembers of each number. */
export type Moment = (typeof moments)[number];

/** How the ratio of a tensor's norms scales its step: R = coefficient |p| / (|u| + |p| decay + eps). */
export interface Trust {
  readonly kind: "lars" | "lamb";
  readonly coefficient: number;
  readonly eps: number;
  /** The pass that finds the ratios of all rules that have one. */
  choose(rules: readonly UpdateRule[], rows: number): Pass;
}

/** An update rule as an optimizer brings it along: a formula, its variant and its numbers. */
export interface UpdateRule {
  /** What commands are called by: the name of the formula. */
  readonly kernel: string;
  /** The formula, after the parts that it calls. Their own names and constants are holes; see `ruleUnder`. */
  readonly texts: readonly string[];
  /** The rule's name for people: "sgd", "adam", "adamw". */
  readonly name: string;
  readonly variant: Readonly<Record<string, boolean>>;
  readonly constants: Readonly<Record<string, number>>;
  /** Arenas of state that this variant keeps. */
  readonly moments: readonly Moment[];
  /** Those of which a root is taken, or by which is divided: no number of them is below 0. Default: none. */
  readonly rooted?: readonly Moment[];
  /** What moment1 starts from. Default 0. */
  readonly initial?: number;
  /** The numbers of a row that are in proportion to the rate. Default "x". */
  readonly rateFields?: string;
  /** The constant that a momentum schedule may move. */
  readonly momentum?: "MOMENTUM" | "BETA1";
  readonly trust?: Trust;
  /** Whether the text says where its last update went. */
  readonly directed?: boolean;
}

/** What the passes over the blocks have in common. */
export interface BlockOptions {
  readonly rules: readonly UpdateRule[];
  readonly blocks: number;
  readonly rows: number;
  /** The table is what the controllers made of the host's. */
  readonly controlled: boolean;
  /** Gradients are clipped to this value. */
  readonly clamp: number | undefined;
  /** Gradients are clipped by a factor that the controllers found. */
  readonly scaled: boolean;
  /** Momentum comes with the step. */
  readonly momentum: boolean;
  /** The arena of the gradients. */
  readonly gradients: string;
  /** A CPU does the work: a workgroup costs much, a thread something, and a barrier more, so blocks share a workgroup and have few threads each. */
  readonly software: boolean;
}

/** The grid of a pass over blocks, several of which may share a workgroup. */
export const blockGrid = (blocks: number, perWorkgroup: number): Grid => fold(Math.ceil(blocks / perWorkgroup));

/** A kernel that works on arenas and rows instead of the tensors of a node. */
export interface Pass {
  readonly name: string;
  readonly source: string;
  readonly holes: Holes;
  readonly constants: Readonly<Record<string, number>>;
  /** The arenas behind bindings of another name. */
  readonly arenas?: Readonly<Record<string, string>>;
  readonly grid: Grid;
  /** Of a pass over blocks: how many. */
  readonly blocks?: number;
}

/** The update. `measured`: it leaves the squared length of each block's step in the arena "moved". */
export function chooseUpdate(options: BlockOptions, measured: boolean): Pass {
  const { rules: used, controlled, rows } = options;
  const serial = measured && options.software;
  const threads = serial ? 1 : !measured && options.software ? 4 : 64;
  const pass = blockPass(options, "update", controlled ? tableIn(rows, 9) : tableOfStep(rows));
  return {
    name: used.map(({ kernel }) => kernel).join("+"),
    source: inLines(update, pass.source),
    holes: {
      ...pass.holes,
      HALTING: !controlled,
      MEASURED: measured,
      SERIAL: serial,
      SHARED: threads < 64,
      THREADS: threads,
    },
    constants: pass.constants,
    arenas: { ...pass.arenas, table: "effective" },
    grid: blockGrid(options.blocks, 64 / threads),
    blocks: options.blocks,
  };
}

const space = (rows: number): string => (rows <= MOST_UNIFORM_ROWS ? "uniform" : "storage, read");

/** Declares the layer table as the host wrote it: a part of the ring of steps. */
export const tableOfStep = (rows: number): string =>
  `@group(1) @binding(1) var<${space(rows)}> table: array<vec4f, ${rows}>;`;

/** Declares the layer table as the controllers left it. */
export const tableIn = (rows: number, binding: number): string =>
  `@group(0) @binding(${binding}) var<${space(rows)}> table: array<vec4f, ${rows}>;`;

/**
 * What a pass over the blocks needs of the rules: their texts, arenas and constants. `call` is the function of theirs that it
 * calls, where `calls` says so.
 */
export function blockPass(
  options: BlockOptions,
  call: "update" | "direction",
  table: string,
  calls: (rule: UpdateRule) => boolean = () => true,
) {
  const { rules: all, blocks, clamp, scaled, momentum } = options;
  const used = [...all.entries()].filter(([, rule]) => calls(rule));
  const kept = moments.filter((moment) => used.some(([, rule]) => rule.moments.includes(moment)));
  const texts = used.map(([i, rule]) => ruleUnder(rule, i, momentum));
  const [result, back, rest] = call === "update" ? ["", "", ""] : [" -> vec4f", "return ", "return vec4f(); "];
  const cases = used.map(([i]) => `case ${i}: { ${back}${call}_${i}(at, row); }`).join(" ");
  const dispatch = `fn ${call}(rule: u32, at: u32, row: vec4f)${result} { switch rule { ${cases} default: {} } ${rest}}`;
  return {
    source: inLines(arena, ...texts.map(({ text }) => text), ...(momentum ? [step] : []), dispatch),
    holes: Object.assign(
      { BLOCKS: blocks, TABLE: table, SCALED: scaled, CLAMPED: clamp !== undefined },
      ...moments.map((moment) => ({ [moment.toUpperCase()]: kept.includes(moment) })),
      ...texts.map(({ holes }) => holes),
    ) as Holes,
    constants: Object.assign(
      clamp === undefined ? {} : { CLAMP: clamp },
      ...texts.map(({ constants }) => constants),
    ) as Record<string, number>,
    arenas: { gradients: options.gradients },
  };
}

/**
 * A rule under its number. Its texts name what is theirs by holes: `N`, the number, ends the name of each function, and a
 * constant is the name of an `override`, or where momentum is a matter of the step, what is taken from there.
 */
function ruleUnder({ texts, variant, constants, momentum }: UpdateRule, number: number, scheduled: boolean) {
  const fromStep: Readonly<Record<string, string>> =
    scheduled && momentum !== undefined ? { [momentum]: "step.momentum", [`ONE_MINUS_${momentum}`]: "step.rest" } : {};
  const own = (name: string): string => `${name}_${number}`;
  const kept = Object.entries(constants).filter(([name]) => !(name in fromStep));
  const named = Object.keys(constants).map((name) => [own(name), fromStep[name] ?? own(name)]);
  return {
    text: inLines(
      ...kept.map(([name]) => `override ${own(name)}: f32;`),
      ...[shared, ...texts].map((text) => scoped(text, number)),
    ),
    holes: {
      [own("N")]: number,
      ...Object.fromEntries(named),
      ...Object.fromEntries(Object.entries(variant).map(([name, value]) => [own(name), value])),
    },
    constants: Object.fromEntries(kept.map(([name, value]) => [own(name), value])),
  };
}
