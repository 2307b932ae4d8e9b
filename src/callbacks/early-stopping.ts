// Ends a fit that gets no better: EarlyStopping of Keras.

import { checkOptions } from "../foreign/options.ts";
import type { Callback } from "./callback.ts";
import { type MonitorOptions, modeOf, monitorKinds, monitorOf } from "./monitor.ts";

/** Options of `earlyStopping`. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs in a row without progress after which the fit ends. Default 0: the first one ends it. */
  readonly patience?: number;
  /** By how much a number must beat the best one to be progress. Default 0. */
  readonly minDelta?: number;
  /** What it must beat as well, or the epoch counts as one without progress. Default: nothing. */
  readonly baseline?: number;
  /** Epochs, counted as `epoch` is from 1, before this one are not looked at. Default 1. */
  readonly startFromEpoch?: number;
}

/**
 * Ends the fit, as `stop()` does, when an epoch's number has not got better for `patience` epochs. As Keras' EarlyStopping, whose
 * restore_best_weights is a callback of its own, `restoreBest`; and a number that is NaN is never better. Each fit begins anew. Throws
 * OptionError, and from a fit NameError where it has no such number.
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const place = "earlyStopping";
  checkOptions(place, options, {
    ...monitorKinds,
    patience: "a whole number of at least 0",
    minDelta: "a finite number of at least 0",
    baseline: "a number",
    startFromEpoch: "a whole number of at least 1",
  });
  modeOf(place, options);
  const { patience = 0, minDelta = 0, baseline, startFromEpoch = 1 } = options;
  return (run) => {
    const monitor = monitorOf(place, options, run);
    let best: number | undefined;
    let wait = 0;
    let seen = 0;
    return {
      onEpoch(epoch) {
        const value = monitor.read(epoch);
        if (epoch.epoch < startFromEpoch) return;
        wait++;
        seen++;
        if (monitor.beats(value, best, minDelta)) {
          best = value;
          if (baseline === undefined || monitor.beats(value, baseline, minDelta)) wait = 0;
          return;
        }
        if (wait >= patience && seen > 1) run.trainer.stop();
      },
    };
  };
}
