// The course of a fit: epochs over samples in a new order, or over batches as a stream gives them. It turns data into stretches
// of batches and hands them on to be submitted, each when it is its turn.

import { type Batches, type Data, isBatches, knowsPlaces, type Packed, type Samples } from "../data/dataset.ts";
import type { Uploaded } from "../data/uploaded.ts";
import { OptionError } from "../errors.ts";
import { permutation, stream } from "../random.ts";
import type { EpochResult, FitOptions, FitResult } from "../recipe/fit-options.ts";
import { inOrder } from "../step/feed.ts";
import { MOST_STEPS } from "../step/replay.ts";
import type { Source } from "../step/shelf.ts";
import { isPromise, type Made } from "./ledger.ts";
import type { Parts } from "./parts.ts";
import { noBatch, type Passes } from "./pass.ts";
import type { Place } from "./standing.ts";
import type { Stop } from "./stop.ts";
import type { Stretch, Watch } from "./submit.ts";
import { Tally } from "./tally.ts";

/** Milliseconds of work that one submission should hold: long enough to be cheap, short enough for the page to live. */
const SUBMISSION = 40;

export type Fit = ReturnType<typeof createFit>;

export function createFit(parts: Parts, passes: Passes) {
  const { settings, runner, ledger, submit, turns } = parts;
  const { batch, seed, update } = settings;
  const { accumulate, batches: schedule } = update;
  /** Batches of the update that is next. */
  const inUpdate = (): number => schedule.batches(ledger.head.step, ledger.head.place.epoch);
  /** What `data.order` of a source holds. */
  let order: { source: Source; epoch: number; shuffle: boolean | null } | undefined;

  function setOrder(source: Source, { epoch, shuffle }: Place): void {
    if (order?.source === source && order.epoch === epoch && order.shuffle === shuffle) return;
    for (const [k, one] of (settings.copies?.orders ?? [seed]).entries()) {
      const next = shuffle ? permutation(source.count, stream(one, `epoch ${epoch}`)) : inOrder(source.count);
      source.feed.setOrder(next, k);
    }
    order = { source, epoch, shuffle };
  }

  /** Submits a stretch when it is its turn; where listeners are waited for, until they have heard of it. */
  async function send(source: () => Source, stretch: Stretch, run: Run): Promise<number> {
    const { step } = ledger.head;
    const made = await turns(() => submit.steps(source(), stretch, parts.stepsPerEpoch, run.watch));
    if (run.lockstep || ledger.isAwaited || run.untried) await ledger.drain();
    else ledger.throwIfFailed();
    run.untried &&= ledger.head.step === step;
    return made;
  }

  /** The rest of the present epoch; true when it is whole. */
  async function overSamples(source: Source, run: Run): Promise<boolean> {
    const { place } = ledger.head;
    const batches = Math.ceil(source.count / batch);
    let group = 1;
    let last = performance.now();
    // An update that has begun is made, whoever wants to stop.
    const into = (): number => ledger.head.into;
    const position = (): number => ledger.head.place.position;
    const ordered = (): Source => {
      setOrder(source, place);
      return source;
    };
    while (position() < batches && (into() !== 0 || !run.stop.wanted())) {
      const most = run.stop.wanted() || run.lockstep || ledger.isAwaited || run.untried ? inUpdate() - into() : group;
      const stretch = {
        batches: Math.min(most, batches - position(), MOST_STEPS),
        updates: run.end - ledger.head.step,
        first: position(),
        moves: true,
      };
      const made = await send(ordered, stretch, run);
      const now = performance.now();
      group = nextGroup(group, (now - last) / made);
      last = now;
    }
    return position() >= batches;
  }

  /** The same over batches; those that an earlier part of the same epoch has used are passed over, or not asked for where batches know their places. */
  async function overBatches(batches: Batches, run: Run): Promise<boolean> {
    const { epoch, position: used } = ledger.head.place;
    const isPlaced = knowsPlaces(batches);
    const walk = isPlaced
      ? batches.from(epoch, used)
      : Symbol.asyncIterator in batches
        ? (batches as AsyncIterable<Samples>)[Symbol.asyncIterator]()
        : (batches as Iterable<Samples>)[Symbol.iterator]();
    const over = Symbol("over");
    let seen = isPlaced ? used : 0;
    let group: Packed[] = [];
    const flush = async (): Promise<void> => {
      const samples = group.reduce((sum, { count }) => sum + count, 0);
      for (const [i, packed] of group.entries()) {
        const micro = { weight: packed.count / samples, first: i === 0, last: i === group.length - 1 };
        const stretch = { batches: 1, first: 0, moves: true, micro: accumulate === 1 ? undefined : micro };
        await send(() => runner.batchSource(packed), stretch, run);
      }
      group = [];
    };
    try {
      // No batch is asked for that no step will use, and a stream that gives none does not hold up who wants to stop.
      while (!run.stop.wanted()) {
        const asked = Promise.resolve(walk.next());
        // What it says after the end is not for anybody.
        asked.catch(() => undefined);
        const next = await Promise.race([asked, run.stop.promise.then(() => over)]);
        if (next === over) break;
        const { done, value } = next as IteratorResult<Samples>;
        if (done === true) {
          await flush();
          if (seen > 0) return true;
          throw noBatch("fit");
        }
        if (seen++ < used) continue;
        group.push(passes.packBatch(`fit: batch ${seen - 1}`, value));
        if (group.length === inUpdate()) await flush();
      }
      return false;
    } finally {
      // Not waited for: a stream that is silent would never answer.
      void Promise.resolve(walk.return?.()).catch(() => undefined);
    }
  }

  /** Where a fit begins: anew, or where the last one stood. */
  function beginning(resume: boolean, wanted: Pick<Place, "count" | "shuffle">): Place {
    const { place } = ledger.known;
    const here = { batch, accumulate, ...wanted };
    const begun = place.position > 0;
    if (resume && begun && place.batch === null) {
      throw new OptionError(
        `fit: resume: the checkpoint stands at batch ${place.position} of an epoch and is of version 0.1, whose random streams gave another order. Begin anew without resume.`,
      );
    }
    if (!resume) return { ...here, epoch: place.epoch + (begun ? 1 : 0), position: 0, runEpoch: 0 };
    for (const key of ["batch", "accumulate", "count", "shuffle"] as const) {
      if (!begun || place[key] === here[key]) continue;
      throw new OptionError(
        `fit: resume: the epoch to go on with has ${key} ${place[key]}, this fit has ${key} ${here[key]}. Give the same, or begin anew without resume.`,
      );
    }
    return { ...place, ...here };
  }

  /** Refuses what cannot be meant, before anything moves. Gives the samples on the GPU; undefined for a stream. */
  function check(place: string, data: Data, options: FitOptions): Source | undefined {
    const { validation } = options;
    // Both are there at once, so that neither makes room for the other.
    if (validation !== undefined) runner.hold(checked(`${place}: validation`, validation));
    try {
      return checked(place, data);
    } finally {
      runner.hold(undefined);
    }
  }

  /** Batches that are all there are all looked at; what a stream gives, and whether it gives anything, is known only when it is asked. */
  function checked(place: string, data: Data): Source | undefined {
    if (!isBatches(data)) return runner.source(place, data);
    if (!(Array.isArray(data) || data instanceof Set || data instanceof Map)) return undefined;
    const all = [...data];
    if (all.length === 0) throw noBatch(place);
    for (const [i, samples] of all.entries()) passes.packBatch(`${place}: batch ${i}`, samples);
    return undefined;
  }

  const stepsOf = (source: Source | undefined, data: Data): number | undefined => {
    const told = knowsPlaces(data) ? data.batches : undefined;
    const batches = source === undefined ? told : Math.ceil(source.count / batch);
    // Where updates change their batches, epochs have no one number of steps.
    return batches === undefined || typeof schedule.spec !== "number" ? undefined : Math.ceil(batches / accumulate);
  };

  return {
    /** Steps of an epoch; undefined for a stream that does not say. */
    check: (place: string, data: Data, options: FitOptions): number | undefined =>
      stepsOf(check(place, data, options), data),

    async run(at: string, data: Data, options: FitOptions, stop: Stop): Promise<FitResult> {
      const { steps, validation, onEpoch, onStep, onStats, statsEvery = 50, resume = false } = options;
      const { epochs = steps === undefined ? 1 : Number.POSITIVE_INFINITY, lockstep = false, shuffle = true } = options;
      let source = check(at, data, options);
      const place = beginning(resume, {
        count: source?.count ?? null,
        shuffle: shuffle && source !== undefined,
      });
      const before = ledger.known;
      ledger.begin();
      ledger.moveTo({ ...before, place });
      parts.stepsPerEpoch = stepsOf(source, data);
      const { step: first } = before;
      const end = steps === undefined ? Number.POSITIVE_INFINITY : first + steps;
      const whole = first + (epochs - place.runEpoch) * (parts.stepsPerEpoch ?? Number.POSITIVE_INFINITY);
      parts.end = Number.isFinite(Math.min(end, whole)) ? Math.min(end, whole) : undefined;
      const wanted = (): boolean => stop.wanted() || ledger.head.step >= end;
      let tally = new Tally();
      const tell = (made: Made): unknown => {
        parts.telling = made;
        try {
          return onStep?.({ ...made.result, epoch: ledger.head.place.runEpoch + 1, rates: () => parts.ratesOf(made) });
        } finally {
          parts.telling = undefined;
        }
      };
      const hear = (made: Made): unknown => {
        if (made.told instanceof Tally) tally.join(made.told);
        else tally.add(made.telling, made.told);
        const heard = onStep && tell(made);
        const taken = made.statistics && onStats?.(made.statistics);
        return isPromise(heard) || isPromise(taken) ? Promise.all([heard, taken]) : undefined;
      };
      const every = onStats && statsEvery;
      const run: Run = {
        ...{ watch: { hear, every }, stop: { wanted, promise: stop.promise }, end, lockstep },
        untried: onStep !== undefined || onStats !== undefined,
      };
      const results: EpochResult[] = [];
      try {
        // The finder puts its own rates in the place of the schedules.
        if (at !== "findRate") parts.warn(at);
        while (ledger.head.place.runEpoch < epochs && !wanted()) {
          tally = new Tally();
          // Looked at once an epoch; what was walked over before is held no more, so that data that changes leaves nothing behind.
          if (results.length > 0 && source !== undefined) {
            runner.hold(undefined);
            source = runner.source(at, data as Samples | Uploaded);
          }
          runner.hold(source);
          const whole = await (source === undefined ? overBatches(data as Batches, run) : overSamples(source, run));
          await ledger.drain();
          if (!whole) break;
          const { place, ...standing } = ledger.known;
          const [epoch, runEpoch] = [place.epoch + 1, place.runEpoch + 1];
          ledger.moveTo({ ...standing, place: { ...place, epoch, runEpoch, position: 0 } });
          const { samples: _, ...means } = tally.means;
          const checked =
            validation === undefined ? {} : { validation: await passes.evaluate("fit: validation", validation) };
          const result = { epoch: runEpoch, ...means, ...checked };
          results.push(result);
          await onEpoch?.(result);
        }
      } catch (error) {
        // Whoever listens hears of what was made before, and of nothing after that.
        await ledger.drain().catch(() => undefined);
        throw error;
      } finally {
        // A fit that has made no step has begun none.
        if (ledger.known.place === place) ledger.moveTo(before);
        runner.hold(undefined);
        parts.end = undefined;
      }
      const { step, place: last } = ledger.known;
      return { epochs: results, stopped: epochs === Number.POSITIVE_INFINITY ? step < end : last.runEpoch < epochs };
    },

    /** After the order of a source was set by others. */
    forgetOrder(): void {
      order = undefined;
    },
  };
}

/** How a fit walks through its epochs. */
interface Run {
  readonly watch: Watch;
  readonly stop: Pick<Stop, "wanted" | "promise">;
  /** Number of the last step that may be made. */
  readonly end: number;
  readonly lockstep: boolean;
  /** The first step is waited for: only then is it known whether its listener wants to be. */
  untried: boolean;
}

/** Steps of the next submission, from the time that a step of the last one took. */
function nextGroup(group: number, milliseconds: number): number {
  const fitting = Math.floor(SUBMISSION / Math.max(milliseconds, SUBMISSION / MOST_STEPS));
  return Math.max(1, Math.min(fitting, group * 2));
}
