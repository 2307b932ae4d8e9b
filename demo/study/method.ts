// The methods of the study, one line each: options of `compile`, and where those are not enough, what is done to the
// trainer between its steps.

import {
  type CompileOptions,
  discriminative,
  inputFirst,
  layerDecay,
  type Samples,
  type Trainer,
} from "../../src/index.ts";
import type { MethodName } from "./plan.ts";

/** A fine-tuning, as a method sees it. */
export interface Tuning {
  readonly trainer: Trainer;
  /** The images that it learns from. */
  readonly batches: readonly Samples[];
}

export interface Method {
  readonly options?: Pick<CompileOptions, "rates">;
  /** Before the first update, and each time that `every` more are made. */
  readonly act?: (tuning: Tuning) => void | Promise<void>;
  readonly every?: number;
}

/** Each for a fine-tuning of so many updates. */
export const methodTable: Readonly<Record<MethodName, (steps: number) => Method>> = {
  "one-rate": () => ({}),
  "head-only": () => ({ act: ({ trainer }) => keepActive(trainer, 1) }),
  "layer-decay": () => ({ options: { rates: layerDecay(0.65) } }),
  gradual: (steps) => ({ options: { rates: discriminative(2.6) }, ...gradualUnfreezing(Math.ceil(steps / 8)) }),
  "input-first": () => ({ options: { rates: inputFirst(0.65) } }),
  "auto-rgn": (steps) => ({ every: Math.ceil(steps / 4), act: followGradients }),
};

/** Freezes all but the last layers. */
function keepActive(trainer: Trainer, count: number): void {
  const names = trainer.rates.table().map(({ name }) => name);
  for (const name of names.slice(0, -count)) trainer.freeze(name);
  for (const name of names.slice(-count)) trainer.unfreeze(name);
}

/** Gradual unfreezing (Howard and Ruder 2018): the head alone, then one more layer each time. */
const gradualUnfreezing = (every: number): Method => ({
  every,
  act: ({ trainer }) => keepActive(trainer, 1 + Math.floor(trainer.steps / every)),
});

/** Batches that a gradient norm is averaged over. */
const LOOKS = 4;

/** Auto-RGN (Lee et al. 2023): each layer's rate in proportion to |gradient| / |weights|, the largest with a factor of 1. */
async function followGradients({ trainer, batches }: Tuning): Promise<void> {
  const layers = trainer.rates.table().map(({ name }) => name);
  const sums = new Map<string, number>(layers.map((layer) => [layer, 0]));
  const weights = await trainer.weights();
  for (const batch of batches.slice(0, LOOKS)) {
    const { gradients } = await trainer.gradients(batch);
    for (const layer of layers) {
      sums.set(layer, (sums.get(layer) ?? 0) + normOf(gradients, layer) / normOf(weights, layer));
    }
  }
  const most = Math.max(...sums.values());
  for (const [layer, sum] of sums) trainer.rates.set(layer, { multiplier: most > 0 ? sum / most : 1 });
}

/** Euclidean norm of all tensors of a layer. */
function normOf(tensors: ReadonlyMap<string, { readonly data: ArrayLike<number> }>, layer: string): number {
  let squares = 0;
  for (const [name, { data }] of tensors) {
    if (name.startsWith(`${layer}.`)) for (const value of Array.from(data)) squares += value * value;
  }
  return Math.sqrt(squares);
}
