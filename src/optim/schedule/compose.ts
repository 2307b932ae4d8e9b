// Schedules made of schedules, and a look at one before it is used.

import { OptionError } from "../../errors.ts";
import { checkFunction, checkList, checkRange, resolved } from "../../option.ts";
import { type Clock, lengthOf, type Schedule } from "./clock.ts";
import { schedule as factory } from "./spec.ts";

/**
 * One schedule after the other: the next takes over at each milestone, a step, and begins there at its own step 0. As
 * SequentialLR. A child never sees what ran before it.
 *
 * A child that is local() does not begin again: it goes by its layer's count, whatever ran before. For milestones of the
 * layer's own clock put the sequence into local().
 *
 * @example sequence([linearLR({ steps: 500 }), cosineAnnealingLR({ steps: 9500 })], [500])
 */
export const sequence = factory(
  "sequence",
  (schedules: readonly Schedule[], milestones: readonly number[]): Schedule => {
    checkSchedules("sequence", schedules);
    checkList("sequence", "milestones", milestones);
    if (milestones.length !== schedules.length - 1) {
      throw new OptionError(
        `sequence: ${schedules.length} schedules have ${milestones.length} milestones. Give one milestone fewer than schedules.`,
      );
    }
    for (const [i, milestone] of milestones.entries()) {
      checkRange("sequence", "a whole number of at least 1", { [`milestones[${i}]`]: milestone });
      const before = milestones[i - 1];
      if (before !== undefined && before >= milestone) {
        throw new OptionError(
          `sequence: milestones[${i}] is ${milestone} after ${before}. Give the milestones in rising order.`,
        );
      }
    }
    return (clock) => {
      const { step } = clock;
      const index = milestones.filter((milestone) => milestone <= step).length;
      const start = milestones[index - 1] ?? 0;
      return (schedules[index] as Schedule)({ ...clock, step: step - start });
    };
  },
  ["schedules", "milestones"],
);

/**
 * The product of the factors. As ChainedScheduler of schedules that change the rate by a factor; LambdaLR and the cycles
 * overwrite it there, and a cosine forgets the other factors past its first zero.
 */
export const chain = factory(
  "chain",
  (schedules: readonly Schedule[]): Schedule => {
    checkSchedules("chain", schedules);
    return (clock) => schedules.reduce((product, schedule) => product * schedule(clock), 1);
  },
  ["schedules"],
);

/**
 * Steps the schedule once an epoch, so that what it calls a step is an epoch: a scheduler of PyTorch whose step() follows
 * each epoch. The rate stands still within an epoch.
 *
 * @example perEpoch(multiStepLR({ milestones: [30, 60, 90] }))
 */
export const perEpoch = factory(
  "perEpoch",
  (schedule: Schedule): Schedule => {
    checkFunction("perEpoch", "the schedule", schedule);
    const epoch = lengthOf("perEpoch", { epochs: 1 });
    return (clock) => {
      const epochs = (steps: number) => Math.floor(steps / epoch(clock));
      return schedule({ step: epochs(clock.step), updates: epochs(clock.updates), stepsPerEpoch: 1 });
    };
  },
  ["schedule"],
);

/**
 * Runs the schedule by each layer's own clock: its step 0 is the layer's first update, and once more the first one after
 * it was thawed. For layers that join late, as in gradual unfreezing.
 *
 * @example local(linearLR({ startFactor: 0, steps: 100 }))
 */
export const local = factory(
  "local",
  (schedule: Schedule): Schedule => {
    checkFunction("local", "the schedule", schedule);
    return (clock) => schedule({ ...clock, step: clock.updates });
  },
  ["schedule"],
);

/** The points of a plot: `lrs[i]` is the rate of the update at `steps[i]`. */
export interface Preview {
  /** Numbers of updates, from 0. */
  readonly steps: number[];
  /** Learning rates. */
  readonly lrs: number[];
}

/** Options of `preview`. */
export interface PreviewOptions {
  /** Default 1. */
  readonly base?: number;
  /** For schedules that count epochs. */
  readonly stepsPerEpoch?: number;
}

/** The rates of the first steps of a layer that trains from the start. OptionError for what is no schedule or no number. */
export function preview(schedule: Schedule, steps: number, options: PreviewOptions = {}): Preview {
  const { base, stepsPerEpoch } = resolved("preview", options, { base: [1, "at least 0"], stepsPerEpoch: [] });
  checkFunction("preview", "the schedule", schedule);
  checkRange("preview", "a whole number of at least 0", { steps });
  if (stepsPerEpoch !== undefined) checkRange("preview", "a whole number of at least 1", { stepsPerEpoch });
  const clocks = Array.from({ length: steps }, (_, step): Clock => ({ step, updates: step, stepsPerEpoch }));
  return { steps: clocks.map(({ step }) => step), lrs: clocks.map((clock) => base * schedule(clock)) };
}

function checkSchedules(place: string, schedules: readonly Schedule[]): void {
  checkList(place, "the first argument", schedules);
  if (schedules.length === 0) throw new OptionError(`${place}: there are 0 schedules. Give at least 1.`);
  for (const [i, schedule] of schedules.entries()) checkFunction(place, `schedule ${i}`, schedule);
}
