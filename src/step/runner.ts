// Runs programs on data: one set of weights, one program for each mode and set of frozen tensors, and what ties them to samples.
// Whoever calls it says which batches, never how.

import type { Packed } from "../data/dataset.ts";
import type { Normalization } from "../data/normalization.ts";
import { Uploaded } from "../data/uploaded.ts";
import { bug } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { DataFormat } from "../graph/stream.ts";
import type { Objective } from "../op/layer.ts";
import { blockBytes, type Placed } from "../plan/layout.ts";
import { stream } from "../random.ts";
import { createBindings } from "./bindings.ts";
import { createCache } from "./cache.ts";
import { createFeed, type Feed, inOrder } from "./feed.ts";
import { predicted, predictedAtOnce } from "./predict.ts";
import { buildProgram, checkPlaces, type Mode, type Program, type ProgramOptions } from "./program.ts";
import { type Asked, createPrograms } from "./programs.ts";
import { recordUpdate } from "./record.ts";
import { createReplay, MOST_STEPS, type Prepared, partsOf, type ReplayOptions } from "./replay.ts";
import { createShelf, type Source } from "./shelf.ts";
import { createStore, type HostTensor } from "./store.ts";
import { isControlled } from "./update.ts";

/** How samples are predicted: with the running means of the weights, so many at once, and what of several outputs. */
export interface PredictSettings {
  readonly averaged: boolean;
  readonly batch: number | undefined;
  readonly output: string;
}

export type Runner = ReturnType<typeof createRunner>;
export type RunnerOptions = Omit<
  ProgramOptions,
  "mode" | "loss" | "frozen" | "format" | "software" | "quads" | "sampled" | "cached" | "perSample" | "mostBlocks"
> & {
  /** What there is to learn, by name; a fit has the one without. */
  readonly objectives: ReadonlyMap<string, Objective>;
  /** Number of the rule of each row. */
  readonly ruleOf: (row: number) => number;
  /** Whether what frozen layers at the input make of each sample is kept. */
  readonly cacheFrozen: boolean;
  readonly seed: number;
  /** Of x where samples do not say it. */
  readonly normalization: Normalization;
};

/** `first` is the program whose layout all others share. */
export function createRunner(gpu: Gpu, options: RunnerOptions, first: Program) {
  const { update } = options;
  const { streams } = first;
  const [base, states] = [first.base.layout, first.states.layout];
  const paths = first.draws.map((path) => stream(options.seed, `draw ${path}`).path);
  const told: ReplayOptions = {
    rows: first.parameters.length,
    layers: update.layers,
    reports: options.mostReports ?? first.reports.length,
    counts: options.mostCounts ?? 0,
    batch: options.batch,
    seed: options.seed,
  };
  const beside = [...partsOf(told), ...first.recording.arenas];
  const store = createStore(gpu, first.layout, update, options.ruleOf, { base, states, paths, beside });
  const replay = createReplay(gpu, told);
  const device = {
    software: gpu.software,
    quads: gpu.quads,
    // Parts begin where a binding may: the smallest thing that a block has is a word.
    mostBlocks: Math.floor(gpu.device.limits.maxStorageBufferBindingSize / blockBytes(first.layout) / 64) * 64,
  };
  store.lend("metrics", replay.metrics);
  const build = (asked: Asked): Program => {
    if (asked.sampled) store.prepareStatistics(MOST_STEPS);
    const loss = options.objectives.get(asked.loss) ?? bug(`there is no loss "${asked.loss}"`);
    const made = buildProgram({
      ...options,
      ...device,
      ...asked,
      loss,
      first,
      frozen: new Set(asked.frozen),
      store,
      gpu,
    });
    checkPlaces(made, first);
    return made;
  };
  let programs = createPrograms(build);
  const bindings = createBindings(gpu, store, replay);
  const shelf = createShelf(gpu, { ...options, streams }, (feed) => {
    bindings.forget(feed);
    cache.forget(feed);
  });
  const cache = createCache({ gpu, replay, prepared: bindings.of, drop: shelf.drop, arena: store.arena });
  let updateAlone: Promise<Prepared> | undefined;
  const foreseen = new WeakSet<Program>();

  const program = (
    mode: Mode,
    format: DataFormat,
    frozen: readonly string[],
    { sampled = false, cached = false, batch = options.batch, loss = "", perSample = false } = {},
  ): Program => programs({ mode, loss, format, frozen, sampled, cached, batch, perSample });

  const features = ({ format }: Source, frozen: readonly string[]): Program => program("features", format, frozen);

  /** What a training step runs. */
  function stepOf(source: Source, frozen: readonly string[], sampled: boolean, loss: string): Program {
    // Where only a loss trains, a program without one knows of nothing to begin behind.
    const cached = options.cacheFrozen && source.stays && features(source, frozen).features !== undefined;
    return program("train", source.format, frozen, { sampled, cached, loss });
  }

  return {
    store,
    program,

    ...shelf,

    /** A training step on a source, and the turn to run it; stale where the features that it begins at no longer hold. */
    async readyToTrain(source: Source, frozen: readonly string[], sampled: boolean, loss = "") {
      const run = stepOf(source, frozen, sampled, loss);
      // Where training begins elsewhere, weights before the features may change.
      if (run.features === undefined) cache.forgetAll();
      const isStale = cache.watch();
      const feed = run.features === undefined ? source.feed : await cache.of(features(source, frozen), source.feed);
      // What is there already is not waited for: each promise is something to collect.
      const bound = bindings.of(run, feed);
      const ready = bound instanceof Promise ? await bound : bound;
      const others = replay.ready();
      if (others !== undefined) await others;
      return { program: run, ready, isStale };
    },

    /** Plans and compiles a step that comes later, while those before it run. What is wrong with it is told when it is there. */
    async foresee(source: Source, frozen: readonly string[], sampled: boolean, loss = ""): Promise<void> {
      const run = stepOf(source, frozen, sampled, loss);
      if (foreseen.has(run)) return;
      foreseen.add(run);
      const before = run.features === undefined ? [] : [features(source, frozen)];
      await Promise.all([run, ...before].map(({ recording }) => replay.compile(recording)));
    },

    forgetFeatures: cache.forgetAll,

    /** Sets a weight, and with it what its mean starts from, if it trains; or a state. */
    setWeight(placed: Placed, values: Float32Array<ArrayBuffer>): void {
      cache.forgetAll();
      const home = store.homeOf(placed);
      for (const arena of home === "parameters" && update.average ? [home, "average"] : [home])
        store.write(arena, placed, values);
    },

    /** Programs are made anew, for kernels run in another way now. */
    forgetPrograms(): void {
      programs = createPrograms(build);
    },

    /** Compiles what a recording needs, all at once; tells of each kernel that is ready. */
    compile: replay.compile,

    /** What a program needs to run on a feed, and the turn to do so. */
    async ready(run: Program, feed: Feed, averaged = false): Promise<Prepared> {
      const found = await bindings.of(run, feed, averaged);
      await replay.ready();
      return found;
    },

    /** The update alone, on the gradients that stand in their arena, and the turn to make it. */
    async readyToUpdate(): Promise<Prepared> {
      updateAlone ??= replay.prepare(recordUpdate({ ...update, accumulate: 1 }, first.layout, device), store.buffers);
      const found = await updateAlone;
      await replay.ready();
      return found;
    },

    /** Layer tables of the coming submission, by step. */
    table: replay.table,

    /** Submits steps of what is ready, without delay. Resolves when their numbers are back. */
    start: replay.start,

    /** The output for each sample, of data that serves for this alone or that lies on the GPU already. */
    async predict(given: Packed | Uploaded, { averaged, batch: most, output }: PredictSettings): Promise<HostTensor> {
      const lies = given instanceof Uploaded ? shelf.uploaded("predict", given) : undefined;
      const { count, format } = lies ?? (given as Packed);
      const batch = most ?? predictedAtOnce(count, options.batch, program("predict", format, []));
      const run = program("predict", format, [], { batch });
      const feed = lies ? shelf.inOrder(lies.feed) : createFeed(gpu, given as Packed);
      if (lies === undefined) {
        feed.replace(given as Packed);
        feed.setOrder(inOrder(count));
      }
      try {
        const ready = await bindings.of(run, feed, averaged);
        return await predicted({ gpu, replay, run, ready, arena: store.arena }, output, count);
      } finally {
        if (lies === undefined) shelf.drop(feed);
      }
    },

    /** Tells the passes around the update of layers and their rows, and of the shares of their means. */
    tell(layers: Uint32Array<ArrayBuffer>, shares: Float32Array<ArrayBuffer>): void {
      if (isControlled(update)) store.set("layers", layers);
      if (update.average) store.set("shares", shares);
    },

    clearStatus: () => replay.clearStatus(),
    setAlarms: replay.setAlarms,

    dispose(): void {
      shelf.dispose();
      cache.dispose();
      bindings.dispose();
      replay.dispose();
      store.dispose();
      gpu.dispose();
    },
  };
}
