// What a twin is: a kernel's meaning in plain loops, written from its formula and not from its shader. It rounds after
// every arithmetic operation, so that one text serves as the truth (`exact`, f64) and as the yardstick for how much a
// plain sequential f32 computation would be off (`single`).

import type { Attributes } from "../../src/op/op.ts";
import type { Tensor } from "../../src/op/tensor.ts";
import type { StepValues } from "../../src/step/replay.ts";

export type Round = (x: number) => number;

export const exact: Round = (x) => x;
export const single: Round = Math.fround;

/** What the graph knows of a node, its epilogue left out. */
export interface Facts {
  readonly op: string;
  /** The op's own inputs. */
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes;
}

/** Values of the outputs from those of the inputs. Whole numbers stand in a Float64Array too. */
export type Twin = (
  inputs: readonly Float64Array[],
  facts: Facts,
  step: StepValues,
  round: Round,
) => readonly Float64Array[];

/** The arenas of one tensor, as an update finds them: parameters, gradients, then the moments that the rule keeps. */
export type UpdateTwin = (
  arrays: readonly Float64Array[],
  rule: {
    readonly variant: Readonly<Record<string, boolean>>;
    readonly constants: Readonly<Record<string, number>>;
  },
  /** The tensor's four numbers of the layer table. */
  row: ArrayLike<number>,
  round: Round,
) => readonly Float64Array[];
