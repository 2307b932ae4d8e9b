// What is known of the steps that were submitted. Each comes with the standing after it, which the ledger takes over when the
// step's numbers arrive; of a step that moved nothing, and of those behind it, nothing is taken over.

import { DeviceError, GradusError, NonFiniteError } from "../errors.ts";
import { withRest, withRowsOf } from "../optim/counts.ts";
import type { RateTable } from "../optim/rates.ts";
import type { Describe, StepStatistics } from "../optim/statistics.ts";
import type { StepResult } from "../recipe/fit-options.ts";
import type { Metrics, StepMetrics } from "../step/metrics.ts";
import type { StepValues } from "../step/replay.ts";
import type { Standing } from "./standing.ts";
import { resultOf, Tally, type Telling } from "./tally.ts";

/** A batch that was submitted. */
export interface Sent {
  readonly values: StepValues;
  readonly after: Standing;
  /** Where it leaves statistics. */
  readonly describe: Describe | undefined;
  /** What its numbers are. */
  readonly telling: Telling;
}

/** An update that was made: its numbers, where it found training and left it, and its statistics where it was sampled. */
export interface Made {
  readonly result: StepResult;
  /** What the numbers are made of: those of a batch that is an update, or of several. */
  readonly told: StepMetrics | Tally;
  readonly telling: Telling;
  readonly before: Standing;
  readonly after: Standing;
  readonly statistics: StepStatistics | undefined;
}

/** Hears of each update, in order. What it returns is awaited before it hears of the next. */
export type Listener = (made: Made) => unknown;

export interface LedgerHooks {
  /** Lets updates happen again after a bad step. */
  readonly clearStatus: () => void;
  /** Steps that a layer rests after an alarm; undefined without a guard. */
  readonly rest: number | undefined;
}

/** A submission on its way. */
interface Entry {
  readonly sent: Sent[];
  /** Resolves when its numbers are taken over, or known not to come. */
  arrival: Promise<void>;
}

export type Ledger = ReturnType<typeof createLedger>;

export function createLedger(rates: RateTable, start: Standing, hooks: LedgerHooks) {
  /** After all that was submitted, and after the last update that is known to have been made. */
  let head = start;
  let known = start;
  const pending: Entry[] = [];
  let failure: unknown;
  /** Whether a device has left out what was submitted last, and why the weights are of no step that is known, if they are. */
  let isCut = false;
  let adrift: DeviceError | undefined;
  /** The step of the last alarm of each layer that was heard of. */
  let alarms: number[] = [];
  /** The layers as the GPU knows them. */
  let members = rates.members();
  /** Micro-batches of an update that has not been made yet. */
  let partial = new Tally();
  let isPartial = false;
  let deliveries: Promise<void> = Promise.resolve();
  /** Whether a listener has returned a promise, and whether one has thrown: then nobody hears more. */
  let awaited = false;
  let deaf = false;
  let arrivals: Promise<void> = Promise.resolve();

  /** Ends what is on its way: nothing of it is taken over. */
  function fail(error: unknown): void {
    failure ??= error;
    pending.length = 0;
    head = known;
  }

  /** The GPU may have moved weights by steps that are not known. */
  function drift(cause: unknown): void {
    adrift ??= new DeviceError(
      "trainer: the device left out a step and may have made others behind it, so that its weights are of no step. Load a checkpoint to go on.",
      { cause },
    );
  }

  function badStep(step: number, row: number, loss: number): NonFiniteError {
    const what =
      row === 0
        ? `its loss is ${loss}`
        : `the gradient of "${rates.rows[row - 1]?.name}" is no number or beyond all bounds`;
    return new NonFiniteError(
      `step ${step}: ${what}. Nothing has moved: the weights are those from before it. Lower the learning rate, or look at that batch.`,
      step,
    );
  }

  /** A layer that a guard holds has counted nothing since its alarm, and will not while it rests. */
  function heed(found: Uint32Array): void {
    const { rest } = hooks;
    if (rest === undefined) return;
    for (const [layer, step] of found.entries()) {
      if (step === 0 || step === (alarms[layer] ?? 0)) continue;
      alarms[layer] = step;
      const standings = [known, ...pending.flatMap(({ sent }) => sent.map(({ after }) => after))];
      const before = standings.findLast((standing) => standing.step < step) ?? known;
      const { name, rows } = members[layer] as (typeof members)[number];
      const hold = (standing: Standing): Standing =>
        standing.step < step
          ? standing
          : {
              ...standing,
              counts: withRest(withRowsOf(standing.counts, rows, before.counts), name, [step - 1, step - 1 + rest]),
            };
      for (const { sent } of pending)
        for (const [i, one] of sent.entries()) sent[i] = { ...one, after: hold(one.after) };
      head = hold(head);
      known = hold(known);
    }
  }

  /** Takes over what an arrival tells, and gives the updates that were made. */
  function takeOver({ sent }: Entry, found: Metrics): Made[] {
    heed(found.alarms);
    const made: Made[] = [];
    for (let i = 0; i < sent.length; i++) {
      const metrics = found.steps[i] as StepMetrics;
      const { step, loss } = metrics;
      const { values, after, describe, telling } = sent[i] as Sent;
      if (step === found.badStep) {
        hooks.clearStatus();
        const losses = found.steps.filter((one) => one.step === step).map((one) => one.loss);
        fail(badStep(step, found.badRow, losses.find((one) => !Number.isFinite(one)) ?? loss));
        break;
      }
      const { micro } = values;
      isPartial = micro?.last === false;
      if (micro !== undefined) {
        if (micro.first) partial = new Tally();
        partial.add(telling, metrics);
        if (!micro.last) continue;
      }
      const result = micro === undefined ? resultOf(telling, metrics) : { step, ...partial.means };
      const told = micro === undefined ? metrics : partial;
      const statistics = found.statistics.get(step);
      made.push({
        result,
        told,
        telling,
        before: known,
        after,
        statistics: statistics && describe?.(step, statistics),
      });
      known = after;
    }
    return made;
  }

  async function deliver(made: readonly Made[], listener: Listener, before: Promise<void>): Promise<void> {
    await before;
    try {
      for (const one of made) {
        if (deaf) return;
        const answer = listener(one);
        if (!isPromise(answer)) continue;
        awaited = true;
        await answer;
      }
    } catch (error) {
      // The steps that are on their way are made all the same.
      deaf = true;
      failure ??= error;
    }
  }

  function throwIfFailed(): void {
    if (failure === undefined) return;
    const found = failure;
    failure = undefined;
    throw found;
  }

  /** Whether it is not known yet of all steps before `step`, counted from 0, what became of them. */
  const isAhead = (step: number): boolean =>
    pending.length > 0 && ((pending[0] as Entry).sent[0] as Sent).after.step <= step;

  /** Waits until it is known. */
  async function know(step: number): Promise<void> {
    while (isAhead(step)) await pending[0]?.arrival;
  }

  /** Waits for all steps on their way, also behind one that failed. */
  async function settle(): Promise<void> {
    await know(Number.POSITIVE_INFINITY);
    await arrivals;
  }

  /** Takes in the numbers of a submission, after those of all before it. */
  async function arrive(
    entry: Entry,
    metrics: Promise<Metrics>,
    listener: Listener,
    before: Promise<void>,
  ): Promise<void> {
    await before;
    try {
      const found = await metrics;
      if (!pending.includes(entry)) {
        if (isCut) drift(failure);
        return;
      }
      const made = takeOver(entry, found);
      if (pending[0] === entry) pending.shift();
      deliveries = deliver(made, listener, deliveries);
    } catch (error) {
      if (!pending.includes(entry)) return;
      isCut = true;
      fail(error);
      // What was not read, for a cause that the error names, may have run all the same; and states move with each batch of an update.
      if (isPartial || !(error instanceof GradusError && error.cause === undefined)) drift(error);
    }
  }

  return {
    get head(): Standing {
      return head;
    },
    /** After the last update that is known to have been made: a checkpoint knows no part of one. */
    get known(): Standing {
      return known;
    },
    /** Training stands elsewhere, without a step. Only while nothing is on its way. */
    moveTo(standing: Standing): void {
      head = known = standing;
    },
    /** All that a checkpoint holds stands on the GPU again. */
    restore(standing: Standing): void {
      adrift = undefined;
      isPartial = false;
      this.moveTo(standing);
    },
    /** The GPU is told of the layers as they are now. */
    meet(): void {
      members = rates.members();
    },
    /** After the GPU has forgotten them. */
    forgetAlarms(): void {
      alarms = [];
    },
    isAhead,
    know,

    /** Takes in batches just submitted. */
    submitted(sent: Sent[], metrics: Promise<Metrics>, listener: Listener): void {
      isCut = false;
      const entry = { sent, arrival: arrivals };
      pending.push(entry);
      head = (sent.at(-1) as Sent).after;
      metrics.catch(() => undefined);
      entry.arrival = arrivals = arrive(entry, metrics, listener, arrivals);
    },

    /** A new fit begins: whoever listens has not been heard yet. */
    begin(): void {
      deaf = awaited = false;
    },

    /** Whether listeners are to be waited for before the next step. */
    get isAwaited(): boolean {
      return awaited;
    },

    throwIfFailed,

    settle,

    /** Throws where weights may be of no step, until a checkpoint is restored. */
    demandSound(): void {
      if (adrift !== undefined) throw adrift;
    },

    /** Waits for all steps on their way and those who listen to them, and throws what went wrong, once. */
    async drain(): Promise<void> {
      await settle();
      await deliveries;
      throwIfFailed();
    },
  };
}

export const isPromise = (value: unknown): boolean => value !== undefined && typeof Object(value).then === "function";
