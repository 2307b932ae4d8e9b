// Training steps on their way to the GPU: which program runs, how many batches share a submission, and what is told of the
// layers. All that changes is planned first; what was submitted is handed to the ledger.

import { controllerWords, memberWords, shares } from "../optim/member.ts";
import type { RateTable } from "../optim/rates.ts";
import type { StepClock } from "../optim/row.ts";
import { describeRows, type StepStatistics } from "../optim/statistics.ts";
import type { StepValues } from "../step/replay.ts";
import type { Runner, Source } from "../step/runner.ts";
import { isPromise, type Ledger, type Made } from "./ledger.ts";
import type { Settings } from "./options.ts";
import { microOf, type Planner, planBatch } from "./plan.ts";

/** What a fit wants to see of its steps. */
export interface Watch {
  /** Hears of each update, in order. */
  readonly hear: (made: Made) => unknown;
  /** Gets the statistics of each `every`th update. */
  readonly sample?: { readonly every: number; readonly take: (found: StepStatistics) => unknown } | undefined;
}

/** Batches of a source in a row, all of one epoch. */
export interface Stretch {
  /** Most batches to submit. */
  readonly batches: number;
  readonly first: number;
  /** Whether the place in the data moves on. */
  readonly moves: boolean;
  /** For a batch that comes alone: its part in an update of several. */
  readonly micro?: NonNullable<StepValues["micro"]> | undefined;
}

export type Submit = ReturnType<typeof createSubmit>;

export function createSubmit(settings: Settings, rates: RateTable, runner: Runner, ledger: Ledger) {
  const { batch, momentum, update } = settings;
  const { accumulate, controllers } = update;
  /** A guard's host must not be further ahead than its layers rest. */
  const ahead = controllers.find(({ name }) => name === "guard")?.constants.REST ?? Number.POSITIVE_INFINITY;
  const words = controllerWords(rates, controllers);
  /** Changes of the rates that the GPU's lists of layers know of. */
  let told = -1;
  /** What is frozen in all batches of an update. */
  let frozen: readonly string[] = [];

  /** Names of layers and shares of their means, where the passes around the update read them. */
  function tell(): void {
    if (told === rates.changes()) return;
    told = rates.changes();
    ledger.meet();
    runner.tell(memberWords(rates, words, controllers), shares(rates));
  }

  return {
    /**
     * Submits batches of a stretch, and tells how many they were: one submission is one program, so it ends where the frozen set
     * changes or a change under replay is due. Call it when it is its turn.
     */
    async steps(source: Source, stretch: Stretch, stepsPerEpoch: number | undefined, watch: Watch): Promise<number> {
      const { first, moves, micro } = stretch;
      const clock = (): StepClock => ({ step: ledger.head.step, stepsPerEpoch });
      const grouped = moves && micro === undefined && accumulate > 1;
      const into = grouped ? first % accumulate : 0;
      for (;;) {
        const { step } = ledger.head;
        rates.advance(clock());
        const edits = rates.changes();
        const updates = Math.min(rates.nextChange(clock()) - step, ahead, stretch.batches);
        const batches = Math.min(stretch.batches, grouped ? updates * accumulate - into : updates);
        // A layer that thaws in the midst of an update has no gradient from the batches before.
        if (micro?.first ?? into === 0) frozen = rates.frozenAt(clock());
        // No step counts a layer whose rest may be over before it is known; and layers change their tensors between two alarms.
        await ledger.know(told === edits ? step + updates - ahead : ahead === Number.POSITIVE_INFINITY ? 0 : step);
        const { program, ready, isStale } = await runner.readyToTrain(source, frozen, watch.sample !== undefined);
        ledger.throwIfFailed();
        // While this waited, the user may have changed what is frozen, or frozen weights; or a guard has held a layer.
        if (rates.changes() !== edits || isStale() || ledger.head.step !== step) continue;
        tell();
        const planner: Planner = {
          ...{ rates, momentum, stepsPerEpoch, takesPart: program.takesPart, every: watch.sample?.every },
        };
        let standing = ledger.head;
        const described = new Map<number, ReturnType<typeof describeRows>>();
        const planned = Array.from({ length: batches }, (_, i) => {
          const at = first + i;
          const start = at * batch;
          const part = micro ?? (grouped ? microOf(at, batch, accumulate, source.count) : undefined);
          const one = planBatch(
            planner,
            standing,
            { start, count: Math.min(batch, source.count - start), micro: part, moves },
            runner.table(i),
          );
          if (one.values.sampled === true) {
            const lrs = rates.ratesAt({ step: standing.step, stepsPerEpoch }, standing.counts);
            described.set(
              one.values.step,
              describeRows(
                rates,
                lrs.map((lr) => lr ?? 0),
              ),
            );
          }
          standing = one.sent.after;
          return one;
        });
        const metrics = runner.start(
          ready,
          planned.map(({ values }) => values),
        );
        ledger.submitted(
          planned.map(({ sent }) => sent),
          metrics,
          (made) => {
            const heard = watch.hear(made);
            const { result, statistics } = made;
            const found = statistics && described.get(result.step)?.(result.step, statistics);
            const taken = found && watch.sample?.take(found);
            return isPromise(heard) || isPromise(taken) ? Promise.all([heard, taken]) : undefined;
          },
        );
        return batches;
      }
    },

    /** One update from gradients that stand in their arena, for the rows that take part. */
    async update(takesPart: (row: number) => boolean, stepsPerEpoch: number | undefined): Promise<void> {
      await ledger.settle();
      ledger.throwIfFailed();
      const ready = await runner.readyToUpdate();
      const { head } = ledger;
      rates.advance({ step: head.step, stepsPerEpoch });
      tell();
      const planner: Planner = { rates, momentum, stepsPerEpoch, takesPart, every: undefined };
      const { values, sent } = planBatch(planner, head, { start: 0, count: 1, moves: false }, runner.table(0));
      // No loss comes with it.
      const steps = [{ step: values.step, loss: Number.NaN, hits: 0, count: 1 }];
      const metrics = runner.start(ready, [values]).then((found) => ({ ...found, steps, missed: undefined }));
      ledger.submitted([sent], metrics, () => undefined);
    },
  };
}
