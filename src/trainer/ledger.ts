// What is known of the steps that were submitted. Each comes with the standing after it, which the ledger takes over when the
// step's numbers arrive; of a step that moved nothing, and of those behind it, nothing is taken over.

import { NonFiniteError } from "../errors.ts";
import { type Counts, withRest, withRowsOf } from "../optim/counts.ts";
import type { RateTable } from "../optim/rates.ts";
import type { StepClock } from "../optim/row.ts";
import type { StepResult } from "../recipe/fit-options.ts";
import type { Metrics } from "../step/replay.ts";
import type { Standing } from "./standing.ts";
import { Tally } from "./tally.ts";

/** A batch that was submitted. */
export interface Sent {
  readonly after: Standing;
  /** Whether it is the first of its update. */
  readonly begins: boolean;
  /** Whether its update is made with it. */
  readonly applied: boolean;
}

/** An update that was made: its numbers, where it left training, and its statistics where it was sampled. */
export interface Made {
  readonly result: StepResult;
  /** The clock by which it was made, and the counts after it. */
  readonly clock: Pick<StepClock, "step">;
  readonly counts: Counts;
  readonly statistics: Float32Array | undefined;
}

/** Hears of each update, in order. What it returns is awaited before it hears of the next. */
export type Listener = (made: Made) => unknown;

export interface LedgerHooks {
  /** Throws where a submission was dropped. */
  readonly checkArrival: (metrics: Metrics) => void;
  /** Lets updates happen again after a bad step. */
  readonly clearStatus: () => void;
  readonly hasLabels: boolean;
  /** Steps that a layer rests after an alarm; undefined without a guard. */
  readonly rest: number | undefined;
}

interface Entry {
  readonly sent: Sent[];
}

export type Ledger = ReturnType<typeof createLedger>;

export function createLedger(rates: RateTable, start: Standing, hooks: LedgerHooks) {
  /** After all that was submitted, and after the last update that is known to have been made. */
  let head = start;
  let known = start;
  const pending: Entry[] = [];
  let failure: unknown;
  /** The step of the last alarm of each layer that was heard of. */
  let alarms: number[] = [];
  /** The layers as the GPU knows them. */
  let members = rates.members();
  /** Micro-batches of an update that has not been made yet. */
  let partial = new Tally();
  let deliveries: Promise<void> = Promise.resolve();
  /** Whether a listener has returned a promise, and whether one has thrown: then nobody hears more. */
  let awaited = false;
  let deaf = false;
  let arrivals: Promise<void> = Promise.resolve();
  let arrived = signal();

  /** Ends what is on its way: nothing of it is taken over. */
  function fail(error: unknown): void {
    failure ??= error;
    pending.length = 0;
    head = known;
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
    hooks.checkArrival(found);
    heed(found.alarms);
    const made: Made[] = [];
    for (const [i, { step, loss, hits, count }] of found.steps.entries()) {
      const { after, begins, applied } = sent[i] as Sent;
      if (step === found.badStep) {
        hooks.clearStatus();
        const losses = found.steps.filter((one) => one.step === step).map((one) => one.loss);
        fail(badStep(step, found.badRow, losses.find((one) => !Number.isFinite(one)) ?? loss));
        break;
      }
      if (begins) partial = new Tally();
      partial.add({ loss, accuracy: hooks.hasLabels ? hits / count : Number.NaN, samples: count });
      if (!applied) continue;
      const counts = { ...after.counts, trained: known.counts.trained };
      known = after;
      made.push({
        result: { step, ...partial.means },
        clock: { step: step - 1 },
        counts,
        statistics: found.statistics.get(step),
      });
    }
    return made;
  }

  async function deliver(made: readonly Made[], listener: Listener): Promise<void> {
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

  /** Waits until it is known of all steps before `step`, counted from 0, what became of them. */
  async function know(step: number): Promise<void> {
    while (pending.some(({ sent: [first] }) => (first as Sent).after.step <= step)) await arrived.promise;
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
    /** The GPU is told of the layers as they are now. */
    meet(): void {
      members = rates.members();
    },
    /** After the GPU has forgotten them. */
    forgetAlarms(): void {
      alarms = [];
    },
    know,

    /** Takes in batches just submitted. */
    submitted(sent: readonly Sent[], metrics: Promise<Metrics>, listener: Listener): void {
      const entry = { sent: [...sent] };
      pending.push(entry);
      head = (sent.at(-1) as Sent).after;
      metrics.catch(() => undefined);
      arrivals = arrivals.then(async () => {
        try {
          const found = await metrics;
          if (!pending.includes(entry)) return;
          const made = takeOver(entry, found);
          if (pending[0] === entry) pending.shift();
          deliveries = deliveries.then(() => deliver(made, listener));
        } catch (error) {
          if (pending.includes(entry)) fail(error);
        } finally {
          arrived.fire();
          arrived = signal();
        }
      });
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

    /** Waits for all steps on their way. */
    settle: (): Promise<void> => know(Number.POSITIVE_INFINITY),

    /** Waits for all steps on their way and those who listen to them, and throws what went wrong, once. */
    async drain(): Promise<void> {
      await know(Number.POSITIVE_INFINITY);
      await deliveries;
      throwIfFailed();
    },
  };
}

export const isPromise = (value: unknown): boolean => typeof Object(value).then === "function";

/** A promise that is resolved from outside. */
function signal() {
  let fire = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { promise, fire };
}
