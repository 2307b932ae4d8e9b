// The fine-tuning recipe of fastai: the head alone first, then everything at half the rate, less towards the input. Each of
// its changes is an edit like any other, so a log of them replays.

import type { Data } from "../data/dataset.ts";
import { OptionError } from "../errors.ts";
import { wholeNumber } from "../model/layer.ts";
import type { RateSpec } from "../optim/rule.ts";
import { constant, oneCycle, type Schedule, sequence } from "../optim/schedule.ts";
import type { EpochResult, FitOptions, FitResult } from "./options.ts";

export interface FineTuneOptions extends Omit<FitOptions, "epochs" | "steps"> {
  /** Epochs of all layers. Default 1. */
  readonly epochs?: number;
  /** Epochs of the head alone, before them. Default 1. */
  readonly headEpochs?: number;
  /** Rate of the head while it trains alone. Default: the optimizer's. */
  readonly lr?: number;
  /** How much slower the layer at the input learns than the head, once all train. Default 100. */
  readonly spread?: number;
}

/** What the recipe needs of a trainer. */
export interface Tuned {
  readonly steps: number;
  readonly rates: { set(pattern: string, spec: RateSpec): void };
  freeze(pattern: string): void;
  unfreeze(pattern: string): void;
  fit(data: Data, options: FitOptions): Promise<FitResult>;
}

export async function fineTune(
  trainer: Tuned,
  depths: ReadonlyMap<string, number>,
  base: number,
  data: Data,
  { epochs = 1, headEpochs = 1, lr = base, spread = 100, ...rest }: FineTuneOptions = {},
): Promise<FitResult> {
  wholeNumber("fineTune", "epochs", epochs);
  wholeNumber("fineTune", "headEpochs", headEpochs);
  if (!(lr > 0 && Number.isFinite(lr) && spread >= 1 && Number.isFinite(spread))) {
    throw new OptionError(
      `fineTune: lr is ${lr} and spread is ${spread}. Give a rate greater than 0 and a spread of at least 1.`,
    );
  }
  const maxDepth = Math.max(...depths.values());
  const layers = [...depths].map(([name, depth]) => ({ name, depth }));
  const [body, head] = [
    layers.filter(({ depth }) => depth < maxDepth),
    layers.filter(({ depth }) => depth === maxDepth),
  ];
  const results: EpochResult[] = [];
  const phase = async (length: number): Promise<boolean> => {
    const found = await trainer.fit(data, { ...rest, epochs: length });
    results.push(...found.epochs);
    return found.stopped;
  };

  if (body.length > 0) {
    for (const { name } of head) {
      trainer.unfreeze(name);
      trainer.rates.set(name, {
        lr,
        schedule: fromNow(trainer.steps, oneCycle({ epochs: headEpochs, pctStart: 0.99 })),
      });
    }
    for (const { name } of body) trainer.freeze(name);
    if (await phase(headEpochs)) return { epochs: results, stopped: true };
  }
  const schedule = fromNow(trainer.steps, oneCycle({ epochs, divFactor: 5 }));
  for (const { name, depth } of layers) {
    trainer.unfreeze(name);
    const part = maxDepth === 1 ? 0 : (maxDepth - depth) / (maxDepth - 1);
    trainer.rates.set(name, { lr: lr / 2 / spread ** part, schedule });
  }
  return { stopped: await phase(epochs), epochs: results };
}

/** A schedule whose first step is the next one. */
const fromNow = (step: number, schedule: Schedule): Schedule =>
  step === 0 ? schedule : sequence([constant(), schedule], [step]);
