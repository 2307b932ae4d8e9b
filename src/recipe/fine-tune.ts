// The fine-tuning recipe of fastai: the head alone first, then everything at half the rate, less towards the input. Each of
// its changes is an edit like any other, so a log of them replays.

import type { Data } from "../data/dataset.ts";
import { OptionError } from "../errors.ts";
import { wholeNumber } from "../op/layer.ts";
import { constant, oneCycle, type Schedule, sequence } from "../optim/schedule.ts";
import { checkOptions, checkRange } from "../option.ts";
import { checkFit, type EpochResult, type FitOptions, type FitResult, fitKeys } from "./fit-options.ts";
import { type Trial, tried } from "./trial.ts";

/** Options of `fineTune`. */
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

export async function fineTune(
  trial: Trial,
  depths: ReadonlyMap<string, number>,
  base: number,
  data: Data,
  options: FineTuneOptions = {},
): Promise<FitResult> {
  checkOptions("fineTune", options, ["epochs", "headEpochs", "lr", "spread", ...fitKeys], "{ epochs: 3 }");
  const { epochs = 1, headEpochs = 1, lr = base, spread = 100, ...rest } = options;
  wholeNumber("fineTune", "epochs", epochs);
  wholeNumber("fineTune", "headEpochs", headEpochs);
  checkRange("fineTune", "a finite number of at least 0", { lr, spread });
  if (!(lr > 0 && spread >= 1)) {
    throw new OptionError(
      `fineTune: lr is ${lr} and spread is ${spread}. Give a rate greater than 0 and a spread of at least 1.`,
    );
  }
  checkFit("fineTune", rest);
  const stepsPerEpoch = trial.check(data, rest);
  const { rates } = trial;
  // Layers of the base have no rates that a recipe could set.
  const layers = [...depths]
    .filter(([name]) => rates.rows.some(({ home }) => home === name))
    .map(([name, depth]) => ({ name, depth }));
  const maxDepth = Math.max(...layers.map(({ depth }) => depth));
  const body = layers.filter(({ depth }) => depth < maxDepth);
  const head = layers.filter(({ depth }) => depth === maxDepth);
  const results: EpochResult[] = [];
  const phase = async (length: number): Promise<boolean> => {
    const found = await trial.fit(data, { ...rest, epochs: length });
    results.push(...found.epochs);
    return found.stopped;
  };
  /** A cycle that begins at the next step. One of few steps would be a warm-up and an end without a middle. */
  const cycle = (length: number, shape: { pctStart?: number; divFactor?: number }): Schedule => {
    if (stepsPerEpoch !== undefined && length * stepsPerEpoch < SHORT) return constant();
    const step = trial.steps();
    const own = oneCycle({ epochs: length, ...shape });
    return step === 0 ? own : sequence([constant(), own], [step]);
  };

  const recipe = async (): Promise<FitResult> => {
    if (body.length > 0) {
      for (const { name } of head) {
        rates.unfreeze(name);
        rates.set(name, { lr, schedule: cycle(headEpochs, { pctStart: 0.99 }) });
      }
      for (const { name } of body) rates.freeze(name);
      if (await phase(headEpochs)) return { epochs: results, stopped: true };
    }
    const schedule = cycle(epochs, { divFactor: 5 });
    for (const { name, depth } of layers) {
      rates.unfreeze(name);
      const part = maxDepth === 1 ? 0 : (maxDepth - depth) / (maxDepth - 1);
      rates.set(name, { lr: lr / 2 / spread ** part, schedule });
    }
    return { stopped: await phase(epochs), epochs: results };
  };
  return tried(trial, recipe, { always: false });
}

/** Steps below which a phase goes at one rate. */
const SHORT = 5;
