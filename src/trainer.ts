// Ties the rooms together: what `compile` gives the user. It keeps the weights on the GPU, turns data into steps, and
// knows where training stands.

import { type Data, type Demand, isBatches, type Numbers, type Packed, pack, type Samples } from "./data/dataset.ts";
import {
  bug,
  CheckpointError,
  GradusError,
  listed,
  NameError,
  NonFiniteError,
  OptionError,
  ShapeError,
} from "./errors.ts";
import { type ConnectOptions, connect, type Gpu } from "./gpu/device.ts";
import { size } from "./graph/graph.ts";
import type { DataFormat, Loss } from "./graph/trace.ts";
import { decodeCheckpoint, encodeCheckpoint, type Progress } from "./io/checkpoint.ts";
import { initialValues } from "./model/initializer.ts";
import { type Layer, wholeNumber } from "./model/layer.ts";
import { adamw, type Optimizer } from "./optim/optimizer.ts";
import { createRateTable, type LayerRow, type RateSpec, type Rates } from "./optim/rates.ts";
import type { Clock, Schedule } from "./optim/schedule.ts";
import type { MemoryReport, Slice } from "./plan/plan.ts";
import { buildProgram, type Mode, type Program } from "./program.ts";
import { permutation, stream } from "./random.ts";
import { createFeed, type Feed } from "./step/feed.ts";
import type { Recording } from "./step/record.ts";
import { createReplay, type Metrics, MOST_STEPS, type Prepared } from "./step/replay.ts";
import { createStore, type HostTensor, readBack } from "./step/store.ts";

export interface CompileOptions extends ConnectOptions {
  /** Shape of one sample; images are [height, width, channels]. */
  readonly input: readonly number[];
  /** Samples in a step. Default 32. */
  readonly batch?: number;
  readonly loss: Loss;
  /** Default adamw(). */
  readonly optimizer?: Optimizer;
  /** Learning rates and decays by layer. */
  readonly rates?: Rates;
  /** For all layers that `rates` gives no schedule of their own. Default constant(). */
  readonly schedule?: Schedule;
  /** Decides initial weights and shuffles. Default 0. */
  readonly seed?: number;
}

/** Softmax and cross-entropy in one, for class numbers. */
export const crossEntropy = (): Loss => ({ op: "softmaxCrossEntropy", integerTarget: true });
/** The mean of the squared differences, for targets in the shape of the output. */
export const meanSquaredError = (): Loss => ({ op: "meanSquaredError", integerTarget: false });

export interface StepResult {
  /** Number of the update, from 1. */
  readonly step: number;
  /** Mean over the samples of the batch, before the update. */
  readonly loss: number;
  /** Part of the batch whose label had the largest logit; NaN without labels. */
  readonly accuracy: number;
  /** Samples in the batch. */
  readonly samples: number;
}

export interface EpochResult {
  /** From 1, within this run. */
  readonly epoch: number;
  /** Means over the samples that this epoch trained on, since the run began or was resumed. */
  readonly loss: number;
  readonly accuracy: number;
  readonly validation?: Evaluation;
}

export interface Evaluation {
  readonly loss: number;
  /** NaN without labels. */
  readonly accuracy: number;
  readonly samples: number;
}

export interface FitOptions {
  /** Passes over the data. Default 1. */
  readonly epochs?: number;
  /** A new order for each epoch. Default true; batches that come from an iterable are not shuffled. */
  readonly shuffle?: boolean;
  /** Evaluated after each epoch. */
  readonly validation?: Samples;
  /** Called for each step, in order, once its numbers are back. */
  readonly onStep?: (result: StepResult) => void;
  readonly onEpoch?: (result: EpochResult) => void;
  /** Stops after the current step, as `stop()` does. */
  readonly signal?: AbortSignal;
}

export interface FitResult {
  readonly epochs: readonly EpochResult[];
  /** Whether it was stopped before the last epoch ended. The next fit goes on from there. */
  readonly stopped: boolean;
}

/** Milliseconds of work that one submission should hold: long enough to be cheap, short enough for the page to live. */
const SUBMISSION = 40;

/** Connects to a device, builds the model for it, and fills in its initial weights. */
export async function compile(model: Layer, options: CompileOptions): Promise<Trainer> {
  const settings = checked(model, options);
  const program = buildProgram({
    ...settings,
    model,
    mode: "train",
    frozen: new Set(),
    format: { bytes: false, scale: 1, shift: 0 },
    software: false,
  });
  // A rule that matches nothing must fail here, before a device is asked for.
  createRateTable(program.layout.tensors, program.depths, settings.optimizer, options);
  return new Trainer(model, options, settings, program, await connect(options));
}

interface Settings {
  readonly input: readonly number[];
  readonly batch: number;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly rule: Optimizer["rule"];
  readonly seed: number;
}

function checked(model: Layer, options: CompileOptions): Settings {
  const { input, batch = 32, loss, optimizer = adamw(), seed = 0 } = options;
  if (typeof model?.apply !== "function") {
    throw new OptionError("compile: the first argument is no model. Make one with sequential() or functional().");
  }
  if (!Array.isArray(input) || input.length === 0) {
    throw new OptionError('compile: "input" is missing. Give the shape of one sample, for example [28, 28, 1].');
  }
  for (const length of input) wholeNumber("compile", `a length of input [${input}]`, length);
  wholeNumber("compile", "batch", batch);
  if (loss?.op === undefined) {
    throw new OptionError('compile: "loss" is missing. Give crossEntropy() or meanSquaredError().');
  }
  if (!Number.isSafeInteger(seed)) throw new OptionError(`compile: seed is ${seed}, it must be a whole number.`);
  return { input, batch, loss, optimizer, rule: optimizer.rule, seed };
}

/** A model on a device, with what it needs to train. Made by `compile`. */
export class Trainer {
  /** Which adapter runs, for example "google swiftshader (software)". */
  readonly adapter: string;
  /** Whether a CPU does the work of a GPU. */
  readonly software: boolean;
  /** Shape of the model's output, [batch, ...]. */
  readonly output: readonly number[];
  /** Numbers in all tensors. */
  readonly parameters: number;
  /** Learning rates by layer: change them while training goes on, effective at the next step. */
  readonly rates: {
    /** Sets the base rate (a number), or any part of a rule, of the layers or tensors that a pattern names. */
    set(pattern: string, spec: RateSpec): void;
    /** One row for each layer, as of the next step. */
    table(): LayerRow[];
  };

  readonly #model: Layer;
  readonly #settings: Settings;
  readonly #gpu: Gpu;
  readonly #program: Program;
  readonly #rates: ReturnType<typeof createRateTable>;
  readonly #store: ReturnType<typeof createStore>;
  readonly #replay: ReturnType<typeof createReplay>;
  readonly #demand: Demand;
  readonly #programs = new Map<string, Program>();
  readonly #prepared = new Map<Feed, Map<string, Prepared>>();
  readonly #feeds = new WeakMap<object, { feed: Feed; format: DataFormat }>();
  readonly #allFeeds = new Set<Feed>();
  /** Submitted steps whose numbers are not back yet, so that a bad one can be undone. */
  readonly #pending: { progress: Progress; updates: number[]; steps: number }[] = [];
  #progress: Progress = { step: 0, epoch: 0, position: 0, runEpoch: 0 };
  #order: { feed: Feed; epoch: number; shuffled: boolean } | undefined;
  #stepsPerEpoch: number | undefined;
  #format: DataFormat = { bytes: false, scale: 1, shift: 0 };
  #busy = false;
  #stop = false;

  /** @internal */
  constructor(model: Layer, options: CompileOptions, settings: Settings, program: Program, gpu: Gpu) {
    this.#model = model;
    this.#settings = settings;
    this.#program = program;
    this.#gpu = gpu;
    this.adapter = gpu.adapter;
    this.software = gpu.software;
    this.output = program.output;
    const { layout, depths, parameters } = program;
    this.parameters = parameters.reduce((sum, { shape }) => sum + size(shape), 0);
    this.#rates = createRateTable(layout.tensors, depths, settings.optimizer, options);
    this.rates = {
      set: (pattern, spec) => this.#rates.set(pattern, spec),
      table: () => this.#rates.table(this.#clock()),
    };
    const perSample = size(program.output) / settings.batch;
    this.#demand = {
      features: size(settings.input),
      targets: settings.loss.integerTarget ? 1 : perSample,
      classes: settings.loss.integerTarget ? perSample : undefined,
    };
    this.#store = createStore(gpu, layout, settings.rule.moments);
    this.#replay = createReplay(gpu, parameters.length);
    this.#store.lend("metrics", this.#replay.metrics);
    for (const [i, parameter] of parameters.entries()) {
      const placed = layout.tensors[i] ?? bug(`"${parameter.name}" has no place`);
      this.#store.write("parameters", placed, initialValues(parameter, parameter.initializer, settings.seed));
    }
  }

  /** Updates made so far. */
  get steps(): number {
    return this.#progress.step;
  }

  /** The step as it stands: every dispatch, printable with `print`. */
  recording(mode: Mode = "train"): Recording {
    return this.#programFor(mode, this.#format).recording;
  }

  /** Bytes of activations in a training step. */
  memory(): MemoryReport {
    return this.recording().memory;
  }

  /**
   * Freezes the layers or tensors that a pattern names: from the next step on nothing of theirs is computed, read or
   * written, and the backward pass ends where nothing is left to train. Throws NameError where nothing matches.
   */
  freeze(pattern: string): void {
    this.#rates.setFrozen("freeze", pattern, true);
  }

  /** Lets layers train again, with the moments and step counts that they had. */
  unfreeze(pattern: string): void {
    this.#rates.setFrozen("unfreeze", pattern, false);
  }

  /** Ends a running fit after the current step. The next fit goes on from there. */
  stop(): void {
    this.#stop = true;
  }

  /**
   * Trains for a number of epochs. A fit that was stopped, or loaded from a checkpoint made in its midst, goes on where
   * it stood until `epochs` are full; after a finished one the next begins anew.
   * Throws DataError, ShapeError and OptionError before any weight changes, NonFiniteError when a loss is NaN or
   * infinite; the weights are then those from before that step.
   */
  async fit(data: Data, options: FitOptions = {}): Promise<FitResult> {
    const { epochs = 1, shuffle = true, validation, onEpoch, signal } = options;
    wholeNumber("fit", "epochs", epochs);
    if (validation !== undefined) this.#feedOf("fit: validation", validation);
    return this.#exclusively("fit", async () => {
      const results: EpochResult[] = [];
      this.#stop = false;
      const stopping = (): boolean => this.#stop || signal?.aborted === true;
      while (this.#progress.runEpoch < epochs && !stopping()) {
        const tally = new Tally();
        const take = (result: StepResult): void => {
          tally.add(result);
          options.onStep?.(result);
        };
        const whole = isBatches(data)
          ? await this.#epochOfBatches(data, take, stopping)
          : await this.#epochOfSamples(data, shuffle, take, stopping);
        if (!whole) break;
        const { epoch, runEpoch, step } = this.#progress;
        this.#progress = { step, epoch: epoch + 1, position: 0, runEpoch: runEpoch + 1 };
        const result = {
          epoch: runEpoch + 1,
          loss: tally.loss,
          accuracy: this.#accuracy(tally.accuracy),
          ...(validation === undefined ? {} : { validation: await this.#evaluate(validation) }),
        };
        results.push(result);
        onEpoch?.(result);
      }
      const stopped = this.#progress.runEpoch < epochs;
      if (!stopped) this.#progress = { ...this.#progress, runEpoch: 0 };
      return { epochs: results, stopped };
    });
  }

  /** One step on one batch of at most `batch` samples. Resolves when its numbers are back. */
  async step(samples: Samples): Promise<StepResult> {
    const packed = this.#packBatch("step", samples);
    return this.#exclusively("step", async () => {
      let found: StepResult | undefined;
      await this.#stepOn(this.#batchFeed(packed), packed, (result) => {
        found = result;
      });
      await this.#drain();
      return found ?? bug("a step gave no metrics");
    });
  }

  /** Loss and accuracy over all samples; no weight changes. */
  async evaluate(samples: Samples): Promise<Evaluation> {
    return this.#exclusively("evaluate", () => this.#evaluate(samples));
  }

  /** The model's output for each sample of `x`, [samples, ...]: logits for a classifier. */
  async predict(x: Numbers, options: { readonly mean?: number; readonly std?: number } = {}): Promise<HostTensor> {
    return this.#exclusively("predict", async () => {
      const packed = pack("predict", { ...options, x }, this.#demand);
      const feed = createFeed(this.#gpu, packed);
      try {
        return await this.#predict(feed, packed.format);
      } finally {
        this.#drop(feed);
      }
    });
  }

  /** All weights by name, as of the steps submitted so far. */
  weights(): Promise<Map<string, HostTensor>> {
    return this.#store.read("parameters");
  }

  /** Sets weights by tensor name. Throws NameError and ShapeError before any changes. */
  setWeights(weights: Readonly<Record<string, Numbers>>): void {
    const { tensors } = this.#program.layout;
    const found = Object.entries(weights).map(([name, values]) => {
      const placed = tensors.find((tensor) => tensor.name === name);
      if (placed === undefined) {
        throw new NameError(
          `setWeights: there is no tensor "${name}". Tensors: ${listed(tensors.map((t) => t.name))}.`,
        );
      }
      if (values.length !== placed.length) {
        throw new ShapeError(
          `setWeights: "${name}" has shape [${placed.shape}], that is ${placed.length} numbers; ${values.length} were given.`,
        );
      }
      return { placed, values: Float32Array.from(values) };
    });
    for (const { placed, values } of found) this.#store.write("parameters", placed, values);
  }

  /** A checkpoint as of the steps submitted so far: weights, moments, rates, counters, and the place in the data. */
  async save(): Promise<Uint8Array<ArrayBuffer>> {
    const state = {
      seed: this.#settings.seed,
      optimizer: this.#settings.rule.name,
      progress: this.#progress,
      rows: this.#rates.state(),
    };
    const { saved } = this.#store;
    const arenas = await Promise.all(saved.map((arena) => this.#store.read(arena)));
    return encodeCheckpoint(new Map(saved.map((name, i) => [name, arenas[i] as Map<string, HostTensor>])), state);
  }

  /** Goes back to a checkpoint. Throws CheckpointError, with nothing changed, where it does not fit. */
  load(bytes: Uint8Array): void {
    if (this.#busy) throw new GradusError("load: training is under way. Call stop() and await fit first.");
    const { layout } = this.#program;
    const { arenas, state } = decodeCheckpoint(bytes, {
      arenas: this.#store.saved,
      tensors: layout.tensors,
      optimizer: this.#settings.rule.name,
    });
    if (state.seed !== this.#settings.seed) {
      throw new CheckpointError(
        `checkpoint: it was made with seed ${state.seed}, this trainer has ${this.#settings.seed}. Compile with seed ${state.seed}.`,
      );
    }
    for (const [arena, tensors] of arenas) {
      for (const placed of layout.tensors) {
        const tensor = tensors.get(placed.name) ?? bug(`"${placed.name}" was not read`);
        this.#store.write(arena, placed, Float32Array.from(tensor.data));
      }
    }
    this.#rates.restore(state.rows);
    this.#progress = state.progress;
    this.#order = undefined;
  }

  /** Frees everything on the GPU. The device itself is kept if it was given to `compile`. */
  dispose(): void {
    this.#stop = true;
    for (const feed of this.#allFeeds) feed.dispose();
    this.#replay.dispose();
    this.#store.dispose();
    this.#gpu.dispose();
  }

  #clock(): Clock {
    return { step: this.#progress.step, stepsPerEpoch: this.#stepsPerEpoch };
  }

  #accuracy(value: number): number {
    return this.#settings.loss.integerTarget ? value : Number.NaN;
  }

  /** Keeps two runs from mixing their steps. */
  async #exclusively<T>(place: string, run: () => Promise<T>): Promise<T> {
    const failure = this.#gpu.failure();
    if (failure !== undefined) throw failure;
    if (this.#busy) throw new GradusError(`${place}: training is under way. Await it, or call stop() first.`);
    this.#busy = true;
    try {
      return await run();
    } finally {
      this.#busy = false;
    }
  }

  #programFor(mode: Mode, format: DataFormat): Program {
    const frozen = mode === "train" ? this.#rates.rows.filter((row) => row.frozen).map((row) => row.name) : [];
    const key = JSON.stringify([mode, format, frozen]);
    const known = this.#programs.get(key);
    if (known !== undefined) return known;
    const program = buildProgram({
      ...this.#settings,
      model: this.#model,
      mode,
      format,
      frozen: new Set(frozen),
      software: this.software,
    });
    this.#programs.set(key, program);
    return program;
  }

  /** A program ready to run on a feed's buffers. */
  async #ready(mode: Mode, feed: Feed, format: DataFormat): Promise<{ program: Program; prepared: Prepared }> {
    const program = this.#programFor(mode, format);
    const { recording } = program;
    // A larger arena is a new buffer, so what was bound to the old one is bound again when it is next used.
    if (this.#store.grow(recording.arenas)) this.#prepared.clear();
    const ofFeed = this.#prepared.get(feed) ?? new Map<string, Prepared>();
    this.#prepared.set(feed, ofFeed);
    const key = [...this.#programs].find(([, known]) => known === program)?.[0] ?? mode;
    const known = ofFeed.get(key);
    if (known !== undefined) return { program, prepared: known };
    const prepared = await this.#replay.prepare(recording, new Map([...this.#store.buffers, ...feed.buffers]));
    ofFeed.set(key, prepared);
    return { program, prepared };
  }

  /** Samples on the GPU; the same object is packed and uploaded once. */
  #feedOf(place: string, samples: Samples): { feed: Feed; format: DataFormat } {
    const known = this.#feeds.get(samples);
    if (known !== undefined) return known;
    const packed = pack(place, checkedTarget(place, samples), this.#demand);
    const feed = createFeed(this.#gpu, packed);
    this.#allFeeds.add(feed);
    const made = { feed, format: packed.format };
    this.#feeds.set(samples, made);
    return made;
  }

  #drop(feed: Feed): void {
    this.#prepared.delete(feed);
    this.#allFeeds.delete(feed);
    feed.dispose();
  }

  /** Submits steps on batches `position` .. `position + steps - 1` of a feed. */
  async #submit({ feed, format, count }: Batch, steps: number, take: (result: StepResult) => void): Promise<void> {
    const { batch } = this.#settings;
    this.#format = format;
    const { program, prepared } = await this.#ready("train", feed, format);
    const before = { progress: this.#progress, updates: this.#rates.updates(), steps };
    const { metrics } = await this.#replay.submit(prepared, steps, (_, table) => {
      const { position, step } = this.#progress;
      this.#rates.write(table, this.#clock(), program.takesPart);
      this.#progress = { ...this.#progress, step: step + 1, position: position + 1 };
      const start = position * batch;
      return { step: step + 1, start, count: Math.min(batch, count - start) };
    });
    this.#pending.push(before);
    this.#arrived = Promise.all([this.#arrived, metrics.then((found) => this.#receive(found, take))]);
    // An error is thrown where the promise is awaited, not here.
    this.#arrived.catch(() => undefined);
  }

  /** All metrics of the submissions so far. */
  #arrived: Promise<unknown> = Promise.resolve();

  async #drain(): Promise<void> {
    const arrived = this.#arrived;
    try {
      await arrived;
    } finally {
      if (this.#arrived === arrived) this.#arrived = Promise.resolve();
      this.#pending.length = 0;
    }
  }

  #receive({ steps, badStep }: Metrics, take: (result: StepResult) => void): void {
    if (badStep !== 0) this.#undo(badStep, steps.find(({ step }) => step === badStep)?.loss ?? Number.NaN);
    this.#pending.shift();
    for (const { step, loss, hits, count } of steps) {
      take({ step, loss, accuracy: this.#accuracy(hits / count), samples: count });
    }
  }

  /** The GPU has left the weights alone since the bad step; brings the host's counters back to where it began. */
  #undo(badStep: number, loss: number): never {
    const first = this.#pending[0] ?? bug("a bad step was never submitted");
    const kept = badStep - 1 - first.progress.step;
    this.#rates.restoreUpdates(
      first.updates.map((updates, row) => updates + (this.#rates.rows[row]?.frozen ? 0 : kept)),
    );
    this.#progress = {
      ...first.progress,
      step: first.progress.step + kept,
      position: first.progress.position + kept,
    };
    this.#pending.length = 0;
    this.#replay.clearStatus();
    throw new NonFiniteError(
      `fit: the loss of step ${badStep} is ${loss}. The weights are those from before it. Lower the learning rate, or look at that batch.`,
      badStep,
    );
  }

  async #epochOfSamples(
    samples: Samples,
    shuffle: boolean,
    take: (result: StepResult) => void,
    stopping: () => boolean,
  ): Promise<boolean> {
    const { feed, format } = this.#feedOf("fit", samples);
    const batches = Math.ceil(feed.count / this.#settings.batch);
    this.#stepsPerEpoch = batches;
    this.#setOrder(feed, shuffle);
    let group = 1;
    let last = performance.now();
    while (this.#progress.position < batches && !stopping()) {
      const steps = Math.min(group, batches - this.#progress.position);
      await this.#submit({ feed, format, count: feed.count }, steps, take);
      const now = performance.now();
      group = nextGroup(group, steps, now - last);
      last = now;
      await this.#thrown();
    }
    await this.#drain();
    return this.#progress.position >= batches;
  }

  /** Gives an error that has arrived the chance to end the loop. */
  async #thrown(): Promise<void> {
    await Promise.race([this.#arrived, Promise.resolve()]);
  }

  #setOrder(feed: Feed, shuffled: boolean): void {
    const { epoch } = this.#progress;
    if (this.#order?.feed === feed && this.#order.epoch === epoch && this.#order.shuffled === shuffled) return;
    const key = stream(this.#settings.seed, `epoch ${epoch}`);
    feed.setOrder(shuffled ? permutation(feed.count, key) : inOrder(feed.count));
    this.#order = { feed, epoch, shuffled };
  }

  async #epochOfBatches(
    batches: Exclude<Data, Samples>,
    take: (result: StepResult) => void,
    stopping: () => boolean,
  ): Promise<boolean> {
    let skip = this.#progress.position;
    let any = false;
    for await (const samples of batches as AsyncIterable<Samples>) {
      any = true;
      if (skip-- > 0) continue;
      const packed = this.#packBatch("fit", samples);
      await this.#stepOn(this.#batchFeed(packed), packed, take);
      await this.#thrown();
      if (stopping()) break;
    }
    await this.#drain();
    if (!any)
      throw new ShapeError(
        "fit: the iterable gave no batch. Give a fresh one for each epoch, with at least one batch.",
      );
    return !stopping();
  }

  #packBatch(place: string, samples: Samples): Packed {
    const packed = pack(place, checkedTarget(place, samples), this.#demand);
    const { batch } = this.#settings;
    if (packed.count <= batch) return packed;
    throw new ShapeError(
      `${place}: a batch has ${packed.count} samples, the trainer was compiled for ${batch}. Split it.`,
    );
  }

  /** The feed that batches from outside pass through, one for bytes and one for f32. */
  readonly #batchFeeds = new Map<boolean, Feed>();

  #batchFeed({ format }: Packed): Feed {
    const known = this.#batchFeeds.get(format.bytes);
    if (known !== undefined) return known;
    const { batch } = this.#settings;
    const { features, targets, classes } = this.#demand;
    const words = batch * features;
    const feed = createFeed(this.#gpu, {
      count: batch,
      format,
      x: format.bytes ? new Uint8Array(Math.ceil(words / 4) * 4) : new Float32Array(words),
      y: classes === undefined ? new Float32Array(batch * targets) : new Uint32Array(batch * targets),
    });
    feed.setOrder(inOrder(batch));
    this.#allFeeds.add(feed);
    this.#batchFeeds.set(format.bytes, feed);
    return feed;
  }

  /** One step on samples that were just put into a feed. */
  async #stepOn(feed: Feed, packed: Packed, take: (result: StepResult) => void): Promise<void> {
    feed.replace(packed);
    const { position } = this.#progress;
    this.#progress = { ...this.#progress, position: 0 };
    await this.#submit({ feed, format: packed.format, count: packed.count }, 1, take);
    this.#progress = { ...this.#progress, position: position + 1 };
  }

  async #evaluate(samples: Samples): Promise<Evaluation> {
    const { feed, format } = this.#feedOf("evaluate", samples);
    const { prepared } = await this.#ready("evaluate", feed, format);
    feed.setOrder(inOrder(feed.count));
    if (this.#order?.feed === feed) this.#order = undefined;
    const tally = new Tally();
    await this.#passOver(feed, prepared, ({ steps }) => {
      for (const { loss, hits, count } of steps) tally.add({ loss, accuracy: hits / count, samples: count });
    });
    return { loss: tally.loss, accuracy: this.#accuracy(tally.accuracy), samples: feed.count };
  }

  async #predict(feed: Feed, format: DataFormat): Promise<HostTensor> {
    const { prepared, program } = await this.#ready("predict", feed, format);
    feed.setOrder(inOrder(feed.count));
    const slice = program.recording.results.prediction as Slice;
    const buffer = this.#store.buffers.get(slice.arena) ?? bug(`there is no arena "${slice.arena}"`);
    const [batch, ...shape] = program.output as [number, ...number[]];
    const perSample = size(shape);
    const data = new Float32Array(feed.count * perSample);
    for (let start = 0; start < feed.count; start += batch) {
      const count = Math.min(batch, feed.count - start);
      await this.#replay.submit(prepared, 1, () => ({ step: 0, start, count }));
      const bytes = await readBack(this.#gpu, buffer, slice.offset, count * perSample * 4);
      data.set(new Float32Array(bytes), start * perSample);
    }
    return { shape: [feed.count, ...shape], data };
  }

  /** Runs a program without an update once over a feed. */
  async #passOver(feed: Feed, prepared: Prepared, receive: (metrics: Metrics) => void): Promise<void> {
    const { batch } = this.#settings;
    const batches = Math.ceil(feed.count / batch);
    const arrivals: Promise<void>[] = [];
    for (let at = 0; at < batches; at += MOST_STEPS) {
      const { metrics } = await this.#replay.submit(prepared, Math.min(MOST_STEPS, batches - at), (i) => {
        const start = (at + i) * batch;
        return { step: 0, start, count: Math.min(batch, feed.count - start) };
      });
      arrivals.push(metrics.then(receive));
    }
    await Promise.all(arrivals);
  }
}

/** Samples on the GPU that steps are taken on. */
interface Batch {
  readonly feed: Feed;
  readonly format: DataFormat;
  /** Samples that are real; a feed for single batches may be larger. */
  readonly count: number;
}

/** Means over samples, summed in f64 in the order of the steps. */
class Tally {
  #loss = 0;
  #hits = 0;
  #samples = 0;

  add({ loss, accuracy, samples }: Omit<StepResult, "step">): void {
    this.#loss += loss * samples;
    this.#hits += accuracy * samples;
    this.#samples += samples;
  }

  get loss(): number {
    return this.#loss / this.#samples;
  }

  get accuracy(): number {
    return this.#hits / this.#samples;
  }
}

/** Steps of the next submission, from the time that the last one took to be admitted. */
function nextGroup(group: number, steps: number, milliseconds: number): number {
  const perStep = milliseconds / steps;
  const fitting = Math.floor(SUBMISSION / Math.max(perStep, SUBMISSION / MOST_STEPS));
  return Math.max(1, Math.min(fitting, group * 2, MOST_STEPS));
}

function checkedTarget(place: string, samples: Samples): Samples {
  if (samples?.y === undefined || typeof samples.y.length !== "number") {
    throw new ShapeError(`${place}: data.y is missing. Give { x, y } with a label or target for each sample.`);
  }
  return samples;
}

const inOrder = (count: number): Uint32Array<ArrayBuffer> => Uint32Array.from({ length: count }, (_, i) => i);
