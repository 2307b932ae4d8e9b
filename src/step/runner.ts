// Runs programs on data: keeps one set of weights, one program for each mode and set of frozen tensors, and the bind
// groups that tie programs to data. Whoever calls it says which batches, never how.

import type { Packed, Samples } from "../data/dataset.ts";
import { fingerprint } from "../data/fingerprint.ts";
import type { Normalization } from "../data/normalization.ts";
import { pack } from "../data/pack.ts";
import { Uploaded } from "../data/uploaded.ts";
import { bug } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { BufferUsage } from "../gpu/usage.ts";
import { type DataFormat, isSameFormat } from "../graph/stream.ts";
import type { Objective } from "../op/layer.ts";
import { bytesOf, size } from "../op/tensor.ts";
import { blockBytes, type Placed } from "../plan/layout.ts";
import { stream } from "../random.ts";
import { cacheFeatures } from "./cache.ts";
import { createFeed, type Feed, inOrder, roomFor } from "./feed.ts";
import { buildProgram, checkPlaces, type Mode, type Program, type ProgramOptions } from "./program.ts";
import { createPrograms } from "./programs.ts";
import { recordUpdate } from "./record.ts";
import { createReplay, MOST_STEPS, type Prepared } from "./replay.ts";
import { createStore, type HostTensor, readBack } from "./store.ts";
import { isControlled } from "./update.ts";

/** Data sets that stay on the GPU; with one more, the one that was used longest ago leaves. */
const MOST_FEEDS = 4;

/** Samples that are predicted at once where nobody says, and bytes of their activations. */
const MOST_PREDICTED = 1024;
const MOST_ACTIVATIONS = 2 ** 26;

/** Bytes of predictions that are read back at once. */
const MOST_READ = 2 ** 26;

/** Samples on the GPU. */
export interface Source {
  readonly feed: Feed;
  readonly format: DataFormat;
  /** Samples that are real; the feed for single batches may have room for more. */
  readonly count: number;
  /** Whether it holds the same samples the next time. */
  readonly stays: boolean;
}

/** How samples are predicted: with the running means of the weights, so many at once, and what of several outputs. */
export interface PredictSettings {
  readonly averaged: boolean;
  readonly batch: number | undefined;
  readonly output: string;
}

export type Runner = ReturnType<typeof createRunner>;
export type RunnerOptions = Omit<
  ProgramOptions,
  "mode" | "loss" | "frozen" | "format" | "software" | "sampled" | "cached" | "mostBlocks"
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
  const store = createStore(gpu, first.layout, update, options.ruleOf, { base, states, paths });
  const replay = createReplay(gpu, {
    rows: first.parameters.length,
    layers: update.layers,
    reports: options.mostReports ?? first.reports.length,
    seed: options.seed,
  });
  const device = {
    software: gpu.software,
    // Parts begin where a binding may: the smallest thing that a block has is a word.
    mostBlocks: Math.floor(gpu.device.limits.maxStorageBufferBindingSize / blockBytes(first.layout) / 64) * 64,
  };
  store.lend("metrics", replay.metrics);
  const programs = createPrograms((asked) => {
    if (asked.sampled) store.prepareStatistics(MOST_STEPS);
    const loss = options.objectives.get(asked.loss) ?? bug(`there is no loss "${asked.loss}"`);
    const made = buildProgram({ ...options, ...device, ...asked, loss, first, frozen: new Set(asked.frozen) });
    checkPlaces(made, first);
    return made;
  });
  /** What is bound to a feed, with the weights or with their running means; it leaves with its program. */
  type OfFeed = Readonly<Record<"plain" | "averaged", WeakMap<Program, Prepared>>>;
  const bound = new Map<Feed, OfFeed>();
  /** By content, and the content that an object had last. */
  const sources = new Map<string, Source>();
  const contents = new WeakMap<object, string>();
  const uploads = new Set<Feed>();
  /** Numbers that are the same in each step. */
  const constants = new Map<string, GPUBuffer>();
  const freed = new Set<Feed>();
  /** What a fit walks over stays, whatever else is looked at meanwhile. */
  let held: Feed | undefined;
  /** The same samples in their own order, by feed. */
  const ordered = new Map<Feed, Feed>();
  const batchFeeds: (Pick<Source, "feed" | "format"> & {
    readonly names: readonly string[];
    readonly widths: readonly number[];
  })[] = [];
  let updateAlone: Promise<Prepared> | undefined;

  /** Features by the feed that they were made from, with what made them. */
  const caches = new Map<Feed, { readonly run: Program; readonly features: Feed }>();
  /** Features that no later step uses, though one on its way may. */
  let stale: Feed[] = [];
  /** How often all features were forgotten. */
  let forgotten = 0;

  const program = (
    mode: Mode,
    format: DataFormat,
    frozen: readonly string[],
    { sampled = false, cached = false, batch = options.batch, loss = "" } = {},
  ): Program => programs({ mode, loss, format, frozen, sampled, cached, batch });

  /** `averaged`: with the running means in the place of the weights. */
  const prepared = (run: Program, feed: Feed, averaged = false): Prepared | Promise<Prepared> =>
    bound.get(feed)?.[averaged ? "averaged" : "plain"].get(run) ?? prepare(run, feed, averaged);

  async function prepare(run: Program, feed: Feed, averaged: boolean): Promise<Prepared> {
    // A larger arena is a new buffer, so what was bound to the old one is bound again when it is next used.
    if (store.grow(run.recording.arenas)) bound.clear();
    const ofFeed: OfFeed = bound.get(feed) ?? { plain: new WeakMap(), averaged: new WeakMap() };
    bound.set(feed, ofFeed);
    const buffers = new Map([...store.buffers, ...feed.buffers]);
    for (const [name, values] of run.constants) {
      const known = constants.get(name);
      const buffer = known ?? gpu.buffer(name, values.byteLength, BufferUsage.STORAGE | BufferUsage.COPY_DST);
      if (known === undefined) gpu.device.queue.writeBuffer(buffer, 0, values);
      constants.set(name, buffer);
      buffers.set(name, buffer);
    }
    if (averaged) buffers.set("parameters", store.arena("average"));
    const made = await replay.prepare(run.recording, buffers);
    ofFeed[averaged ? "averaged" : "plain"].set(run, made);
    return made;
  }

  function drop(feed: Feed): void {
    const own = ordered.get(feed);
    ordered.delete(feed);
    bound.delete(feed);
    forget(feed);
    feed.dispose();
    if (own !== undefined) drop(own);
  }

  /** A feed beside another one, for those who only look. */
  function inOrderOf(feed: Feed): Feed {
    const own = ordered.get(feed) ?? feed.inOrder();
    ordered.set(feed, own);
    return own;
  }

  const upload = (packed: Packed): Source => ({
    feed: createFeed(gpu, packed),
    format: packed.format,
    count: packed.count,
    stays: true,
  });

  function forget(feed: Feed): void {
    const known = caches.get(feed);
    if (known === undefined) return;
    caches.delete(feed);
    stale.push(known.features);
  }

  /** Forgets features whose weights are no longer what they were. */
  function forgetFeatures(): void {
    forgotten++;
    for (const feed of caches.keys()) forget(feed);
  }

  /** The source with features in the place of its samples, computed where they are not at hand. */
  async function featuresOf({ feed, format }: Source, frozen: readonly string[]): Promise<Feed> {
    const run = program("features", format, frozen);
    const known = caches.get(feed);
    if (known?.run === run) return known.features;
    for (const [other, { run: made }] of caches) if (made !== run || other === feed) forget(other);
    for (const old of stale) drop(old);
    stale = [];
    const before = forgotten;
    const features = await cacheFeatures({ gpu, replay, run, prepared, drop, arena: store.arena }, feed);
    // Weights that were set meanwhile are in some of them or in none.
    if (forgotten === before) caches.set(feed, { run, features });
    else stale.push(features);
    return features;
  }

  const uploaded = (place: string, data: Uploaded): Source => data.sourceFor(place, sources) as Source;

  /** Samples that a prediction takes at once, a power of two: no more than there are, nor than fit a little memory. */
  function predictedAtOnce(count: number, format: DataFormat): number {
    const { batch } = options;
    const perSample = program("predict", format, []).recording.memory.planned / batch;
    const most = Math.max(batch, Math.min(MOST_PREDICTED, MOST_ACTIVATIONS / Math.max(1, perSample)));
    return Math.min(2 ** Math.ceil(Math.log2(count)), Math.max(batch, 2 ** Math.floor(Math.log2(most))));
  }

  return {
    store,
    program,

    /** Samples on the GPU: what has the same content as before, in whatever arrays, is checked and uploaded once. */
    source(place: string, samples: Samples | Uploaded): Source {
      if (samples instanceof Uploaded) return uploaded(place, samples);
      const content = fingerprint(samples);
      const source = sources.get(content) ?? upload(pack(place, samples, streams, options.normalization));
      const before = contents.get(samples);
      contents.set(samples, content);
      sources.delete(content);
      sources.set(content, source);
      // What an object held before is not asked for again.
      const [oldest] = [...sources].filter(([, one]) => one !== source && one.feed !== held);
      const gone =
        before !== undefined && before !== content ? before : sources.size > MOST_FEEDS ? oldest?.[0] : undefined;
      const left = gone === undefined ? undefined : sources.get(gone);
      if (gone !== undefined && left !== undefined && left.feed !== held) {
        sources.delete(gone);
        drop(left.feed);
      }
      return source;
    },

    /** Samples that stay on the GPU until they are disposed of. */
    upload(place: string, samples: Samples): Uploaded {
      const source = upload(pack(place, samples, streams, options.normalization));
      uploads.add(source.feed);
      return new Uploaded(source.count, sources, source, () => {
        if (!uploads.delete(source.feed)) return;
        // What a fit walks over is freed when the fit is over.
        if (source.feed === held) freed.add(source.feed);
        else drop(source.feed);
      });
    },

    /** One batch, put into a feed that all batches of its kind pass through. */
    batchSource(packed: Packed): Source {
      const isAlike = ({ format, names, widths }: (typeof batchFeeds)[number]): boolean =>
        isSameFormat(format, packed.format) &&
        names.length === packed.streams.size &&
        names.every((name, i) => packed.streams.get(name)?.width === widths[i]);
      let known = batchFeeds.find(isAlike);
      if (known === undefined) {
        known = {
          feed: createFeed(gpu, roomFor(packed, options.batch)),
          format: packed.format,
          names: [...packed.streams.keys()],
          widths: [...packed.streams.values()].map(({ width }) => width),
        };
        known.feed.setOrder(inOrder(options.batch));
        batchFeeds.push(known);
      }
      known.feed.replace(packed);
      return { ...known, count: packed.count, stays: false };
    },

    /** A training step on a source, and the turn to run it; stale where the features that it begins at no longer hold. */
    async readyToTrain(source: Source, frozen: readonly string[], sampled: boolean, loss = "") {
      // Where only a loss trains, a program without one knows of nothing to begin behind.
      const cached =
        options.cacheFrozen && source.stays && program("features", source.format, frozen).features !== undefined;
      const run = program("train", source.format, frozen, { sampled, cached, loss });
      // Where training begins elsewhere, weights before the features may change.
      if (run.features === undefined) forgetFeatures();
      const before = forgotten;
      const feed = run.features === undefined ? source.feed : await featuresOf(source, frozen);
      const ready = await prepared(run, feed);
      const others = replay.ready();
      if (others !== undefined) await others;
      return { program: run, ready, isStale: () => forgotten !== before };
    },

    forgetFeatures,

    /** Sets a weight, and with it what its mean starts from, if it trains; or a state. */
    setWeight(placed: Placed, values: Float32Array<ArrayBuffer>): void {
      forgetFeatures();
      const home = store.homeOf(placed);
      for (const arena of home === "parameters" && update.average ? [home, "average"] : [home])
        store.write(arena, placed, values);
    },

    /** Compiles what a recording needs, all at once; tells of each kernel that is ready. */
    compile: replay.compile,

    /** A fit walks over it now, or over none. */
    hold(source: Source | undefined): void {
      held = source?.feed;
      for (const feed of freed) {
        if (feed === held) continue;
        freed.delete(feed);
        drop(feed);
      }
    },

    inOrder: inOrderOf,

    /** What a program needs to run on a feed, and the turn to do so. */
    async ready(run: Program, feed: Feed, averaged = false): Promise<Prepared> {
      const found = await prepared(run, feed, averaged);
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
    async predict(
      given: Packed | Uploaded,
      { averaged, batch: most, output: wanted }: PredictSettings,
    ): Promise<HostTensor> {
      const { count: total, format } = given instanceof Uploaded ? uploaded("predict", given) : given;
      const run = program("predict", format, [], { batch: most ?? predictedAtOnce(total, format) });
      const output = run.outputs.find(({ name }) => name === wanted) ?? bug(`there is no output "${wanted}"`);
      const slice = run.recording.results[output.name] ?? bug("a prediction has no place");
      const [batch, ...shape] = output.shape as [number, ...number[]];
      const perSample = size(shape);
      const bytes = perSample * bytesOf("f32");
      const data = new Float32Array(total * perSample);
      const feed = given instanceof Uploaded ? inOrderOf(uploaded("predict", given).feed) : createFeed(gpu, given);
      if (!(given instanceof Uploaded)) feed.setOrder(inOrder(total));
      // Read back in few pieces: each costs a trip to the device and back.
      const piece = Math.max(1, Math.floor(MOST_READ / (bytes * batch))) * batch;
      const { COPY_DST, COPY_SRC } = BufferUsage;
      const found = gpu.buffer("predictions", Math.min(piece, total) * bytes, COPY_DST | COPY_SRC);
      try {
        const ready = await prepared(run, feed, averaged);
        const place = { buffer: store.arena(slice.arena), offset: slice.offset };
        for (let first = 0; first < total; first += piece) {
          const end = Math.min(first + piece, total);
          await replay.collect(ready, { first, end, batch, bytes }, place, found);
          const read = await readBack(gpu, found, 0, (end - first) * bytes);
          data.set(new Float32Array(read), first * perSample);
        }
      } finally {
        found.destroy();
        if (!(given instanceof Uploaded)) drop(feed);
      }
      return { shape: [total, ...shape], data };
    },

    /** Tells the passes around the update of layers and their rows, and of the shares of their means. */
    tell(layers: Uint32Array<ArrayBuffer>, shares: Float32Array<ArrayBuffer>): void {
      if (isControlled(update)) store.set("layers", layers);
      if (update.average) store.set("shares", shares);
    },

    clearStatus: () => replay.clearStatus(),
    setAlarms: replay.setAlarms,

    dispose(): void {
      for (const feed of [...uploads, ...freed, ...[...sources.values()].map(({ feed }) => feed)]) drop(feed);
      uploads.clear();
      for (const old of stale) drop(old);
      for (const { feed } of batchFeeds) feed.dispose();
      for (const buffer of constants.values()) buffer.destroy();
      replay.dispose();
      store.dispose();
      gpu.dispose();
    },
  };
}
