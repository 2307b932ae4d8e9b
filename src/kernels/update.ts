// The optimizer update: one dispatch over all blocks of the arenas, whatever the number of layers and rates.

import adamSource from "../../shaders/adam.wgsl?raw";
import update from "../../shaders/parts/update.wgsl?raw";
import sgdSource from "../../shaders/sgd.wgsl?raw";
import { type Access, fold, type Grid, type Holes } from "./kernel.ts";

/** Rows of 16 bytes that fit the 64 KiB which every device allows a uniform; beyond that the table is storage. */
export const MOST_UNIFORM_ROWS = 4096;

/** Arenas of the update, in the order of their bindings. */
const arenas = { metrics: "read", rows: "read", gradients: "read", parameters: "readWrite" } as const;

const sgd = {
  name: "sgd",
  source: sgdSource,
  bindings: { ...arenas, moment1: "readWrite" },
} as const;

const adam = {
  name: "adam",
  source: adamSource,
  bindings: { ...arenas, moment1: "readWrite", moment2: "readWrite" },
} as const;

export const updateKernels = { sgd, adam };

/** An update rule as an optimizer describes it: the variant of a shader and its numbers. */
export interface UpdateRule {
  readonly kernel: keyof typeof updateKernels;
  /** The rule's name for people: "sgd", "adam", "adamw". */
  readonly name: string;
  readonly variant: Readonly<Record<string, boolean>>;
  readonly constants: Readonly<Record<string, number>>;
  /** Arenas of state: none, moment1, or both. */
  readonly moments: readonly ("moment1" | "moment2")[];
}

export interface UpdateChoice {
  readonly name: string;
  readonly source: string;
  readonly bindings: Readonly<Record<string, Access>>;
  readonly holes: Holes;
  readonly constants: Readonly<Record<string, number>>;
  /** Names of the arenas that this variant binds. */
  readonly arenas: readonly string[];
  readonly grid: Grid;
}

export function chooseUpdate(rule: UpdateRule, blocks: number, rows: number): UpdateChoice {
  const kernel = updateKernels[rule.kernel];
  return {
    name: kernel.name,
    source: kernel.source,
    bindings: kernel.bindings,
    holes: { ...rule.variant, UPDATE: update, ROWS: rows, TABLE_IN_UNIFORM: rows <= MOST_UNIFORM_ROWS },
    constants: { ...rule.constants, BLOCKS: blocks },
    arenas: [...Object.keys(arenas), ...rule.moments],
    grid: fold(blocks),
  };
}
