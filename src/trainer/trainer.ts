// What `compile` gives the user: a model on a device that trains, evaluates, predicts, saves and loads.

import { type Data, type Demand, isBatches, type Numbers, packInputs, type Samples } from "../data/dataset.ts";
import { bug, GradusError, OptionError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { size } from "../graph/graph.ts";
import { initialValues } from "../model/initializer.ts";
import { wholeNumber } from "../model/layer.ts";
import type { RateTable } from "../optim/rates.ts";
import type { Placed } from "../plan/layout.ts";
import type { MemoryReport } from "../plan/plan.ts";
import type { Mode, Program } from "../step/program.ts";
import type { Recording } from "../step/record.ts";
import { checkArrival } from "../step/replay.ts";
import { createRunner, type Runner } from "../step/runner.ts";
import type { HostTensor } from "../step/store.ts";
import { type Course, createCourse, Tally } from "./course.ts";
import { type FindRateOptions, type FoundRates, findRate } from "./finder.ts";
import type { LayerRates } from "./layer-rates.ts";
import { createLoop, type Loop } from "./loop.ts";
import { fittingWeights, placedNumbers, type Transferred } from "./named.ts";
import type { EpochResult, Evaluation, FitOptions, FitResult, Gradients, Settings, StepResult } from "./options.ts";
import { type FineTuneOptions, fineTune } from "./recipe.ts";
import { load, type Subject, save } from "./snapshot.ts";

/** Whether the running means of the weights stand in for them; compile with `averaging`. Default false. */
export interface Averaged {
  readonly averaged?: boolean;
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
  readonly rates: LayerRates;

  readonly #settings: Settings;
  readonly #gpu: Gpu;
  readonly #program: Program;
  readonly #rates: RateTable;
  readonly #runner: Runner;
  readonly #course: Course;
  readonly #demand: Demand;
  readonly #loop: Loop;
  readonly #subject: Subject;
  #busy = false;
  #stop = false;

  /** @internal */
  constructor(settings: Settings, program: Program, rates: RateTable, gpu: Gpu) {
    const { layout, parameters, output } = program;
    const { loss, batch, input, seed, update } = settings;
    this.#settings = settings;
    this.#gpu = gpu;
    this.#program = program;
    this.#rates = rates;
    this.adapter = gpu.adapter;
    this.software = gpu.software;
    this.output = output;
    this.parameters = parameters.reduce((sum, { shape }) => sum + size(shape), 0);
    const { set, assign, scale, edits, replay } = rates;
    this.rates = {
      set: (pattern, spec) => {
        if (typeof spec === "object" && (spec?.averaging ?? 0) > 0) this.#demandAverages("rates.set");
        set(pattern, spec);
      },
      assign,
      scale,
      edits,
      replay,
      table: () => rates.table(this.#loop.clockToShow()),
    };
    const perSample = size(output) / batch;
    this.#demand = {
      features: size(input),
      targets: loss.integerTarget ? 1 : perSample,
      classes: loss.integerTarget ? perSample : undefined,
    };
    this.#runner = createRunner(gpu, { ...settings, ruleOf: rates.ruleOf }, program, this.#demand);
    const rest = update.controllers.find(({ name }) => name === "guard")?.constants.REST;
    this.#course = createCourse(rates, {
      checkArrival: (metrics) => checkArrival(gpu, metrics),
      clearStatus: () => this.#runner.clearStatus(),
      integerTarget: loss.integerTarget,
      rest,
    });
    const [demand, runner, course] = [this.#demand, this.#runner, this.#course];
    this.#loop = createLoop({ settings, demand, gpu, rates, runner, course, most: rest ?? Number.POSITIVE_INFINITY });
    this.#subject = { settings, tensors: layout.tensors, runner, rates, course };
    for (const [i, parameter] of parameters.entries()) {
      const placed = layout.tensors[i] ?? bug(`"${parameter.name}" has no place`);
      this.#write(placed, initialValues(parameter, parameter.initializer, seed));
    }
  }

  /** Updates made so far. */
  get steps(): number {
    return this.#course.progress.step;
  }

  /** The step as it stands: every dispatch, printable with `print`. */
  recording(mode: Mode = "train"): Recording {
    return this.#loop.recording(mode);
  }

  /** Bytes of activations in a training step. */
  memory(): MemoryReport {
    return this.recording().memory;
  }

  /**
   * Freezes the layers or tensors that a pattern names: from the next step on nothing of theirs is computed, read or
   * written, and the backward pass ends where nothing is left to train. Throws NameError where nothing matches, OptionError
   * where nothing would be left to train.
   */
  freeze(pattern: string): void {
    this.#rates.freeze(pattern);
  }

  /**
   * Lets layers train again, with the moments and step counts that they had; a `from` or `until` of theirs is forgotten.
   * Throws NameError where nothing matches.
   */
  unfreeze(pattern: string): void {
    this.#rates.unfreeze(pattern);
  }

  /** Ends a running fit after the current step. The next fit goes on from there. */
  stop(): void {
    this.#stop = true;
  }

  /**
   * Trains for a number of epochs. A fit that was stopped, or loaded from a checkpoint made in its midst, goes on where
   * it stood until `epochs` are full; after a finished one the next begins anew. While it runs, `evaluate` and `predict` are
   * refused: call them between two fits, or give `validation`.
   * Throws DataError, ShapeError and OptionError before any weight changes, NonFiniteError when a loss is NaN or
   * infinite; the weights are then those from before that step.
   */
  async fit(data: Data, options: FitOptions = {}): Promise<FitResult> {
    const { epochs = 1, steps, validation, onEpoch, onStep, onStats, statsEvery = 50, signal } = options;
    wholeNumber("fit", "epochs", epochs);
    wholeNumber("fit", "statsEvery", statsEvery);
    if (steps !== undefined) wholeNumber("fit", "steps", steps);
    return this.#exclusively("fit", async () => {
      if (validation !== undefined) this.#runner.source("fit: validation", validation);
      const course = this.#course;
      const results: EpochResult[] = [];
      this.#stop = false;
      const end = steps === undefined ? Number.POSITIVE_INFINITY : this.steps + steps;
      const stopping = (): boolean => this.#stop || signal?.aborted === true || this.steps >= end;
      while (course.progress.runEpoch < epochs && !stopping()) {
        const tally = new Tally();
        const take = (result: StepResult): void => {
          tally.add(result);
          onStep?.(result);
        };
        const sample = onStats === undefined ? undefined : { every: statsEvery, take: onStats };
        const walk = { take, sample, stopping, end };
        const whole = isBatches(data)
          ? await this.#loop.epochOfBatches(data, walk)
          : await this.#loop.epochOfSamples(data, options.shuffle ?? true, walk);
        if (!whole) break;
        const { epoch, runEpoch, step } = course.progress;
        course.progress = { step, epoch: epoch + 1, position: 0, runEpoch: runEpoch + 1 };
        const { loss, accuracy } = tally.means;
        const checked = validation === undefined ? {} : { validation: await this.#loop.evaluate(validation) };
        const result = { epoch: runEpoch + 1, loss, accuracy, ...checked };
        results.push(result);
        onEpoch?.(result);
      }
      const stopped = course.progress.runEpoch < epochs;
      if (!stopped) course.progress = { ...course.progress, runEpoch: 0 };
      return { epochs: results, stopped };
    });
  }

  /** One step on one batch of at most `batch` samples. Resolves when its numbers are back. */
  async step(samples: Samples): Promise<StepResult> {
    const packed = this.#loop.packBatch("step", samples);
    return this.#exclusively("step", () => this.#loop.step(packed));
  }

  /**
   * Loss and accuracy over all samples; no weight changes. `averaged`: with the running means of the weights.
   * Throws DataError and ShapeError as `fit` does.
   */
  async evaluate(samples: Samples, { averaged = false }: Averaged = {}): Promise<Evaluation> {
    if (averaged) this.#demandAverages("evaluate");
    return this.#exclusively("evaluate", () => this.#loop.evaluate(samples, averaged));
  }

  /** The model's output for each sample of `x`, [samples, ...]: logits for a classifier. */
  async predict(
    x: Numbers,
    { averaged = false, ...options }: { readonly mean?: number; readonly std?: number } & Averaged = {},
  ): Promise<HostTensor> {
    if (averaged) this.#demandAverages("predict");
    const packed = packInputs("predict", { ...options, x }, this.#demand);
    return this.#exclusively("predict", () => this.#runner.predict(packed, averaged));
  }

  /** The running means of the weights by name, as of the steps submitted so far. Throws OptionError where none are kept. */
  async averages(): Promise<Map<string, HostTensor>> {
    this.#demandAverages("averages");
    return this.#runner.store.read("average");
  }

  /** All weights by name, as of the steps submitted so far. */
  weights(): Promise<Map<string, HostTensor>> {
    return this.#runner.store.read("parameters");
  }

  /** Sets weights by tensor name. Throws NameError, ShapeError and DataError before any changes. */
  setWeights(weights: Readonly<Record<string, Numbers>>): void {
    for (const { placed, values } of placedNumbers("setWeights", this.#program.layout.tensors, weights)) {
      this.#write(placed, values);
    }
  }

  /**
   * The learning-rate range test (Smith 2017): one step at each of `steps` rates from `lo` to `hi`, then everything is put
   * back, weights, moments, counters and the place in the data. All layers keep their proportions; `layers` sweeps some
   * and lets the others train at their own rates. Gives rates, smoothed losses, and fastai's four suggestions.
   */
  findRate(data: Data, options: FindRateOptions = {}): Promise<FoundRates> {
    return findRate(this, this.#rates, this.#settings.optimizer.lr, data, options);
  }

  /**
   * The recipe of fastai for a model with a trained body and a new head: the head alone for `headEpochs`, then all layers at
   * half the rate for `epochs`, in equal ratios down to `spread` times slower at the input; one cycle each. A fit that is
   * stopped ends the recipe. Throws OptionError, and what `fit` throws.
   */
  fineTune(data: Data, options: FineTuneOptions = {}): Promise<FitResult> {
    return fineTune(this, this.#program.depths, this.#settings.optimizer.lr, data, options);
  }

  /**
   * Takes the weights whose names and shapes are this model's from another one, such as a trained body under a new head: a
   * map of `weights()`, or the bytes of a checkpoint. What has no counterpart keeps its values. Throws CheckpointError
   * where nothing fits.
   */
  transfer(source: ReadonlyMap<string, HostTensor> | Uint8Array): Transferred {
    const { weights, result } = fittingWeights(this.#program.layout.tensors, source);
    this.setWeights(weights);
    return result;
  }

  /** The gradients of the mean loss on one batch of at most `batch` samples; no weight, moment or counter changes. */
  async gradients(samples: Samples): Promise<Gradients> {
    const packed = this.#loop.packBatch("gradients", samples);
    return this.#exclusively("gradients", () => this.#loop.gradients(packed));
  }

  /**
   * One update with gradients made elsewhere, by tensor name, at the rates of now: for reinforcement learning, federated
   * averaging or tests. Tensors that are not named, and frozen ones, are left as they are, step count included.
   * Throws NameError, ShapeError and DataError before any changes.
   */
  async applyGradients(gradients: Readonly<Record<string, Numbers>>): Promise<void> {
    // A guard is there to be asked about numbers that are not finite.
    const guarded = this.#settings.update.controllers.some(({ name }) => name === "guard");
    const named = placedNumbers("applyGradients", this.#program.layout.tensors, gradients, guarded);
    await this.#exclusively("applyGradients", () => {
      for (const { placed, values } of named) this.#runner.store.write("gradients", placed, values);
      return this.#loop.applyGradients(new Set(named.map(({ placed }) => placed.name)));
    });
  }

  /** A checkpoint as of the steps submitted so far: weights, moments, rates, counters, and the place in the data. */
  async save(): Promise<Uint8Array<ArrayBuffer>> {
    return save(this.#subject);
  }

  /** Goes back to a checkpoint. Throws CheckpointError, with nothing changed, where it does not fit. */
  load(bytes: Uint8Array): void {
    if (this.#busy) throw new GradusError("load: training is under way. Call stop() and await fit first.");
    load(this.#subject, bytes);
    this.#loop.forgetOrder();
  }

  /** Frees everything on the GPU. The device itself is kept if it was given to `compile`. */
  dispose(): void {
    this.#stop = true;
    this.#runner.dispose();
  }

  /** Sets weights, and with them what their means start from. */
  #write(placed: Placed, values: Float32Array<ArrayBuffer>): void {
    this.#runner.forgetFeatures();
    for (const arena of ["parameters", ...(this.#settings.update.average ? ["average"] : [])]) {
      this.#runner.store.write(arena, placed, values);
    }
  }

  #demandAverages(place: string): void {
    if (this.#settings.update.average) return;
    throw new OptionError(
      `${place}: no running means of the weights are kept. Compile with { averaging: 0.999 }, say.`,
    );
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
}
