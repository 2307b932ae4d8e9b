// Gives the weights of the best epoch back in the end: restore_best_weights of Keras' EarlyStopping, by itself.

import { checkOptions } from "../foreign/options.ts";
import type { Callback } from "./callback.ts";
import { type MonitorOptions, modeOf, monitorKinds, monitorOf } from "./monitor.ts";

/** Options of `restoreBest`. */
export interface RestoreBestOptions extends MonitorOptions {
  /** Told in the end of the epoch whose weights are there now. A promise is awaited. */
  readonly onRestore?: (best: { readonly epoch: number; readonly value: number }) => unknown;
}

/**
 * When the fit has ended, by itself or by a stop, weights and states are those of its best epoch. Moments, rates and counters stay as they
 * are, as with Keras: to go on from the best epoch to the bit, keep a checkpoint of it. Each better epoch reads all weights once. A fit that
 * something has thrown in restores nothing. Throws as `earlyStopping` does.
 */
export function restoreBest(options: RestoreBestOptions = {}): Callback {
  const place = "restoreBest";
  checkOptions(place, options, { ...monitorKinds, onRestore: "a function" });
  modeOf(place, options);
  return (run) => {
    const monitor = monitorOf(place, options, run);
    let best: { readonly epoch: number; readonly value: number } | undefined;
    let weights: Awaited<ReturnType<typeof run.trainer.weights>> | undefined;
    return {
      async onEpoch(epoch) {
        const value = monitor.read(epoch);
        if (!monitor.beats(value, best?.value)) return;
        best = { epoch: epoch.epoch, value };
        weights = await run.trainer.weights();
      },
      onEnd() {
        if (best === undefined || weights === undefined) return undefined;
        run.trainer.setWeights(weights);
        return options.onRestore?.(best);
      },
    };
  };
}
