// What `compile` gives the user: a model on a device that trains, evaluates, predicts, saves and loads.

import type { Data, Inputs, Samples, StreamNumbers } from "../data/dataset.ts";
import { formatOf } from "../data/normalization.ts";
import type { Uploaded } from "../data/uploaded.ts";
import { bug, GradusError, OptionError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { type DataFormat, plainFormat } from "../graph/stream.ts";
import { initialValues } from "../initializer.ts";
import type { Signature } from "../io/signature.ts";
import { type NamedNumbers, placedNumbers, type Transferred } from "../network/named.ts";
import { Network, type PredictOptions, predictKeys } from "../network/network.ts";
import type { LayerRates } from "../optim/layer-rates.ts";
import type { RateTable } from "../optim/rates.ts";
import { checkName, checkOptions, checkSwitches, resolved } from "../option.ts";
import { placeOfPattern } from "../pattern.ts";
import type { TrainerMemory } from "../plan/plan.ts";
import { type FindRateOptions, type FoundRates, findRate } from "../recipe/find-rate.ts";
import { type FineTuneOptions, fineTune } from "../recipe/fine-tune.ts";
import {
  checkFit,
  checkSignal,
  type Evaluation,
  type FitOptions,
  type FitResult,
  type StepResult,
} from "../recipe/fit-options.ts";
import type { Trial } from "../recipe/trial.ts";
import type { Mode, Program } from "../step/program.ts";
import type { Recording } from "../step/record.ts";
import { createRunner } from "../step/runner.ts";
import type { HostTensor } from "../step/store.ts";
import { createFit, type Fit } from "./fit.ts";
import { createLedger } from "./ledger.ts";
import type { CompileOptions, Gradients, Settings } from "./options.ts";
import { createParts, type Parts } from "./parts.ts";
import { createPasses, type Passes } from "./pass.ts";
import { load, type Subject, save, saveWeights, signed, stateNow, takeState } from "./snapshot.ts";
import { type CheckedState, checkedState, type OptimizerState, type TrainerState } from "./state.ts";
import { createStop, type Stop } from "./stop.ts";
import { createSubmit } from "./submit.ts";

/** Whether the running means of the weights stand in for them; compile with `averaging`. Default false. */
export interface Averaged {
  /** True for the running means. */
  readonly averaged?: boolean;
}

/** Options of `evaluate`. */
export interface EvaluateOptions extends Averaged {
  /** Whether the loss of each sample is told. Default false. */
  readonly perSample?: boolean;
}

/** Options of `upload` in pieces. */
export interface UploadOptions {
  /** Hears before the first piece and after each how many bytes of how many are on the GPU. What it throws ends the upload. */
  readonly onProgress?: (told: { readonly done: number; readonly total: number }) => void;
  /** Ends the upload: nothing stays on the GPU, and its promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options of `step`: what it learns, and what moves. */
export interface StepGoal {
  /** Name of one of `losses`. Default: what `fit` learns. */
  readonly loss?: string;
  /** A pattern of layers or tensors: all others rest, as if they were frozen for this step. Default: all train. */
  readonly train?: string;
}

/** Options of `save`. */
export interface SaveOptions {
  /** The weights alone, as a plain safetensors file for whatever reads those. Default: all that goes on to the same bits. */
  readonly only?: "weights";
}

/** Options of `load`. */
export interface LoadOptions {
  /** What may differ from the trainer that saved: "batch", "clip", "rules" and the other words of the error. Default: nothing. */
  readonly allow?: readonly string[];
}

/** A model on a device, with what it needs to train. Made by `compile`. */
export class Trainer {
  /** Which adapter runs, for example "google swiftshader (software)". */
  readonly adapter: string;
  /** Whether a CPU does the work of a GPU. */
  readonly software: boolean;
  /** The model on its device: what predicts, and what the weights belong to. */
  readonly network: Network;
  /** Learning rates by layer: change them while training goes on, effective at the next step. */
  readonly rates: LayerRates;

  readonly #parts: Parts;
  readonly #passes: Passes;
  readonly #fitting: Fit;
  readonly #program: Program;
  readonly #signature: Signature;
  #busy = false;
  #stop: Stop | undefined;

  /** @internal */
  constructor(settings: Settings, programs: ReadonlyMap<string, Program>, rates: RateTable, gpu: Gpu) {
    const program = programs.get("") ?? bug("there is no loss");
    const streams = new Map([...programs].map(([name, one]) => [name, one.streams]));
    const { batch, seed, update } = settings;
    this.#program = program;
    this.#signature = signed(settings, rates);
    const runner = createRunner(gpu, { ...settings, ruleOf: rates.ruleOf }, program);
    this.adapter = gpu.adapter;
    this.software = gpu.software;
    const place = {
      epoch: 0,
      position: 0,
      runEpoch: 0,
      batch,
      accumulate: update.accumulate,
      count: null,
      shuffle: true,
    };
    const ledger = createLedger(
      rates,
      { step: 0, draws: 0, place, into: 0, counts: rates.start() },
      {
        clearStatus: () => runner.clearStatus(),
        rest: update.controllers.find(({ name }) => name === "guard")?.constants.REST,
      },
    );
    const { normalization } = settings;
    this.network = new Network({ gpu, program, runner, normalization, demandSound: ledger.demandSound });
    const submit = createSubmit(settings, rates, runner, ledger);
    const { turns } = this.network;
    this.#parts = createParts({ settings, streams, rates, runner, ledger, submit, turns });
    this.#passes = createPasses(this.#parts);
    this.#fitting = createFit(this.#parts, this.#passes);
    const { freeze, assign, scale, edits, replay } = rates;
    /** A change that has just been made, and what is to be said of its rates. */
    const warned = (place: string, hit: readonly string[]): readonly string[] => {
      this.#parts.warn(place, hit);
      return hit;
    };
    this.rates = {
      set: (pattern, spec) => {
        const averaging: unknown = Object(spec).averaging;
        if (typeof averaging === "number" && averaging > 0) this.#demandAverages("rates.set");
        return warned(placeOfPattern("rates.set", pattern), rates.set(pattern, spec));
      },
      unfreeze: (pattern) => warned(placeOfPattern("unfreeze", pattern), rates.unfreeze(pattern)),
      ...{ freeze, assign, scale, edits, replay },
      table: ((options: { readonly tensors?: boolean } = {}) =>
        resolved("rates.table", options, { tensors: [false] }).tensors
          ? this.#parts.tensorTable()
          : this.#parts.table()) as LayerRates["table"],
    };
    for (const { parameters: own, layout: places } of [program, program.base, program.states]) {
      for (const [i, parameter] of own.entries()) {
        const placed = places.tensors[i] ?? bug(`"${parameter.name}" has no place`);
        runner.setWeight(placed, initialValues(parameter, parameter.initializer, seed));
      }
    }
  }

  /** Updates made so far. */
  get steps(): number {
    return this.#parts.ledger.head.step;
  }

  /** The step as it stands: every dispatch, printable with `print`. */
  recording(mode: Mode = "train"): Recording {
    checkName("recording", "mode", mode, ["train", "gradients", "evaluate", "predict", "features"]);
    return this.#programOf(mode, plainFormat(this.#program.streams.inputs)).recording;
  }

  #programOf(mode: Mode, format: DataFormat): Program {
    const { rates, ledger, runner, stepsPerEpoch = Number.POSITIVE_INFINITY } = this.#parts;
    const trains = mode === "train" || mode === "gradients";
    const frozen = trains ? rates.frozenAt({ step: ledger.head.step, stepsPerEpoch }) : [];
    return runner.program(mode, format, frozen);
  }

  /** Bytes of activations in a training step, and of what is stored beside them, such as weights, moments and the base. */
  memory(): TrainerMemory {
    const stored = [...this.#parts.runner.store.buffers].map(([name, { size }]) => [name, size]);
    return { ...this.recording().memory, stored: Object.fromEntries(stored) };
  }

  /** Ends a running fit after the current step; steps that are on their way are made. `fit` with `resume` goes on from there. */
  stop(): void {
    this.#stop?.now();
  }

  /**
   * Trains for a number of epochs, or of steps. It begins anew, with a new order of the samples; with `resume` it goes on
   * where the last one was stopped, or where a checkpoint was made. While it runs, `predict`, `evaluate`, `weights` and `save`
   * take their turn between its submissions and change nothing of it.
   * Throws DataError, ShapeError and OptionError before any weight changes, NonFiniteError when a loss or a gradient is
   * NaN or infinite; the weights are then those from before that step. Nothing is called after it has ended.
   */
  async fit(data: Data, options: FitOptions = {}): Promise<FitResult> {
    return this.#exclusively("fit", () => this.#fit("fit", data, options));
  }

  async #fit(place: string, data: Data, options: FitOptions): Promise<FitResult> {
    checkFit(place, options);
    const stop = createStop(options.signal);
    this.#stop = stop;
    try {
      return await this.#fitting.run(place, data, options, stop);
    } finally {
      stop.release();
      this.#stop = undefined;
    }
  }

  /**
   * Checks samples and puts them on the GPU once, for `fit`, `evaluate` and `predict` to take in their place until `dispose` is called;
   * those without a y that the loss asks for are for `predict` alone. Throws DataError and ShapeError as `fit` does. With options, which
   * may be empty, they go in pieces of 4 MB, each of which is waited for: so the page lives and hears how far it is. Leave the arrays as
   * they are until then.
   *
   * @example
   * const data = await trainer.upload({ x, y }, { onProgress: ({ done, total }) => show(done / total), signal });
   */
  upload(samples: Samples): Uploaded;
  upload(samples: Samples, options: UploadOptions): Promise<Uploaded>;
  upload(samples: Samples, options?: UploadOptions): Uploaded | Promise<Uploaded> {
    if (options !== undefined) return this.#uploadInPieces(samples, options);
    this.network.demandAlive();
    return this.#parts.runner.upload("upload", samples);
  }

  async #uploadInPieces(samples: Samples, options: UploadOptions): Promise<Uploaded> {
    this.network.demandAlive();
    const { onProgress, signal } = resolved("upload", options, {
      onProgress: [() => undefined, "a function"],
      signal: [new AbortController().signal, checkSignal],
    });
    return this.#parts.runner.uploadInPieces("upload", samples, (done, total) => {
      signal.throwIfAborted();
      onProgress({ done, total });
    });
  }

  /**
   * One step on one batch of at most `batch` samples. Resolves when its numbers are back. With `loss` it learns another one of
   * `losses`, with `train` nothing else moves than what the pattern matches: so two losses train in turn.
   *
   * @example
   * await trainer.step(batch, { loss: "d", train: "discriminator.**" });
   * await trainer.step(batch, { loss: "g", train: "generator.**" });
   */
  async step(samples: Samples, options: StepGoal = {}): Promise<StepResult> {
    const { objectives } = this.#parts.settings;
    checkOptions("step", options, ["loss", "train"], '{ loss: "d", train: "discriminator.**" }');
    const { loss = "", train } = options;
    if (options.loss !== undefined) checkName("step", "loss", loss, [...objectives.keys()].filter(Boolean));
    const packed = this.#passes.packBatch("step", samples, loss);
    const trained = train === undefined ? undefined : new Set(this.#parts.rates.find("step: train", train));
    const resting = trained && this.#parts.rates.rows.filter((_, row) => !trained.has(row)).map(({ name }) => name);
    return this.#exclusively("step", () => this.#passes.step(packed, { loss, resting }));
  }

  /**
   * Loss, accuracy and metrics over all samples, or over the batches of an iterable; no weight changes. `averaged`: with the running
   * means of the weights; `perSample`: also the loss of each sample, in order, as `losses`. It may be called at any time. Throws DataError
   * and ShapeError as `fit` does.
   */
  async evaluate(
    data: Data,
    options: Averaged & { readonly perSample: true },
  ): Promise<Evaluation & Required<Pick<Evaluation, "losses">>>;
  async evaluate(data: Data, options?: EvaluateOptions): Promise<Evaluation>;
  async evaluate(data: Data, options: EvaluateOptions = {}): Promise<Evaluation> {
    this.network.demandAlive();
    const asked = resolved("evaluate", options, { averaged: [false], perSample: [false] });
    if (asked.averaged) this.#demandAverages("evaluate");
    return this.#passes.evaluate("evaluate", data, asked);
  }

  /** As `network.predict`; `averaged`: with the running means of the weights. */
  async predict(x: StreamNumbers | Inputs | Uploaded, options: PredictOptions & Averaged = {}): Promise<HostTensor> {
    checkOptions("predict", options, [...predictKeys, "averaged"], "{ batch: 64 }");
    const { averaged = false, ...rest } = options;
    checkSwitches("predict", { averaged });
    if (averaged) this.#demandAverages("predict");
    return this.network.predictWith(x, rest, averaged);
  }

  /** The running means of the weights by name, as of the steps submitted so far. Throws OptionError where none are kept. */
  async averages(): Promise<Map<string, HostTensor>> {
    this.network.demandAlive();
    this.#demandAverages("averages");
    return this.#parts.turns(() => this.#parts.runner.store.read("average"));
  }

  /** As `network.weights`. */
  weights(): Promise<Map<string, HostTensor>> {
    return this.network.weights();
  }

  /** As `network.setWeights`. */
  setWeights(...weights: Parameters<Network["setWeights"]>): void {
    this.network.setWeights(...weights);
  }

  /** Moments and counts of updates of each trained tensor, as of the steps submitted so far. It may be called at any time. */
  async state(): Promise<TrainerState> {
    this.network.demandAlive();
    return this.#parts.turns(() => stateNow(this.#subject));
  }

  /**
   * Goes on with moments and counts that an optimizer had elsewhere: those of PyTorch or Keras, or of another trainer, whose rates or
   * rules may be others. Each tensor that is named needs all moments of its rule; the others keep what they have, weights and rates too,
   * and controllers begin anew. Throws NameError, ShapeError, DataError and OptionError before any changes.
   *
   * @example
   * trainer.setState({ step: 12, tensors: { "head.weight": { step: 12, moment1: m, moment2: v } } });
   */
  setState(state: OptimizerState): void {
    this.network.demandAlive();
    this.takeState(checkedState("setState", this.#parts.rates, this.#program.layout.tensors, state));
  }

  /** Takes over a state that was checked. @internal */
  takeState(state: CheckedState): void {
    this.#demandRest("setState");
    takeState(this.#subject, state);
  }

  /** As `network.transfer`. */
  transfer(...source: Parameters<Network["transfer"]>): Transferred {
    return this.network.transfer(...source);
  }

  /**
   * The learning-rate range test (Smith 2017): one step at each of `steps` rates from `lo` to `hi`, then everything is put
   * back, weights, moments, counters and the place in the data. All layers keep their proportions; `layers` sweeps some
   * and lets the others train at their own rates. Gives rates, smoothed losses, and fastai's four suggestions.
   */
  async findRate(data: Data, options: FindRateOptions = {}): Promise<FoundRates> {
    return this.#exclusively("findRate", () => findRate(this.#trial("findRate"), data, options));
  }

  /**
   * The recipe of fastai for a model with a trained body and a new head: the head alone for `headEpochs`, then all layers at
   * half the rate for `epochs`, in equal ratios down to `spread` times slower at the input; one cycle each. A fit that is
   * stopped ends the recipe. Throws OptionError, and what `fit` throws.
   */
  async fineTune(data: Data, options: FineTuneOptions = {}): Promise<FitResult> {
    const { lr } = this.#parts.settings.optimizer;
    return this.#exclusively("fineTune", () =>
      fineTune(this.#trial("fineTune"), this.#parts.settings.depths, lr, data, options),
    );
  }

  /** The gradients of the mean loss on one batch of at most `batch` samples; no weight, moment or counter changes. */
  async gradients(samples: Samples): Promise<Gradients> {
    const packed = this.#passes.packBatch("gradients", samples);
    return this.#exclusively("gradients", () => this.#passes.gradients(packed));
  }

  /**
   * One update with gradients made elsewhere, by tensor name, at the rates of now: for reinforcement learning, federated
   * averaging or tests. Tensors that are not named, and frozen ones, are left as they are, step count included.
   * Throws NameError, ShapeError and DataError before any changes.
   */
  async applyGradients(gradients: NamedNumbers): Promise<void> {
    const { settings, runner, rates, submit, ledger, turns, stepsPerEpoch } = this.#parts;
    // A guard is there to be asked about numbers that are not finite.
    const guarded = settings.update.controllers.some(({ name }) => name === "guard");
    const named = placedNumbers("applyGradients", this.#program.layout.tensors, gradients, {
      anyNumber: guarded,
      base: rates.base,
    });
    const rows = new Set(named.map(({ placed }) => this.#program.layout.tensors.indexOf(placed)));
    await this.#exclusively("applyGradients", async () => {
      await turns(() => {
        for (const { placed, values } of named) runner.store.write("gradients", placed, values);
        return submit.update((row) => rows.has(row), stepsPerEpoch);
      });
      await ledger.drain();
    });
  }

  /**
   * A checkpoint as of the steps submitted so far: weights, moments, rates, counters, and the place in the data. It may be
   * called at any time.
   */
  async save(options: SaveOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    this.network.demandAlive();
    checkOptions("save", options, ["only"], '{ only: "weights" }');
    if (options.only !== undefined) checkName("save", "only", options.only, ["weights"]);
    return this.#parts.turns(() => (options.only === "weights" ? saveWeights : save)(this.#subject));
  }

  /**
   * Goes back to a checkpoint. What it was made with must be what this trainer has, rule by rule; `allow` names what may
   * differ. Throws CheckpointError with every difference, and with nothing changed, where it does not fit, and where a live
   * change has a schedule that the page's bundle left out.
   */
  load(bytes: Uint8Array | ArrayBuffer, options: LoadOptions = {}): void {
    this.network.demandAlive();
    checkOptions("load", options, ["allow"], '{ allow: ["batch"] }');
    this.#demandRest("load");
    this.#load(bytes, options.allow);
  }

  #load(bytes: Uint8Array | ArrayBuffer, allow?: readonly string[]): void {
    load(this.#subject, bytes, allow);
    this.#fitting.forgetOrder();
    // A single step asks schedules in epochs too.
    const { count, batch, accumulate } = this.#parts.ledger.known.place;
    if (count !== null && batch !== null)
      this.#parts.stepsPerEpoch = Math.ceil(Math.ceil(count / batch) / (accumulate ?? 1));
  }

  /** Compiles what a step needs, for numbers and for bytes; tells how far it is. @internal */
  async prepare(onProgress: CompileOptions["onProgress"]): Promise<void> {
    const { runner } = this.#parts;
    const { inputs, normalization, tuning } = this.#parts.settings;
    const build = () =>
      [false, true].map(
        (bytes) => this.#programOf("train", formatOf("compile", inputs, normalization, bytes)).recording,
      );
    let recordings = build();
    if (await tuning?.measure()) {
      runner.forgetPrograms();
      recordings = build();
    }
    const total = recordings.reduce((sum, { commands }) => sum + commands.length, 0);
    let done = 0;
    const tell = (kernel: string): void => onProgress?.({ done: ++done, total, kernel });
    await Promise.all(recordings.map((recording) => runner.compile(recording, tell)));
  }

  /** Frees everything on the GPU. The device itself is kept if it was given to `compile`. */
  dispose(): void {
    this.stop();
    this.network.dispose();
  }

  /** As `dispose`, at the end of a block with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  get #subject(): Subject {
    return { ...this.#parts, signature: this.#signature };
  }

  /** The trainer in the hands of one who has the word. */
  #trial(place: string): Trial {
    return {
      rates: this.#parts.rates,
      steps: () => this.steps,
      check: (data, options) => this.#fitting.check(place, data, options),
      fit: (data, options) => this.#fit(place, data, options),
      stop: () => this.stop(),
      save: () => this.#parts.turns(() => save(this.#subject)),
      load: (bytes) => this.#load(bytes),
    };
  }

  #demandAverages(place: string): void {
    if (this.#parts.settings.update.average) return;
    throw new OptionError(
      `${place}: no running means of the weights are kept. Compile with { averaging: 0.999 }, say.`,
    );
  }

  #demandRest(place: string): void {
    if (this.#busy) throw new GradusError(`${place}: training is under way. Call stop() and await fit first.`);
  }

  /** Keeps two runs from mixing their steps. */
  async #exclusively<T>(place: string, run: () => Promise<T>): Promise<T> {
    this.network.demandAlive();
    if (this.#busy) throw new GradusError(`${place}: training is under way. Await it, or call stop() first.`);
    this.#busy = true;
    try {
      return await run();
    } finally {
      this.#busy = false;
    }
  }
}
