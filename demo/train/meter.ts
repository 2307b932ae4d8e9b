// What a person wants to know while training runs: turns the results of steps into where it stands, how well it does,
// how fast it is, and how long it will take.

import type { StepResult } from "../../src/index.ts";

/** Where training stands. */
export interface Tick {
  /** From 1. */
  readonly epoch: number;
  readonly step: number;
  /** Of the last steps, the more recent counting more. */
  readonly loss: number;
  readonly accuracy: number;
  /** NaN as long as it is not known. */
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

/** Weight of the newest step in the moving averages. */
const NEWEST = 0.02;

export type Meter = ReturnType<typeof createMeter>;

/** For a training of `epochs` of `perEpoch` steps on `images` images. */
export function createMeter({ epochs, perEpoch, images }: { epochs: number; perEpoch: number; images: number }) {
  let [lossFirst, lossLast] = [Number.NaN, Number.NaN];
  let tick: Tick | undefined;
  let weight = 0;
  let timed: { readonly since: number; images: number } | undefined;
  let rate = Number.NaN;

  return {
    /** From now on steps are timed: the first ones compile and settle. */
    startTiming(): void {
      timed ??= { since: performance.now(), images: 0 };
    },

    add({ step, loss, accuracy, samples }: StepResult): Tick {
      if (Number.isNaN(lossFirst)) lossFirst = loss;
      lossLast = loss;
      weight += (1 - weight) * NEWEST;
      const newest = NEWEST / weight; // an average from the first step on, not one that starts at 0
      const blend = (old: number | undefined, value: number): number =>
        (old ?? value) + (value - (old ?? value)) * newest;
      if (timed !== undefined) {
        timed.images += samples;
        rate = (1000 * timed.images) / (performance.now() - timed.since);
      }
      const done = step / perEpoch;
      tick = {
        epoch: Math.min(epochs, Math.ceil(done)),
        step,
        loss: blend(tick?.loss, loss),
        accuracy: blend(tick?.accuracy, accuracy),
        imagesPerSecond: rate,
        secondsLeft: ((epochs - done) * images) / rate,
      };
      return tick;
    },

    /** NaN where no step was made. */
    summary: () => ({ lossFirst, lossLast, imagesPerSecond: rate }),
  };
}
