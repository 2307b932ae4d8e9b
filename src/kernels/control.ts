// What may stand around the update: norms in two passes, block by block and row by row; the controllers, which turn the host's
// layer table into the one that the update reads; micro-batches added up; running means of the weights.

import accumulate from "../../shaders/accumulate.wgsl?raw";
import average from "../../shaders/average.wgsl?raw";
import control from "../../shaders/control.wgsl?raw";
import norm from "../../shaders/norm.wgsl?raw";
import beyond from "../../shaders/parts/beyond.wgsl?raw";
import finite from "../../shaders/parts/finite.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import rowSum from "../../shaders/row-sum.wgsl?raw";
import { fold, inLines } from "../op/kernel.ts";
import { type BlockOptions, blockGrid, blockPass, type Pass, tableOfStep, type UpdateRule } from "./update.ts";

/** A controller as data: the condition that puts it into the shader, its numbers, and the layers that it steers. */
export interface Controller {
  readonly name: keyof typeof controllerBits;
  readonly constants: Readonly<Record<string, number>>;
  /** Pattern of the layers. */
  readonly layers: string;
}

/** The bit of each controller in a layer's word. */
export const controllerBits = { guard: 1, updateRatio: 2, autoRgn: 4, hypergradient: 8, lossPlateau: 16 } as const;

/** Numbers that the controllers remember of a layer, and what they start from; see shaders/control.wgsl. */
export const startState = [1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 3e38, 0, 0, 0, 0, 0] as const;

/** Clipping by norm: of all gradients, or of each layer's. */
export interface NormClip {
  readonly most: number;
  readonly byLayer: boolean;
}

/**
 * Sums of squares by block. `clipped`: of gradients that the controllers have clipped already. `directed`: with the direction
 * of those rules.
 */
export function chooseNorm(options: BlockOptions, clipped: boolean, directed: (rule: UpdateRule) => boolean): Pass {
  const pass = blockPass({ ...options, scaled: clipped }, "direction", tableOfStep(options.rows), directed);
  return {
    name: "norm",
    source: inLines(norm, pass.source),
    holes: { ...pass.holes, BEYOND: beyond, SERIAL: options.software },
    constants: pass.constants,
    arenas: pass.arenas,
    grid: blockGrid(options.blocks, options.software ? 64 : 1),
    blocks: options.blocks,
  };
}

/** Sums by row. `reported`: into the slot of the step, to be read by people. */
export function chooseRowSum(rows: number, variant: { reported: boolean; moved: boolean; scaled: boolean }): Pass {
  const { reported, moved, scaled } = variant;
  return {
    name: "row-sum",
    source: rowSum,
    holes: { REPORTED: reported, MOVED: moved, SCALED: scaled, STEP: step },
    constants: { ROWS: rows },
    arenas: reported ? { norms: "statistics" } : {},
    grid: fold(rows),
  };
}

export interface ControlOptions {
  readonly rules: readonly UpdateRule[];
  readonly rows: number;
  readonly layers: number;
  readonly controllers: readonly Controller[];
  readonly clip: NormClip | undefined;
}

/** The controllers of all layers, in one workgroup. */
export function chooseControl({ rules, rows, layers, controllers, clip }: ControlOptions): Pass {
  const on = (name: Controller["name"]): boolean => controllers.some((controller) => controller.name === name);
  const fields = rules.map(({ rateFields = "x", variant }) => {
    const held = variant.DECOUPLED === true ? `${rateFields}y` : rateFields;
    return `vec4f(${[..."xyzw"].map((field) => Number(held.includes(field))).join(", ")})`;
  });
  return {
    name: "control",
    source: control,
    holes: {
      STEP: step,
      FINITE: finite,
      TABLE: tableOfStep(rows),
      RULES: rules.length,
      RATE_FIELDS: fields.join(", "),
      CLIPPED: clip !== undefined,
      BY_LAYER: clip?.byLayer === true,
      GUARD: on("guard"),
      RATIO: on("updateRatio"),
      RGN: on("autoRgn"),
      HYPER: on("hypergradient"),
      PLATEAU: on("lossPlateau"),
    },
    constants: Object.assign(
      { LAYERS: layers, ...(clip === undefined ? {} : { CLIP: clip.most }) },
      ...controllers.map(({ constants }) => constants),
    ) as Record<string, number>,
    grid: [1, 1, 1],
  };
}

export const chooseAccumulate = ({ blocks }: BlockOptions): Pass => ({
  name: "accumulate",
  source: accumulate,
  holes: { STEP: step, BEYOND: beyond },
  constants: { BLOCKS: blocks },
  grid: fold(blocks),
  blocks,
});

export const chooseAverage = ({ blocks }: BlockOptions): Pass => ({
  name: "average",
  source: average,
  holes: {},
  constants: { BLOCKS: blocks },
  grid: fold(blocks),
  blocks,
});
