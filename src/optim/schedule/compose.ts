// Schedules made of schedules, and a look at one before it is used.

import { OptionError } from "../../errors.ts";
import { type Clock, check, checkFunction, lengthOf, type Schedule } from "./clock.ts";

/**
 * One schedule after the other: the next takes over at each milestone, a step, and begins there at its own step 0. As
 * SequentialLR. A child never sees what ran before it.
 *
 * @example sequence([linearLR({ steps: 500 }), cosineAnnealingLR({ steps: 9500 })], [500])
 */
export function sequence(schedules: readonly Schedule[], milestones: readonly number[]): Schedule {
  checkList("sequence", schedules);
  if (milestones.length !== schedules.length - 1) {
    throw new OptionError(
      `sequence: ${schedules.length} schedules have ${milestones.length} milestones. Give one milestone fewer than schedules.`,
    );
  }
  for (const [i, milestone] of milestones.entries()) {
    check("sequence", "a whole number of at least 1", { [`milestones[${i}]`]: milestone });
    const before = milestones[i - 1];
    if (before !== undefined && before >= milestone) {
      throw new OptionError(
        `sequence: milestones[${i}] is ${milestone} after ${before}. Give the milestones in rising order.`,
      );
    }
  }
  return ({ step, stepsPerEpoch }) => {
    const index = milestones.filter((milestone) => milestone <= step).length;
    const start = milestones[index - 1] ?? 0;
    return (schedules[index] as Schedule)({ step: step - start, stepsPerEpoch });
  };
}

/**
 * The product of the factors. As ChainedScheduler of schedules that change the rate by a factor; LambdaLR and the cycles
 * overwrite it there, and a cosine forgets the other factors past its first zero.
 */
export function chain(schedules: readonly Schedule[]): Schedule {
  checkList("chain", schedules);
  return (clock) => schedules.reduce((product, schedule) => product * schedule(clock), 1);
}

/**
 * Steps the schedule once an epoch, so that what it calls a step is an epoch: a scheduler of PyTorch whose step() follows
 * each epoch. The rate stands still within an epoch.
 *
 * @example perEpoch(multiStepLR({ milestones: [30, 60, 90] }))
 */
export function perEpoch(schedule: Schedule): Schedule {
  checkFunction("perEpoch", "the schedule", schedule);
  const epoch = lengthOf("perEpoch", { epochs: 1 });
  return (clock) => schedule({ step: Math.floor(clock.step / epoch(clock)), stepsPerEpoch: 1 });
}

/** The points of a plot: `lrs[i]` is the rate of the update at `steps[i]`. */
export interface Preview {
  readonly steps: number[];
  readonly lrs: number[];
}

/** The rates of the first steps, for a base rate that is 1 unless told. */
export function preview(
  schedule: Schedule,
  steps: number,
  { base = 1, stepsPerEpoch }: { readonly base?: number; readonly stepsPerEpoch?: number } = {},
): Preview {
  checkFunction("preview", "the schedule", schedule);
  check("preview", "a whole number of at least 0", { steps });
  check("preview", "at least 0", { base });
  if (stepsPerEpoch !== undefined) check("preview", "a whole number of at least 1", { stepsPerEpoch });
  const clocks = Array.from({ length: steps }, (_, step): Clock => ({ step, stepsPerEpoch }));
  return { steps: clocks.map(({ step }) => step), lrs: clocks.map((clock) => base * schedule(clock)) };
}

function checkList(place: string, schedules: readonly Schedule[]): void {
  if (schedules.length === 0) throw new OptionError(`${place}: there are 0 schedules. Give at least 1.`);
  for (const [i, schedule] of schedules.entries()) checkFunction(place, `schedule ${i}`, schedule);
}
