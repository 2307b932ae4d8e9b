// What a person wants to know while training runs: turns the results of steps into where it stands, how well it does,
// how fast it is, and how long it will take.

import type { StepResult } from "../index.ts";

/** Where training stands. */
export interface Tick {
  /** From 1. */
  readonly epoch: number;
  readonly step: number;
  /** Of the last steps, the more recent counting more. */
  readonly loss: number;
  /** NaN where there is none. */
  readonly accuracy: number;
  /** What is told beside them, by name. */
  readonly reports: Readonly<Record<string, number>>;
  /** NaN as long as it is not known. */
  readonly stepsPerSecond: number;
  readonly secondsLeft: number;
}

/** Weight of the newest step in the moving averages. */
const NEWEST = 0.02;

export type Meter = ReturnType<typeof createMeter>;

/** For a training of `steps` in all; NaN where that is not known. */
export function createMeter({ steps, stepsPerEpoch }: { steps: number; stepsPerEpoch: number }) {
  let [lossFirst, lossLast] = [Number.NaN, Number.NaN];
  let tick: Tick | undefined;
  let weight = 0;
  /** When the stretch under way began, and what those before it took. */
  let since: number | undefined;
  let [timedSteps, timedMs] = [0, 0];
  const rate = (): number =>
    (1000 * timedSteps) / (timedMs + (since === undefined ? 0 : performance.now() - since)) || Number.NaN;

  return {
    /** From now on steps are timed, until `end`: the first ones compile and settle. */
    begin(): void {
      since = performance.now();
    },

    end(): void {
      if (since !== undefined) timedMs += performance.now() - since;
      since = undefined;
    },

    add({ step, loss, accuracy, reports = {} }: StepResult): Tick {
      if (Number.isNaN(lossFirst)) lossFirst = loss;
      lossLast = loss;
      weight += (1 - weight) * NEWEST;
      const newest = NEWEST / weight; // an average from the first step on, not one that starts at 0
      const blend = (old: number | undefined, value: number): number =>
        (old ?? value) + (value - (old ?? value)) * newest;
      if (since !== undefined) timedSteps++;
      const stepsPerSecond = rate();
      const blended = Object.fromEntries(
        Object.entries(reports).map(([name, value]) => [name, blend(tick?.reports[name], value)]),
      );
      tick = {
        epoch: Math.ceil(step / stepsPerEpoch),
        step,
        loss: blend(tick?.loss, loss),
        accuracy: blend(tick?.accuracy, accuracy),
        reports: { ...tick?.reports, ...blended },
        stepsPerSecond,
        secondsLeft: (steps - step) / stepsPerSecond,
      };
      return tick;
    },

    /** NaN where no step was made. */
    summary: () => ({ lossFirst, lossLast, stepsPerSecond: rate() }),
  };
}
