// Gradus as a bench engine, through its public door only.

import { autotune } from "../../src/autotune/index.ts";
import { adam as adamRule, compile, crossEntropy, type Precision } from "../../src/index.ts";
import { adam, type CreateEngine } from "./engine.ts";
import { models, startOf } from "./model.ts";
import { worksOf } from "./roofline/work.ts";
import { BATCHES, batchOf, isFrozen, type Workload } from "./workload.ts";

export interface Variant {
  /** Steps between two statistics. */
  readonly statsEvery?: number;
  /** Whether all layers but the last are frozen, and what they make of a sample is kept. */
  readonly frozen?: boolean;
  readonly cacheFrozen?: boolean;
  /** Whether kernels are chosen by measurement, anew in each run. */
  readonly tuned?: boolean;
  /** What steps are of. Default: f32. */
  readonly precision?: Precision;
}

export const create: CreateEngine = (workload) => variant({})(workload);

/** The workload's model, ready to train. Default: on the device that `compile` finds. */
export const trainerOf = (
  workload: Workload,
  { frozen = false, cacheFrozen = false, tuned = false, precision }: Variant = {},
  device?: GPUDevice,
) => {
  const { lr, beta1, beta2, epsilon } = adam;
  return compile(models[workload.name](), {
    input: inputOf(workload),
    batch: workload.batch,
    precision,
    ...restOf(workload),
    ...(device && { device }),
    loss: crossEntropy(),
    ...(tuned && { autotune: autotune({ store: new Map<string, string>() }) }),
    optimizer: adamRule({ lr, betas: [beta1, beta2], eps: epsilon }),
    ...(frozen ? { cacheFrozen, rates: ({ depth, maxDepth }) => ({ frozen: depth < maxDepth }) } : {}),
  });
};

/** All batches of a workload in a row. */
export function dataOf(workload: Workload) {
  const batches = Array.from({ length: BATCHES }, (_, k) => batchOf(workload, k));
  const Numbers = workload.tokens === undefined ? Float32Array : Uint32Array;
  return {
    x: Numbers.from(batches.flatMap(({ x }) => Array.from(x))),
    y: Uint32Array.from(batches.flatMap(({ y }) => Array.from(y))),
  };
}

export const variant =
  (chosen: Variant): CreateEngine =>
  async (workload) => {
    const { statsEvery } = chosen;
    const trainer = await trainerOf(workload, chosen);
    trainer.setWeights(startOf(workload));
    const data = dataOf(workload);
    return {
      backend: "webgpu",
      works: worksOf(trainer.recording()),
      async run(_, steps) {
        let last = Number.NaN;
        // Goes on where the last fit was stopped, so `first` is where this one begins.
        await trainer.fit(data, {
          epochs: Number.MAX_SAFE_INTEGER,
          steps,
          shuffle: false,
          resume: true,
          onStep: ({ loss }) => {
            last = loss;
          },
          ...(statsEvery === undefined ? {} : { statsEvery, onStats: () => {} }),
        });
        return last;
      },
      dispose: () => trainer.dispose(),
    };
  };

const inputOf = ({ input, tokens }: Workload) => (tokens === undefined ? input : { shape: input, classes: tokens });

/** What of the model does not train. */
function restOf(workload: Workload) {
  if (workload.frozen === undefined) return {};
  if (workload.frozen === "all but adapters") return { base: { except: "**.lora*" } };
  return { rates: ({ name }: { readonly name: string }) => ({ frozen: isFrozen(workload, name) }) };
}
