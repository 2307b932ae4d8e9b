// The loops of a trainer: epochs over samples or batches, single steps, and passes that only look. Each turns data into
// submissions of the runner and hands what was submitted to the course.

import { type Batches, type Demand, type Packed, pack, type Samples } from "../data/dataset.ts";
import { bug, DataError, ShapeError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { DataFormat } from "../graph/trace.ts";
import type { RateTable } from "../optim/rates.ts";
import type { StepClock } from "../optim/row.ts";
import { permutation, stream } from "../random.ts";
import type { Mode, Program } from "../step/program.ts";
import { checkArrival, type Fill, MOST_STEPS } from "../step/replay.ts";
import { inOrder, type Runner, type Source } from "../step/runner.ts";
import { type Course, Tally } from "./course.ts";
import type { Evaluation, Gradients, Settings, StepResult } from "./options.ts";

/** Milliseconds of work that one submission should hold: long enough to be cheap, short enough for the page to live. */
const SUBMISSION = 40;

/** The rates were changed while a submission waited; it is made anew. */
const CHANGED = Symbol("changed");

export const FLOATS: DataFormat = { bytes: false, scale: 1, shift: 0 };

/** What a loop works with. */
export interface Parts {
  readonly settings: Settings;
  readonly demand: Demand;
  readonly gpu: Gpu;
  readonly rates: RateTable;
  readonly runner: Runner;
  readonly course: Course;
}

/** How a fit walks through an epoch. */
export interface Walk {
  /** Gets the numbers of each step, in order. */
  readonly take: (result: StepResult) => void;
  readonly stopping: () => boolean;
  /** Number of the last step that may be made. */
  readonly end: number;
}

export type Loop = ReturnType<typeof createLoop>;

export function createLoop({ settings, demand, gpu, rates, runner, course }: Parts) {
  const { batch, seed, loss } = settings;
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

  /**
   * Submits steps on the batches `first`, `first + 1`, ... of a source, at most so many, and tells how many they were: one
   * submission is one program, so it ends where the frozen set changes. `moves`: they use up the epoch.
   */
  async function submit(
    source: Source,
    walk: { readonly steps: number; readonly first: number; readonly moves: boolean },
    take: Walk["take"],
  ): Promise<number> {
    const { first, moves } = walk;
    format = source.format;
    rates.advance(clock());
    const edits = rates.changes();
    const program = programFor("train", clock());
    const steps = Math.min(walk.steps, rates.nextChange(clock()) - course.progress.step);
    let before = course.progress;
    let updatesBefore: number[] = [];
    const fill: Fill = (i, table) => {
      if (i === 0) {
        // A submission may wait for its turn, and the user change meanwhile what is frozen.
        if (rates.changes() !== edits) throw CHANGED;
        before = course.progress;
        updatesBefore = rates.updates();
      }
      rates.write(table, clock(), program.takesPart);
      const { step, position } = course.progress;
      course.progress = { ...course.progress, step: step + 1, position: position + (moves ? 1 : 0) };
      const start = (first + i) * batch;
      return { step: step + 1, start, count: Math.min(batch, source.count - start) };
    };
    try {
      const { metrics } = await runner.submit(program, source, steps, fill);
      course.submitted({ before, updatesBefore, moves }, metrics, take);
      return steps;
    } catch (error) {
      if (error === CHANGED) return submit(source, walk, take);
      throw error;
    }
  }

  function setOrder(source: Source, shuffled: boolean): void {
    const { epoch } = course.progress;
    if (order?.source === source && order.epoch === epoch && order.shuffled === shuffled) return;
    const key = stream(seed, `epoch ${epoch}`);
    source.feed.setOrder(shuffled ? permutation(source.count, key) : inOrder(source.count));
    order = { source, epoch, shuffled };
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
    async epochOfSamples(samples: Samples, shuffle: boolean, { take, stopping, end }: Walk): Promise<boolean> {
      const source = runner.source("fit", samples);
      const batches = Math.ceil(source.count / batch);
      stepsPerEpoch = batches;
      setOrder(source, shuffle);
      let group = 1;
      let last = performance.now();
      while (course.progress.position < batches && !stopping()) {
        const { position: first, step } = course.progress;
        const most = Math.min(group, batches - first, end - step);
        const steps = await submit(source, { steps: most, first, moves: true }, take);
        course.throwIfFailed();
        const now = performance.now();
        group = nextGroup(group, (now - last) / steps);
        last = now;
      }
      await course.drain();
      return course.progress.position >= batches;
    },

    /** The same over batches; those that an earlier run of the same epoch has used are passed over. */
    async epochOfBatches(batches: Batches, { take, stopping }: Walk): Promise<boolean> {
      const used = course.progress.position;
      let seen = 0;
      stepsPerEpoch = undefined;
      for await (const samples of batches) {
        if (stopping()) break;
        if (seen++ < used) continue;
        await submit(runner.batchSource(packBatch("fit", samples)), { steps: 1, first: 0, moves: true }, take);
        course.throwIfFailed();
      }
      await course.drain();
      if (seen > 0 || stopping()) return !stopping();
      throw new DataError("fit: the iterable gave no batch. Give one that can be walked through once an epoch.");
    },

    /** One step that leaves the place in the epoch alone. */
    async step(packed: Packed): Promise<StepResult> {
      let found: StepResult | undefined;
      await submit(runner.batchSource(packed), { steps: 1, first: 0, moves: false }, (result) => {
        found = result;
      });
      await course.drain();
      return found ?? bug("a step gave no metrics");
    },

    packBatch,

    /** The gradients of one batch by tensor name, and its loss; nothing is updated. */
    async gradients(packed: Packed): Promise<Gradients> {
      const source = runner.batchSource(packed);
      const program = runner.program("gradients", source.format, rates.frozenAt(clockToShow()));
      const fill = () => ({ step: 1, start: 0, count: source.count });
      const found = await (await runner.submit(program, source, 1, fill)).metrics;
      checkArrival(gpu, found);
      runner.clearStatus();
      const all = await runner.store.read("gradients");
      const named = [...all].filter((_, row) => program.takesPart(row));
      return { loss: found.steps[0]?.loss ?? Number.NaN, gradients: new Map(named) };
    },

    /** One update from gradients that stand in their arena; tensors without one are not in this step. */
    async applyGradients(given: ReadonlySet<string>): Promise<void> {
      await runner.update((_, table) => {
        rates.advance(clock());
        rates.write(table, clock(), (row) => given.has(rates.rows[row]?.name ?? ""));
        course.progress = { ...course.progress, step: course.progress.step + 1 };
        return { step: course.progress.step, start: 0, count: 1 };
      });
    },

    async evaluate(samples: Samples): Promise<Evaluation> {
      const source = runner.source("evaluate", samples);
      const program = runner.program("evaluate", source.format, []);
      source.feed.setOrder(inOrder(source.count));
      if (order?.source === source) order = undefined;
      const tally = new Tally();
      const batches = Math.ceil(source.count / batch);
      const arrivals: Promise<void>[] = [];
      for (let at = 0; at < batches; at += MOST_STEPS) {
        const { metrics } = await runner.submit(program, source, Math.min(MOST_STEPS, batches - at), (i) => {
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
