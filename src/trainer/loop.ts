// The loops of a trainer: epochs over samples or batches, single steps, and passes that only look. Each turns data into
// submissions of the runner and hands what was submitted to the course.

import { type Batches, type Demand, type Packed, pack, type Samples } from "../data/dataset.ts";
import { bug, DataError, ShapeError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { DataFormat } from "../graph/trace.ts";
import type { RateTable } from "../optim/rates.ts";
import type { StepClock } from "../optim/row.ts";
import { permutation, stream } from "../random.ts";
import { inOrder } from "../step/feed.ts";
import type { Mode, Program } from "../step/program.ts";
import { checkArrival, MOST_STEPS } from "../step/replay.ts";
import type { Runner, Source } from "../step/runner.ts";
import { type Course, Tally } from "./course.ts";
import type { Evaluation, Gradients, Settings, StepResult } from "./options.ts";
import { createSteps, type Stretch, type Watch } from "./steps.ts";

/** Milliseconds of work that one submission should hold: long enough to be cheap, short enough for the page to live. */
const SUBMISSION = 40;

export const FLOATS: DataFormat = { bytes: false, scale: 1, shift: 0 };

/** What a loop works with. */
export interface Parts {
  readonly settings: Settings;
  readonly demand: Demand;
  readonly gpu: Gpu;
  readonly rates: RateTable;
  readonly runner: Runner;
  readonly course: Course;
  /** Steps that may be submitted beyond those of which the outcome is known. */
  readonly most: number;
}

/** How a fit walks through an epoch. */
export interface Walk extends Watch {
  readonly stopping: () => boolean;
  /** Number of the last step that may be made. */
  readonly end: number;
}

export type Loop = ReturnType<typeof createLoop>;

export function createLoop({ settings, demand, gpu, rates, runner, course, most }: Parts) {
  const { batch, seed, loss, momentum, update } = settings;
  const { accumulate, controllers } = update;
  const steps = createSteps({ batch, rates, runner, course, accumulate, momentum, most, controllers });
  /** What `data.order` of a source holds, so that an epoch that goes on keeps its order. */
  let order: { source: Source; epoch: number; shuffled: boolean } | undefined;
  let stepsPerEpoch: number | undefined;
  let format = FLOATS;

  const clock = (): StepClock => ({ step: course.progress.step, stepsPerEpoch });
  /** For looking only: a length that no fit has told yet is taken as endless, which leaves schedules at their start. */
  const clockToShow = (): StepClock => ({ ...clock(), stepsPerEpoch: stepsPerEpoch ?? Number.POSITIVE_INFINITY });

  function programFor(mode: Mode, at: StepClock): Program {
    return runner.program(mode, format, mode === "train" || mode === "gradients" ? rates.frozenAt(at) : []);
  }

  function setOrder(source: Source, shuffled: boolean): void {
    const { epoch } = course.progress;
    if (order?.source === source && order.epoch === epoch && order.shuffled === shuffled) return;
    const key = stream(seed, `epoch ${epoch}`);
    source.feed.setOrder(shuffled ? permutation(source.count, key) : inOrder(source.count));
    order = { source, epoch, shuffled };
  }

  async function submitBatch(packed: Packed, how: Pick<Stretch, "of" | "micro">, watch: Watch): Promise<void> {
    const source = runner.batchSource(packed);
    format = source.format;
    await steps.submit(source, { batches: 1, first: 0, ...how }, stepsPerEpoch, watch);
    course.throwIfFailed();
  }

  function packBatch(place: string, samples: Samples): Packed {
    const packed = pack(place, samples, demand);
    if (packed.count <= batch) return packed;
    throw new ShapeError(`${place}: a batch has ${packed.count} samples, compile was told ${batch}. Split it.`);
  }

  return {
    clockToShow,
    recording: (mode: Mode) => programFor(mode, clockToShow()).recording,

    /** After the course was set anew. */
    forgetOrder(): void {
      order = undefined;
    },

    /** The rest of the present epoch; true when it is whole. */
    async epochOfSamples(samples: Samples, shuffle: boolean, walk: Walk): Promise<boolean> {
      const source = runner.source("fit", samples);
      const batches = Math.ceil(source.count / batch);
      stepsPerEpoch = Math.ceil(batches / accumulate);
      setOrder(source, shuffle);
      format = source.format;
      let group = 1;
      let last = performance.now();
      // An update that has begun is made, whoever wants to stop.
      const within = (): boolean => course.progress.position % accumulate !== 0;
      while (course.progress.position < batches && (within() || !walk.stopping())) {
        const { position: first, step } = course.progress;
        const left = (walk.end - step) * accumulate - (first % accumulate);
        const most = walk.stopping() ? accumulate - (first % accumulate) : group;
        const stretch = { batches: Math.min(most, batches - first, left), first, of: batches };
        const made = await steps.submit(source, stretch, stepsPerEpoch, walk);
        course.throwIfFailed();
        const now = performance.now();
        group = nextGroup(group, (now - last) / made);
        last = now;
      }
      await course.drain();
      return course.progress.position >= batches;
    },

    /** The same over batches; those that an earlier run of the same epoch has used are passed over. */
    async epochOfBatches(batches: Batches, walk: Walk): Promise<boolean> {
      const used = course.progress.position;
      let seen = 0;
      stepsPerEpoch = undefined;
      let group: Packed[] = [];
      const flush = async (): Promise<void> => {
        const samples = group.reduce((sum, { count }) => sum + count, 0);
        for (const [i, packed] of group.entries()) {
          const micro = { weight: packed.count / samples, first: i === 0, last: i === group.length - 1 };
          await submitBatch(packed, { of: 1, ...(accumulate === 1 ? {} : { micro }) }, walk);
        }
        group = [];
      };
      for await (const samples of batches) {
        if (walk.stopping()) break;
        if (seen++ < used) continue;
        group.push(packBatch("fit", samples));
        if (group.length === accumulate) await flush();
      }
      if (!walk.stopping()) await flush();
      await course.drain();
      if (seen > 0 || walk.stopping()) return !walk.stopping();
      throw new DataError("fit: the iterable gave no batch. Give one that can be walked through once an epoch.");
    },

    /** One step that leaves the place in the epoch alone. */
    async step(packed: Packed): Promise<StepResult> {
      let found: StepResult | undefined;
      await submitBatch(
        packed,
        { of: 0 },
        {
          take: (result) => {
            found = result;
          },
        },
      );
      await course.drain();
      return found ?? bug("a step gave no metrics");
    },

    packBatch,

    /** The gradients of one batch by tensor name, and its loss; nothing is updated. */
    async gradients(packed: Packed): Promise<Gradients> {
      const source = runner.batchSource(packed);
      const program = runner.program("gradients", source.format, rates.frozenAt(clockToShow()));
      const fill = () => ({ step: 1, start: 0, count: source.count });
      const found = await runner.start(await runner.ready(program, source), 1, fill);
      checkArrival(gpu, found);
      runner.clearStatus();
      const all = await runner.store.read("gradients");
      const named = [...all].filter((_, row) => program.takesPart(row));
      return { loss: found.steps[0]?.loss ?? Number.NaN, gradients: new Map(named) };
    },

    /** One update from gradients that stand in their arena; tensors without one are not in this step. */
    async applyGradients(given: ReadonlySet<string>): Promise<void> {
      const found = await runner.update((_, table) =>
        steps.updateValues(table, clock(), (row) => given.has(rates.rows[row]?.name ?? "")),
      );
      course.heed(found.alarms);
    },

    /** `averaged`: with the running means of the weights. */
    async evaluate(samples: Samples, averaged = false): Promise<Evaluation> {
      const source = runner.source("evaluate", samples);
      const program = runner.program("evaluate", source.format, []);
      source.feed.setOrder(inOrder(source.count));
      if (order?.source === source) order = undefined;
      const tally = new Tally();
      const batches = Math.ceil(source.count / batch);
      const arrivals: Promise<void>[] = [];
      for (let at = 0; at < batches; at += MOST_STEPS) {
        const ready = await runner.ready(program, source, averaged);
        const metrics = runner.start(ready, Math.min(MOST_STEPS, batches - at), (i) => {
          const start = (at + i) * batch;
          return { step: at + i + 1, start, count: Math.min(batch, source.count - start) };
        });
        const arrival = metrics.then((found) => {
          checkArrival(gpu, found);
          for (const { loss, hits, count } of found.steps) tally.add({ loss, accuracy: hits / count, samples: count });
        });
        // An error is thrown below, where all are awaited.
        arrival.catch(() => undefined);
        arrivals.push(arrival);
      }
      await Promise.all(arrivals);
      runner.clearStatus();
      return loss.integerTarget ? tally.means : { ...tally.means, accuracy: Number.NaN };
    },
  };
}

/** Steps of the next submission, from the time that a step of the last one took. */
function nextGroup(group: number, milliseconds: number): number {
  const fitting = Math.floor(SUBMISSION / Math.max(milliseconds, SUBMISSION / MOST_STEPS));
  return Math.max(1, Math.min(fitting, group * 2));
}
