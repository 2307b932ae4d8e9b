// A run of a task whose trainer fits samples: most do.

import {
  adamw,
  type CompileOptions,
  compile,
  layerDecay,
  type Model,
  type Optimizer,
  oneCycle,
  type Samples,
} from "../../src/index.ts";
import { type Run, type Settings, stepsOf } from "./task.ts";

export interface Fitting extends Pick<CompileOptions, "input" | "loss"> {
  readonly model: Model;
  readonly data: Samples;
  /** In `data`. */
  readonly samples: number;
  readonly optimizer?: Optimizer;
  /** Whether the accuracy of its steps says something. Default false. */
  readonly accuracy?: boolean;
}

/** All of a run but what it shows: one cycle of the rate over all steps. */
export async function fitting(
  { model, data, samples, accuracy = false, optimizer, ...objective }: Fitting,
  { batch, lr, layerDecay: decay = 1, seed = 0, length, device }: Settings,
): Promise<Omit<Run, "test" | "show">> {
  const stepsPerEpoch = Math.ceil(samples / batch);
  const steps = stepsOf(length, stepsPerEpoch);
  const trainer = await compile(model, {
    ...objective,
    ...{ batch, seed, optimizer: optimizer ?? adamw({ lr, weightDecay: 0.01 }) },
    ...{ rates: layerDecay(decay), schedule: oneCycle({ steps }) },
    ...(device && { device }),
  });
  return {
    ...{ trainer, steps, stepsPerEpoch, samples },
    async train(until, { signal, onStep } = {}) {
      if (until <= trainer.steps) return;
      await trainer.fit(data, {
        ...{ steps: until - trainer.steps, resume: true },
        ...(signal && { signal }),
        onStep: (result) => onStep?.(accuracy ? result : { ...result, accuracy: Number.NaN }),
      });
    },
  };
}
