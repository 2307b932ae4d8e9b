// What a sampled step tells of each layer: from the sums that the GPU left for each tensor to lengths for people.

import type { GradientNoise, Noise } from "../kernels/control.ts";
import type { Counts } from "./counts.ts";
import type { RateTable } from "./rates.ts";
import type { StepClock } from "./row.ts";

export type { GradientNoise };

/** What a layer did in an update. */
export interface LayerStatistics {
  /** Path of the layer. */
  readonly name: string;
  /** Learning rate of its first tensor, controllers included; 0 where the layer did not train. */
  readonly lr: number;
  /** Euclidean norm of its gradients, clipped by value but not yet by norm; numbers that are not finite are left out. */
  readonly gradient: number;
  /** Euclidean norm of its weights before the step. */
  readonly weight: number;
  /** Length of the step over that of the weights, |dw| / |w|. */
  readonly ratio: number;
  /** Gradients that are NaN, infinite or beyond 2^48, before any clipping. */
  readonly nonFinite: number;
  /** What the controllers made of the rate, 0 where a guard holds the layer; 1 without any. */
  readonly scale: number;
  /** With `noiseScale` of `compile`, of an update of several batches. */
  readonly noise?: GradientNoise;
}

/** What the layers did in an update, as `onStats` hears it. */
export interface StepStatistics {
  /** Number of the update, from 1. */
  readonly step: number;
  /** In the order of the table of rates. */
  readonly layers: readonly LayerStatistics[];
  /** Over all layers that trained, where layers tell theirs. */
  readonly noise?: GradientNoise;
}

/** Tells a step's statistics from what the GPU left of it. */
export type Describe = (step: number, numbers: Float32Array) => StepStatistics;

/** Numbers of a row in shaders/row-sum.wgsl. */
const NUMBERS = 8;

/** Remembers, as a step is submitted, what its statistics will be told with. */
export function describeRows(rates: RateTable, clock: StepClock, counts: Counts, noise?: Noise): Describe {
  const groups = rates.members();
  const lrs = rates.ratesAt(clock, counts).map((lr) => lr ?? 0);
  return (step, numbers) => ({
    step,
    layers: groups.flatMap(({ name, rows }) => {
      const [first] = rows;
      if (first === undefined) return [];
      const sum = (of: number, which = rows): number =>
        which.reduce((total, row) => total + (numbers[row * NUMBERS + of] as number), 0);
      const scale = numbers[first * NUMBERS + 7] as number;
      const moving = scale === 0 ? [] : rows.filter((row) => (lrs[row] as number) > 0);
      const weight = Math.sqrt(sum(1));
      return {
        name,
        lr: (lrs[first] as number) * scale,
        gradient: Math.sqrt(sum(0)),
        weight,
        ratio: weight === 0 ? 0 : Math.sqrt(sum(5, moving)) / weight,
        nonFinite: sum(4),
        scale,
        ...noise?.tell(numbers, rows),
      };
    }),
    ...noise?.tell(numbers, [...lrs.keys()]),
  });
}
