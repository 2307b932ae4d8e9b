// A trainer without a GPU, for tests of callbacks: it plays given epochs over a real table of rates.

import type { Trained } from "../../src/callbacks/index.ts";
import { dense, type EpochResult, type FitOptions, relu, type Samples, sequential, sgd } from "../../src/index.ts";
import { createRateTable } from "../../src/optim/rates.ts";
import { programOf } from "./program.ts";

const { layout, depths } = programOf(sequential({ stem: [dense(4), relu()], head: dense(2) }));

export interface Play {
  /** Validation losses of the epochs. */
  readonly losses?: readonly number[];
  readonly accuracy?: number;
  readonly reports?: Readonly<Record<string, number>>;
}

/** A trainer whose epochs are of two steps each and tell what they are told to. */
export function played({ losses = [3, 2, 1], accuracy = Number.NaN, reports }: Play = {}) {
  const rates = createRateTable(layout.tensors, depths, sgd({ lr: 0.1 }), {});
  const seen: { data?: unknown; options?: FitOptions } = {};
  let stopped = false;
  let at = 0;
  let step = 0;
  let weights = "";
  const told = (loss: number) => ({ loss, accuracy, ...(reports && { reports }) });
  const trainer = {
    network: { inputShape: [2] },
    rates,
    get steps() {
      return step;
    },
    stop: () => {
      stopped = true;
    },
    save: async ({ only }: { only?: string }) => (only === undefined ? "" : "weights of ") + step,
    weights: async () => `of epoch ${at}`,
    setWeights: (given: string) => {
      weights = given;
    },
    upload: (samples: { y: ArrayLike<number> }) => ({ count: samples.y.length, dispose: () => undefined }),
    async fit(data: unknown, options: FitOptions) {
      [seen.data, seen.options, stopped] = [data, options, false];
      const epochs: EpochResult[] = [];
      for (const [i, loss] of losses.entries()) {
        if (stopped) break;
        for (step of [2 * i + 1, 2 * i + 2]) {
          const answer = options.onStep?.({
            step,
            epoch: i + 1,
            ...told(loss),
            samples: 2,
            rates: () => ({ stem: 0.25, head: 0.5 }),
          });
          // Between two steps time goes by, whether they are waited for or not.
          await new Promise((done) => setImmediate(done));
          await answer;
        }
        at = i + 1;
        const validation = options.validation === undefined ? {} : { validation: { ...told(loss), samples: 1 } };
        epochs.push({ epoch: at, ...told(2 * loss), ...validation });
        await options.onEpoch?.(epochs.at(-1) as EpochResult);
      }
      return { epochs, stopped: epochs.length < losses.length };
    },
  };
  return { trainer: trainer as unknown as Trained, rates, seen, weights: () => weights };
}

export const data: Samples = { x: [1, 2, 3, 4, 5, 6, 7, 8], y: [0, 1, 0, 1] };
