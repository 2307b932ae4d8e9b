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
import { fold, inLines, scoped } from "../op/kernel.ts";
import { type BlockOptions, blockGrid, blockPass, type Pass, tableOfStep, type UpdateRule } from "./update.ts";

/** What a controller does on the GPU; see shaders/control.wgsl. */
export interface ControllerPart {
  /** Its bit in a layer's word. Factors multiply in the order of the bits. */
  readonly bit: number;
  /** Its constants, and a function for each of its stages. */
  readonly text: string;
  readonly stages: readonly ("rests" | "reading" | "factor")[];
  /** What must be known of a layer beside its norms: where its last step went, or how long it was. */
  readonly needs?: "direction" | "length";
  /** Refuses a tensor whose rule it cannot steer. */
  check?(tensor: string, rule: UpdateRule): void;
}

/** A controller as a value: its numbers, the layers that it steers, and what it does. */
export interface Controller {
  /** Such as "layerClip". */
  readonly name: string;
  /** Its numbers by name; a checkpoint holds them, so that a run resumes with the same ones only. */
  readonly constants: Readonly<Record<string, number>>;
  /** Pattern of the layers. */
  readonly layers: string;
  /** @internal */
  readonly part: ControllerPart;
}

/** How the noise of gradients is measured, in updates that leave statistics. */
export interface Noise {
  /** The pass over the blocks behind that which adds a micro-batch up. */
  blocks(adding: Pass, software: boolean): Pass;
  /** The pass over the rows behind that which leaves the statistics, 8 numbers a row: |G|^2 and tr(S) take the places of |u|^2 and g u. */
  rows(leaving: Pass): Pass;
  /** What is told of some rows. */
  tell(numbers: Float32Array, rows: readonly number[]): { readonly noise?: GradientNoise };
}

/** What of a gradient is signal and what is noise: unbiased estimates by the batches of one update (McCandlish et al. 2018). */
export interface GradientNoise {
  /** Of |G|^2, where G is the gradient over all data. Below 0 where noise hides it. */
  readonly signal: number;
  /** Of tr(S), where S is the covariance of the gradients of samples. */
  readonly noise: number;
  /** The simple noise scale in samples, noise / signal; infinite where the signal is not above 0. */
  readonly scale: number;
}

/** Numbers that the controllers remember of a layer, and what they start from; see shaders/control/. */
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
  const parts = controllers.map(({ part }) => part).sort((a, b) => a.bit - b.bit);
  const at = (stage: ControllerPart["stages"][number], write: (call: string) => string): string =>
    parts
      .filter(({ stages }) => stages.includes(stage))
      .map(({ bit }) => `if (has(layer, ${bit})) { ${write(`${stage}_${bit}`)} }`)
      .join("\n");
  const fields = rules.map(({ rateFields = "x", variant }) => {
    const held = variant.DECOUPLED === true ? `${rateFields}y` : rateFields;
    return `vec4f(${[..."xyzw"].map((field) => Number(held.includes(field))).join(", ")})`;
  });
  return {
    name: "control",
    source: inLines(control, ...parts.map(({ text, bit }) => scoped(text, bit))),
    holes: {
      ...Object.fromEntries(parts.map(({ bit }) => [`N_${bit}`, bit])),
      STEP: step,
      FINITE: finite,
      TABLE: tableOfStep(rows),
      RULES: rules.length,
      RATE_FIELDS: fields.join(", "),
      CLIPPED: clip !== undefined,
      BY_LAYER: clip?.byLayer === true,
      RESTS: at("rests", (rests) => `live = live && !${rests}(layer, sum);`),
      READINGS: at("reading", (reading) => `own.y = max(own.y, ${reading}(layer, sum));`),
      FACTORS: at("factor", (factor) => `scale *= ${factor}(layer, sum, all.y);`),
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
