// Training steps on their way to the GPU: which program runs, how many batches share a submission, and what is told of the
// layers. All that changes is planned first; what was submitted is handed to the ledger.

import { controllerWords, memberWords, shares } from "../optim/member.ts";
import type { RateTable } from "../optim/rates.ts";
import type { StepClock } from "../optim/row.ts";
import type { Micro, StepValues } from "../step/replay.ts";
import type { Runner } from "../step/runner.ts";
import type { Source } from "../step/shelf.ts";
import type { Ledger, Listener, Sent } from "./ledger.ts";
import type { Settings } from "./options.ts";
import { microOf, planBatch } from "./plan.ts";

/** What a fit wants to see of its steps. */
export interface Watch {
  /** Hears of each update, in order. */
  readonly hear: Listener;
  /** Every so many updates leave statistics. */
  readonly every?: number | undefined;
}

/** Batches of a source in a row, all of one epoch. */
export interface Stretch {
  /** Most batches to submit, and updates. */
  readonly batches: number;
  readonly updates?: number;
  readonly first: number;
  /** Whether the place in the data moves on. */
  readonly moves: boolean;
  /** For a batch that comes alone: its part in an update of several. */
  readonly micro?: Micro | undefined;
  /** What is learned, where it is not what a fit learns, and by which tensors alone. */
  readonly loss?: string | undefined;
  readonly resting?: readonly string[] | undefined;
}

const valuesOf = ({ values }: Sent): StepValues => values;

export type Submit = ReturnType<typeof createSubmit>;

export function createSubmit(settings: Settings, rates: RateTable, runner: Runner, ledger: Ledger) {
  const { batch, momentum, update } = settings;
  const { accumulate, controllers, noise } = update;
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

  const frozenAt = (clock: StepClock, resting: Stretch["resting"]): readonly string[] =>
    resting === undefined ? rates.frozenAt(clock) : [...new Set([...rates.frozenAt(clock), ...resting])];

  const foresee = (source: Source, { resting, loss }: Stretch, at: StepClock, { every }: Watch): void => {
    runner.foresee(source, frozenAt(at, resting), every !== undefined, loss).catch(() => undefined);
  };

  return {
    /**
     * Submits batches of a stretch, and tells how many they were: one submission is one program, so it ends where the frozen set
     * changes or a change under replay is due. Call it when it is its turn.
     */
    async steps(source: Source, stretch: Stretch, stepsPerEpoch: number | undefined, watch: Watch): Promise<number> {
      // What an async function names it keeps with each call.
      const { batches: most, first, moves, micro } = stretch;
      const grouped = moves && micro === undefined && accumulate > 1;
      for (;;) {
        const { step, into } = ledger.head;
        const clock = { step, stepsPerEpoch };
        rates.advance(clock);
        const edits = rates.changes();
        const until = rates.nextChange(clock) - step;
        const updates = Math.min(until, ahead, most, stretch.updates ?? most);
        // A layer that thaws in the midst of an update has no gradient from the batches before.
        if (micro?.first ?? into === 0) frozen = frozenAt(clock, stretch.resting);
        // No step counts a layer whose rest may be over before it is known; and layers change their tensors between two alarms.
        const heard = told === edits ? step + updates - ahead : ahead === Number.POSITIVE_INFINITY ? 0 : step;
        if (ledger.isAhead(heard)) await ledger.know(heard);
        const { program, ready, isStale } = await runner.readyToTrain(
          source,
          frozen,
          watch.every !== undefined,
          stretch.loss,
        );
        ledger.throwIfFailed();
        // While this waited, the user may have changed what is frozen, or frozen weights; or a guard has held a layer.
        if (rates.changes() !== edits || isStale() || ledger.head.step !== step) continue;
        tell();
        const planner = { rates, momentum, stepsPerEpoch, program, every: watch.every, noise };
        let standing = ledger.head;
        const sent: Sent[] = [];
        while (sent.length < most && standing.step < step + updates) {
          const at = first + sent.length;
          const part = micro ?? (grouped ? microOf(at, standing, settings, source.count) : undefined);
          const start = at * batch;
          const planned = { start, count: Math.min(batch, source.count - start), micro: part, moves };
          const one = planBatch(planner, standing, planned, runner.table(sent.length));
          sent.push(one);
          standing = one.after;
        }
        ledger.submitted(sent, runner.start(ready, sent.map(valuesOf)), watch.hear);
        // The step at which layers thaw or freeze finds its program ready.
        if (until < (stretch.updates ?? most)) foresee(source, stretch, { step: step + until, stepsPerEpoch }, watch);
        return sent.length;
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
      const planner = { rates, momentum, stepsPerEpoch, program: { takesPart, labels: 0, reports: [] } };
      const sent = planBatch(planner, head, { start: 0, count: 1, moves: false }, runner.table(0));
      const { values } = sent;
      // No loss comes with it.
      const steps = [{ step: values.step, loss: Number.NaN, hits: 0, ignored: 0, count: 1 }];
      const metrics = runner.start(ready, [values]).then((found) => ({ ...found, steps }));
      ledger.submitted([sent], metrics, () => undefined);
    },
  };
}
