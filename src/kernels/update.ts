// The optimizer update: one dispatch over all blocks of the arenas, whatever the number of layers and rates. One shader a
// rule; what they share stands in shaders/parts/update.wgsl.

import adadelta from "../../shaders/adadelta.wgsl?raw";
import adagrad from "../../shaders/adagrad.wgsl?raw";
import adam from "../../shaders/adam.wgsl?raw";
import adamax from "../../shaders/adamax.wgsl?raw";
import lion from "../../shaders/lion.wgsl?raw";
import nadam from "../../shaders/nadam.wgsl?raw";
import update from "../../shaders/parts/update.wgsl?raw";
import radam from "../../shaders/radam.wgsl?raw";
import rmsprop from "../../shaders/rmsprop.wgsl?raw";
import sgd from "../../shaders/sgd.wgsl?raw";
import { type Access, fold, type Grid, type Holes } from "./kernel.ts";

/** Rows of 16 bytes that fit the 64 KiB which every device allows a uniform; beyond that the table is storage. */
export const MOST_UNIFORM_ROWS = 4096;

/** Arenas of the update, in the order of their bindings; the rule's own follow. */
const arenas = { metrics: "read", rows: "read", gradients: "read", parameters: "readWrite" } as const;
const state = { moment1: "readWrite", moment2: "readWrite", moment3: "readWrite" } as const;

/** Name of an arena that holds what a rule remembers of each number. */
export type Moment = keyof typeof state;

interface UpdateKernel {
  readonly name: string;
  readonly source: string;
  readonly bindings: Readonly<Record<string, Access>>;
}

const kernel = (name: string, source: string): UpdateKernel => ({ name, source, bindings: { ...arenas, ...state } });

export const updateKernels = {
  sgd: kernel("sgd", sgd),
  adam: kernel("adam", adam),
  adagrad: kernel("adagrad", adagrad),
  adadelta: kernel("adadelta", adadelta),
  rmsprop: kernel("rmsprop", rmsprop),
  adamax: kernel("adamax", adamax),
  nadam: kernel("nadam", nadam),
  radam: kernel("radam", radam),
  lion: kernel("lion", lion),
};

export type UpdateName = keyof typeof updateKernels;

/** An update rule as an optimizer describes it: the variant of a shader and its numbers. */
export interface UpdateRule {
  readonly kernel: UpdateName;
  /** The rule's name for people: "sgd", "adam", "adamw". */
  readonly name: string;
  readonly variant: Readonly<Record<string, boolean>>;
  readonly constants: Readonly<Record<string, number>>;
  /** Arenas of state that this variant keeps. */
  readonly moments: readonly Moment[];
  /** What moment1 starts from. Default 0. */
  readonly initial?: number;
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
  const { name, source, bindings } = updateKernels[rule.kernel];
  const space = rows <= MOST_UNIFORM_ROWS ? "uniform" : "storage, read";
  const table = `@group(1) @binding(1) var<${space}> table: array<vec4f, ${rows}>;`;
  return {
    name,
    source,
    bindings,
    holes: { ...rule.variant, UPDATE: `${table}\n${update}` },
    constants: { ...rule.constants, BLOCKS: blocks },
    arenas: [...Object.keys(arenas), ...rule.moments],
    grid: fold(blocks),
  };
}
