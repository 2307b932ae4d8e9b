// A trainer that survives the loss of its device: the calls of a trainer, each of which waits for the recovery and is made
// again where that changes nothing, or else is kept until a snapshot knows of it.

import {
  type Averaged,
  type Data,
  type EvaluateOptions,
  type Evaluation,
  type FindRateOptions,
  type FineTuneOptions,
  type FitOptions,
  type FitResult,
  type FoundRates,
  type Gradients,
  GradusError,
  type HostTensor,
  type Inputs,
  type LayerRates,
  type LoadOptions,
  type Model,
  type NamedNumbers,
  type OptimizerState,
  type PredictOptions,
  type Samples,
  type SaveOptions,
  type StepGoal,
  type StepResult,
  type StreamNumbers,
  type Trainer,
  type TrainerState,
  type TransferOptions,
  type Transferred,
  type Uploaded,
  type UploadOptions,
} from "../index.ts";
import { comesOnce, demandAgain, kept } from "./again.ts";
import { Course } from "./course.ts";
import { type CheckedRecovery, checkedRecovery, type RecoverableOptions, type RecoverOptions } from "./options.ts";
import { Recovery } from "./recovery.ts";

/** Updates between two snapshots, where the user says nothing: of a fit, and of single steps, whose batches are kept. */
const [FIT_STEPS, SINGLE_STEPS] = [1000, 64];

/**
 * As `compile`, for a training that goes on when its device is lost: on a new device, from the last snapshot, to the bits of a run that
 * was resumed from it. A device whose owner destroys it ends with DeviceError. Throws what `compile` throws, and OptionError.
 *
 * @example
 * const trainer = await compileRecoverable(model, options, { onRecover: ({ step, reason }) => console.log(step, reason) });
 * await trainer.fit({ x, y }, { epochs: 100 });
 */
export async function compileRecoverable(
  model: Model,
  options: RecoverableOptions,
  recovery: RecoverOptions = {},
): Promise<RecoverableTrainer> {
  const how = checkedRecovery(options, recovery);
  const found = new Recovery(model, options, how);
  await found.begin();
  return new RecoverableTrainer(found, how);
}

/** What was uploaded, so that it can be uploaded again. */
interface Upload {
  readonly samples: Samples;
  trainer: Trainer;
  current: Uploaded;
}

/**
 * A trainer that survives its device. Its calls are those of a trainer; each of them waits while a device is away, or throws DeviceError where it
 * cannot wait, because it is no promise. Made by `compileRecoverable`.
 */
export class RecoverableTrainer {
  /** As those of a trainer; changes made since the snapshot are made again at their steps. */
  readonly rates: LayerRates;
  readonly #recovery: Recovery;
  readonly #how: CheckedRecovery;
  readonly #uploads = new WeakMap<object, Upload>();
  #busy = false;
  #fitting = false;
  #stopped = false;

  /** @internal */
  constructor(recovery: Recovery, how: CheckedRecovery) {
    this.#recovery = recovery;
    this.#how = how;
    this.rates = recovery.rates.rates;
  }

  /** The trainer of now, for what takes one. It ends with its device. */
  get current(): Trainer {
    return this.#recovery.trainer;
  }
  /** Which adapter runs, for example "google swiftshader (software)". */
  get adapter(): string {
    return this.current.adapter;
  }
  /** Whether a CPU does the work of a GPU. */
  get software(): boolean {
    return this.current.software;
  }
  /** Updates made so far, as the trainer of now knows them. */
  get steps(): number {
    return this.current.steps;
  }
  /** Bytes of the last snapshot, as `load` takes them; undefined before the first one. */
  get lastSnapshot(): Uint8Array<ArrayBuffer> | undefined {
    return this.#recovery.saved;
  }

  /** Resolves once there is a device that lives. Throws DeviceError where there will be none. */
  async recovered(): Promise<void> {
    await this.#recovery.ready();
  }

  /** Takes a snapshot now, so that nothing from before it has to be made again. */
  async snapshot(): Promise<void> {
    if (!this.#fitting) this.#demandRest("snapshot");
    await this.#recovery.call((trainer) => this.#recovery.snapshot(trainer));
  }

  /**
   * As `fit` of a trainer. After a loss each update that was told of is made again in silence, and then it goes on; the means of an epoch in which that
   * happened are those of loss and accuracy over all its samples, and of reports over those since the snapshot. It resolves when a snapshot knows
   * all of it. Throws OptionError where batches come once only.
   */
  async fit(data: Data, options: FitOptions = {}): Promise<FitResult> {
    return this.#exclusively("fit", async () => {
      await this.#recovery.quiet();
      this.#fitting = true;
      return this.#fit(data, options).finally(() => {
        this.#fitting = false;
      });
    });
  }

  async #fit(data: Data, options: FitOptions): Promise<FitResult> {
    demandAgain("fit", data);
    demandAgain("fit: validation", options.validation);
    this.#stopped = false;
    const first = (await this.#recovery.ready()).steps;
    const course = new Course(this.#recovery, this.#how, options, FIT_STEPS);
    const wanted = (): boolean => this.#stopped || options.signal?.aborted === true;
    for (;;) {
      const trainer = await this.#recovery.ready();
      const again = course.restarts > 0;
      const resume = course.saved ? { resume: true } : {};
      // Who wanted to stop while a device was away gets all that was told of, and no more.
      const end = again && wanted() ? course.heard : first + (options.steps ?? Number.POSITIVE_INFINITY);
      const steps = end - trainer.steps;
      if (again && steps <= 0) {
        await this.#recovery.call((one) => this.#recovery.snapshot(one));
        return {
          epochs: course.epochs,
          stopped: wanted() || (course.epochs.at(-1)?.epoch ?? 0) < (options.epochs ?? 0),
        };
      }
      const { signal, steps: _, ...rest } = options;
      try {
        const { stopped } = await trainer.fit(this.#here(data, trainer), {
          ...{ ...rest, ...resume, ...course.callbacks(trainer) },
          ...(options.validation && { validation: this.#here(options.validation, trainer) }),
          ...(Number.isFinite(steps) && {
            steps,
            epochs: options.epochs ?? (options.steps === undefined ? 1 : Number.POSITIVE_INFINITY),
          }),
          ...(signal && !(again && wanted()) && { signal }),
        });
        if (again && wanted() && trainer.steps < course.heard) continue;
        await course.settle();
        await this.#recovery.snapshot(trainer);
        return { epochs: course.epochs, stopped: stopped || (again && wanted()) };
      } catch (error) {
        await this.#recovery.heal(trainer, error).catch(async (final) => {
          // What was made before it is not to be lost with the device.
          if (trainer.steps > first) await this.#recovery.snapshot(trainer).catch(() => undefined);
          throw final;
        });
        course.restart();
      }
    }
  }

  /** Ends a running fit after the current step, as `stop` of a trainer. */
  stop(): void {
    this.#stopped = true;
    this.current.stop();
  }

  /** As `upload` of a trainer. A copy of the samples stays on the host, to be uploaded again. */
  upload(samples: Samples): Uploaded;
  upload(samples: Samples, options: UploadOptions): Promise<Uploaded>;
  upload(samples: Samples, options?: UploadOptions): Uploaded | Promise<Uploaded> {
    if (options !== undefined) {
      const own = kept("upload", samples);
      return this.#recovery.call(async (trainer) => this.#again(trainer, await trainer.upload(own, options), own));
    }
    const trainer = this.#recovery.now("upload");
    return this.#again(trainer, trainer.upload(samples), kept("upload", samples));
  }

  /** What was uploaded, and will be again where another trainer needs it. */
  #again(trainer: Trainer, current: Uploaded, samples: Samples): Uploaded {
    const entry: Upload = { samples, trainer, current };
    const free = current.dispose.bind(current);
    current.dispose = () => {
      this.#uploads.delete(current);
      if (entry.current !== current) entry.current.dispose();
      free();
    };
    this.#uploads.set(current, entry);
    return current;
  }

  /** As `step` of a trainer. The batch is kept until a snapshot knows of it. */
  async step(samples: Samples, options: StepGoal = {}): Promise<StepResult> {
    return this.#exclusively("step", async () => {
      await this.#recovery.ready();
      const [batch, goal] = [kept("step", samples), { ...options }];
      const told = await this.#recovery.call((trainer) => trainer.step(batch, options));
      await this.#noted((trainer) => trainer.step(batch, goal));
      return told;
    });
  }

  /** As `applyGradients` of a trainer. The gradients are kept until a snapshot knows of them. */
  async applyGradients(gradients: NamedNumbers): Promise<void> {
    await this.#exclusively("applyGradients", async () => {
      const own = kept("applyGradients", gradients);
      await this.#recovery.call((trainer) => trainer.applyGradients(own));
      await this.#noted((trainer) => trainer.applyGradients(own));
    });
  }

  /** As `gradients` of a trainer; after a loss they are computed again, from the last snapshot. */
  async gradients(samples: Samples): Promise<Gradients> {
    return this.#exclusively("gradients", () => this.#recovery.call((trainer) => trainer.gradients(samples)));
  }

  /** As `evaluate` of a trainer. Batches that come once only are refused with OptionError if the device is lost meanwhile. */
  async evaluate(
    data: Data,
    options: Averaged & { readonly perSample: true },
  ): Promise<Evaluation & Required<Pick<Evaluation, "losses">>>;
  async evaluate(data: Data, options?: EvaluateOptions): Promise<Evaluation>;
  async evaluate(data: Data, options: EvaluateOptions = {}): Promise<Evaluation> {
    return this.#recovery.call(
      (trainer) => trainer.evaluate(this.#here(data, trainer), options),
      () => comesOnce(data) && demandAgain("evaluate", data),
    );
  }

  /** As `predict` of a trainer, [samples, ..outputs]; after a loss with the weights of the snapshot. */
  predict(x: StreamNumbers | Inputs | Uploaded, options: PredictOptions & Averaged = {}): Promise<HostTensor> {
    return this.#recovery.call((trainer) => trainer.predict(this.#here(x, trainer), options));
  }
  /** As `averages` of a trainer: running means of the weights by name. */
  averages(): Promise<Map<string, HostTensor>> {
    return this.#recovery.call((trainer) => trainer.averages());
  }
  /** As `weights` of a trainer, by name. */
  weights(): Promise<Map<string, HostTensor>> {
    return this.#recovery.call((trainer) => trainer.weights());
  }
  /** As `state` of a trainer: moments and counts of updates by tensor. */
  state(): Promise<TrainerState> {
    return this.#recovery.call((trainer) => trainer.state());
  }
  /** As `save` of a trainer: a checkpoint in safetensors. */
  save(options: SaveOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.#recovery.call((trainer) => trainer.save(options));
  }

  /** As `setWeights` of a trainer. During a fit a loss before the next snapshot sets them at the snapshot that it goes on from. */
  setWeights(weights: NamedNumbers): void {
    this.#change("setWeights", weights, (trainer, own) => trainer.setWeights(own));
  }
  /** As `setState` of a trainer; kept until a snapshot knows of it. Throws GradusError while training is under way. */
  setState(state: OptimizerState): void {
    this.#demandRest("setState");
    this.#change("setState", state, (trainer, own) => trainer.setState(own));
  }
  /** As `transfer` of a trainer; kept until a snapshot knows of it. */
  transfer(source: NamedNumbers | Uint8Array | ArrayBuffer, options: TransferOptions = {}): Transferred {
    return this.#change("transfer", source, (trainer, own) => trainer.transfer(own, options));
  }
  /**
   * Changes the trainer of now in a way for which this one has no call, as a cohort that copies weights on the GPU; kept until a snapshot knows of
   * it, and made again after a loss. Throws GradusError while training is under way.
   */
  change(make: (trainer: Trainer) => void): void {
    this.#demandRest("change");
    make(this.#recovery.now("change"));
    this.#recovery.note(make);
  }
  /** As `load` of a trainer: the bytes are the snapshot from then on. */
  load(bytes: Uint8Array | ArrayBuffer, options: LoadOptions = {}): void {
    this.#demandRest("load");
    const trainer = this.#recovery.now("load");
    trainer.load(bytes, options);
    const own = bytes instanceof ArrayBuffer ? new Uint8Array(bytes.slice(0)) : Uint8Array.from(bytes);
    this.#recovery.restart(own, [...(options.allow ?? [])]);
  }

  /** As `findRate` of a trainer; after a loss it begins again. */
  findRate(data: Data, options: FindRateOptions = {}): Promise<FoundRates> {
    return this.#recipe("findRate", data, (trainer) => trainer.findRate(this.#here(data, trainer), options));
  }

  /** As `fineTune` of a trainer; after a loss it begins again, and what was told of is made in silence. */
  fineTune(data: Data, options: FineTuneOptions = {}): Promise<FitResult> {
    this.#stopped = false;
    const course = new Course(this.#recovery, this.#how, options, Number.POSITIVE_INFINITY);
    return this.#recipe("fineTune", data, async (trainer) => {
      const found = await trainer.fineTune(this.#here(data, trainer), { ...options, ...course.callbacks(trainer) });
      await this.#recovery.snapshot(trainer);
      return found;
    });
  }

  /** Frees everything on the GPU; whoever waits gets a DeviceError. */
  dispose(): void {
    this.stop();
    this.#recovery.dispose();
  }

  /** As `dispose`, at the end of a block with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** A recipe puts rates of its own in the place of the user's, and is made again as a whole. */
  #recipe<T>(place: string, data: Data, work: (trainer: Trainer) => Promise<T>): Promise<T> {
    return this.#exclusively(place, async () => {
      demandAgain(place, data);
      await this.#recovery.ready();
      this.#recovery.rates.beginRecipe();
      try {
        return await this.#recovery.call(work);
      } finally {
        this.#recovery.rates.endRecipe();
      }
    });
  }

  /** Data where the trainer of now has it. */
  #here<T>(data: T, trainer: Trainer): T {
    const entry = this.#uploads.get(Object(data));
    if (entry === undefined) return data;
    if (entry.trainer !== trainer) Object.assign(entry, { trainer, current: trainer.upload(entry.samples) });
    return entry.current as T;
  }

  /** A change of weights at once, kept until a snapshot knows of it. */
  #change<T extends object, Told>(place: string, what: T, make: (trainer: Trainer, own: T) => Told): Told {
    const trainer = this.#recovery.now(place);
    const told = make(trainer, what);
    const own = kept(place, what);
    this.#recovery.note((one) => make(one, own));
    if (this.#fitting) this.#recovery.snapshot(trainer).catch(() => undefined);
    return told;
  }

  /** After a single step: kept, until there are so many that a snapshot is cheaper. */
  async #noted(entry: (trainer: Trainer) => Promise<unknown>): Promise<void> {
    this.#recovery.note(entry);
    const { everySteps = SINGLE_STEPS, everySeconds } = this.#how;
    if (this.#recovery.entries < everySteps && this.#recovery.age < everySeconds * 1000) return;
    await this.#recovery.call((trainer) => this.#recovery.snapshot(trainer));
  }

  #demandRest(place: string): void {
    if (this.#busy) throw new GradusError(`${place}: training is under way. Call stop() and await fit first.`);
  }

  async #exclusively<T>(place: string, run: () => Promise<T>): Promise<T> {
    this.#demandRest(place);
    this.#busy = true;
    try {
      return await run();
    } finally {
      this.#busy = false;
    }
  }
}
