// Training steps on their way to the GPU: which program runs, how many batches share a submission, what each batch is to its
// update, and what the layer table says at each. What was submitted is handed to the course.

import { OptionError } from "../errors.ts";
import type { Controller } from "../kernels/control.ts";
import type { RateTable } from "../optim/rates.ts";
import type { StepClock } from "../optim/row.ts";
import type { MomentumSchedule } from "../optim/schedule.ts";
import type { StepValues } from "../step/replay.ts";
import type { Runner, Source } from "../step/runner.ts";
import type { Course, Sent } from "./course.ts";
import { controllerWords, memberWords, shares } from "./member.ts";
import type { StepResult } from "./options.ts";
import { describeRows, type StepStatistics } from "./statistics.ts";

/** What a fit wants to see of its steps. */
export interface Watch {
  /** Gets the numbers of each update, in order. */
  readonly take: (result: StepResult) => void;
  /** Gets the statistics of each `every`th update. */
  readonly sample?: { readonly every: number; readonly take: (found: StepStatistics) => void } | undefined;
}

/** Batches of a source in a row, all of one epoch. */
export interface Stretch {
  /** Most batches to submit. */
  readonly batches: number;
  readonly first: number;
  /** Batches of the whole epoch, by which updates are grouped; 0: each batch is an update that does not move on. */
  readonly of: number;
  /** In the place of what the grouping says: the share of a batch that comes alone. */
  readonly micro?: NonNullable<StepValues["micro"]>;
}

export interface StepsOptions {
  readonly batch: number;
  readonly rates: RateTable;
  readonly runner: Runner;
  readonly course: Course;
  /** Batches of an update. */
  readonly accumulate: number;
  readonly momentum: MomentumSchedule | undefined;
  /** Steps that may be submitted beyond those of which the outcome is known. */
  readonly most: number;
  readonly controllers: readonly Controller[];
}

export type Steps = ReturnType<typeof createSteps>;

export function createSteps({ batch, rates, runner, course, accumulate, momentum, most, controllers }: StepsOptions) {
  /** Changes of the rates that the GPU's lists of layers know of. */
  let told = -1;
  const words = controllerWords(rates, controllers);
  /** What the batches of an update share: where training stood, and what is frozen. */
  let before = course.progress;
  let frozen: readonly string[] = [];

  /** Names of layers and shares of their means, where the passes around the update read them. */
  function tell(): void {
    if (told === rates.changes()) return;
    told = rates.changes();
    course.meet();
    runner.tell(memberWords(rates, words), shares(rates));
  }

  /** The place of batch `at` of an epoch in its update. */
  function microOf(at: number, of: number, count: number): NonNullable<StepValues["micro"]> {
    const start = at - (at % accumulate);
    const end = Math.min(start + accumulate, of);
    const samples = Math.min(end * batch, count) - start * batch;
    return {
      weight: Math.min(batch, count - at * batch) / samples,
      first: at === start,
      last: at === end - 1,
    };
  }

  function momentumAt(clock: StepClock): number | undefined {
    if (momentum === undefined) return undefined;
    const value = momentum({ ...clock, updates: clock.step });
    if (value >= 0 && value < 1) return value;
    throw new OptionError(
      `momentum: at step ${clock.step + 1} the schedule gives ${value}, it must be at least 0 and below 1.`,
    );
  }

  return {
    /**
     * Submits batches of a stretch, and tells how many they were: one submission is one program, so it ends where the frozen
     * set changes, and a guard lets nobody run further ahead than its layers rest.
     */
    async submit(
      source: Source,
      stretch: Stretch,
      stepsPerEpoch: number | undefined,
      { take, sample }: Watch,
    ): Promise<number> {
      const { first, of } = stretch;
      const clock = (): StepClock => ({ step: course.progress.step, stepsPerEpoch });
      for (;;) {
        rates.advance(clock());
        const edits = rates.changes();
        const { step: now } = course.progress;
        const updates = Math.min(rates.nextChange(clock()) - now, most, stretch.batches);
        const into = of === 0 ? 0 : first % accumulate;
        const batches = Math.min(stretch.batches, of === 0 ? updates : updates * accumulate - into);
        // A layer that thaws in the midst of an update has no gradient from the batches before.
        if (stretch.micro?.first ?? into === 0) frozen = rates.frozenAt(clock());
        // No step counts a layer whose rest may be over before it is known; and layers change their tensors between two alarms.
        await course.know(told === edits ? now + updates - most : most === Number.POSITIVE_INFINITY ? 0 : now);
        const { program, ready, isStale } = await runner.readyToTrain(source, frozen, sample !== undefined);
        course.throwIfFailed();
        // While this one waited for its turn, the user may have changed what is frozen, or frozen weights.
        if (rates.changes() !== edits || isStale()) continue;
        tell();
        const sent: Sent[] = [];
        const described = new Map<number, ReturnType<typeof describeRows>>();
        const fill = (i: number, table: Float32Array): StepValues => {
          const at = first + i;
          const micro = stretch.micro ?? (accumulate === 1 || of === 0 ? undefined : microOf(at, of, source.count));
          const applied = micro?.last !== false;
          const begins = micro?.first !== false;
          if (begins) before = course.progress;
          const here = clock();
          const { step, position } = course.progress;
          const sampled = applied && sample !== undefined && (step + 1) % sample.every === 0;
          const moved = momentumAt(here);
          if (sampled) described.set(step + 1, describeRows(rates, rates.ratesAt(here)));
          if (applied) rates.write(table, here, program.takesPart, moved);
          const next = { step: step + (applied ? 1 : 0), position: position + (of === 0 ? 0 : 1) };
          course.advance({ ...course.progress, ...next }, applied);
          sent.push({ before, first: begins, applied });
          const start = at * batch;
          return {
            step: step + 1,
            start,
            count: Math.min(batch, source.count - start),
            sampled,
            ...(moved === undefined ? {} : { momentum: moved }),
            ...(micro === undefined ? {} : { micro }),
          };
        };
        const start = course.whole;
        try {
          course.submitted(sent, runner.start(ready, batches, fill), (result, numbers) => {
            take(result);
            const statistics = numbers && described.get(result.step)?.(result.step, numbers);
            if (statistics !== undefined) sample?.take(statistics);
          });
        } catch (error) {
          // A schedule has thrown: nothing was submitted.
          rates.undoSince([...rates.rows.keys()], start.step);
          course.progress = start;
          throw error;
        }
        return batches;
      }
    },

    /** The values of an update whose gradients came from elsewhere. */
    updateValues(table: Float32Array, clock: StepClock, takesPart: (row: number) => boolean): StepValues {
      rates.advance(clock);
      tell();
      const moved = momentumAt(clock);
      rates.write(table, clock, takesPart, moved);
      course.progress = { ...course.progress, step: clock.step + 1 };
      return { step: clock.step + 1, start: 0, count: 1, ...(moved === undefined ? {} : { momentum: moved }) };
    },
  };
}
