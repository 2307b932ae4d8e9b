// One training: the network with its weights, the digits it learns from, and the way through the epochs. Knows nothing
// of the page; what happens is told to a listener.

import { branches, type Followed, follow, type Link, type Timeline } from "../../src/branches/index.ts";
import {
  constant,
  type FitOptions,
  type FitStep,
  type LayerRow,
  oneCycle,
  type Schedule,
  type Trainer,
} from "../../src/index.ts";
import type { Digits } from "../digits.ts";
import { compileDigits } from "../network.ts";
import { firstDigits } from "../page/mnist.ts";
import type { Run } from "../page/player.ts";
import { sharedDevice } from "../page/shared-device.ts";
import { applyPreset, beginningAt, type ControllerName, controllers } from "./preset.ts";
import { FORMAT, hashOf, packWeights, type RunRecord, unpackWeights } from "./run-record.ts";

export interface Settings {
  /** Training images; a sixth as many test images, as in MNIST itself. */
  readonly images: number;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  readonly schedule: "oneCycle" | "constant";
  readonly control: ControllerName;
}

/** What a training may begin with beside its seed. */
export interface Start {
  readonly weights?: Readonly<Record<string, string>>;
  /** A run to be made again. */
  readonly record?: RunRecord;
  /** Rates and freezing, as a table has them. */
  readonly rows?: readonly LayerRow[];
  /** A way to be gone again, with its branches. */
  readonly link?: Link;
}

export type Listener = Required<Pick<FitOptions, "onStep" | "onStats" | "onEpoch">>;

/** Steps from one look at the layers to the next. */
const STATS_EVERY = 10;
/** Steps from one snapshot to the next: going back makes fewer than this again. */
const SNAPSHOT_EVERY = 250;

export class Session implements Run {
  readonly trainer: Trainer;
  /** All times of this training. */
  timeline: Timeline;
  /** What is to be done in time before training goes on; gone when it is done. */
  journey: (() => Promise<void>) | undefined;
  readonly settings: Settings;
  readonly stepsPerEpoch: number;
  /** The schedule that `compile` was given. */
  readonly schedule: Schedule;
  /** The one for layers that have none of their own now. */
  #schedule: Schedule;
  /** The record under replay, until its last step is made. */
  replayed: RunRecord | undefined;
  /** The preset that the layers are on; undefined once a layer was changed by hand. */
  preset: string | undefined = "one rate";
  readonly #weights: Start["weights"];
  readonly #base: number;
  readonly #train: Digits;
  readonly #test: Digits;
  readonly #listener: Listener;
  #epochsPlanned: number;
  #epochsDone = 0;

  private constructor(
    trainer: Trainer,
    timeline: Timeline,
    settings: Settings,
    start: Start,
    data: readonly [Digits, Digits],
    listener: Listener,
  ) {
    const { record, weights = record?.weights, rows = [], link } = start;
    this.trainer = trainer;
    this.timeline = timeline;
    this.settings = settings;
    this.schedule = this.#schedule = scheduleOf(settings);
    [this.#train, this.#test] = data;
    this.#listener = listener;
    this.stepsPerEpoch = stepsPerEpoch(settings);
    this.#epochsPlanned = settings.epochs;
    this.#base = trainer.rates.table()[0]?.base ?? 0;
    this.#weights = weights;
    if (record !== undefined) trainer.rates.replay(record.edits);
    this.replayed = record;
    for (const { name, base, multiplier, state } of rows) {
      trainer.rates.set(name, { lr: base, multiplier, frozen: state === "frozen" });
    }
    if (record !== undefined || link !== undefined || rows.length > 0) this.preset = undefined;
  }

  /** A network with new weights, or those of `start`. Throws what the engine throws, DeviceError where there is no WebGPU. */
  static async open(settings: Settings, start: Start, listener: Listener): Promise<Session> {
    const { batch, seed, control } = settings;
    const device = await sharedDevice();
    const chosen = { batch, seed, schedule: scheduleOf(settings), control: controllers[control] };
    const trainer = await compileDigits({ ...chosen, ...(device && { device }) });
    try {
      const data = await Promise.all([
        firstDigits("train", settings.images),
        firstDigits("test", Math.ceil(settings.images / 6)),
      ]);
      const { weights = start.record?.weights } = start;
      if (weights !== undefined) trainer.setWeights(unpackWeights(weights));
      const timeline = await branches(trainer, { every: SNAPSHOT_EVERY });
      return new Session(trainer, timeline, settings, start, data, listener);
    } catch (error) {
      trainer.dispose();
      throw error;
    }
  }

  /** Epochs begun or done, and how many are planned. */
  get epoch(): { readonly current: number; readonly planned: number } {
    return { current: Math.min(this.#epochsDone + 1, this.#epochsPlanned), planned: this.#epochsPlanned };
  }

  /** Steps until the planned epochs are over, from the first step on. */
  get stepsPlanned(): number {
    return this.#epochsPlanned * this.stepsPerEpoch;
  }

  /** Whether the planned epochs are over, or the replay. */
  get finished(): boolean {
    const { replayed, trainer } = this;
    return replayed === undefined ? this.#epochsDone >= this.#epochsPlanned : trainer.steps >= replayed.steps;
  }

  /** Whether its settings say all that it began with, so that a link can. */
  get sharable(): boolean {
    return this.#weights === undefined;
  }

  /** Trains to the end of the present epoch or of a replay, or until `pause`; the next call goes on from there. */
  async go(): Promise<void> {
    if (this.journey !== undefined) {
      await this.journey().finally(() => {
        this.journey = undefined;
      });
      return;
    }
    if (this.#epochsDone >= this.#epochsPlanned) this.#planMore();
    const { trainer, replayed } = this;
    const limit = replayed === undefined ? {} : { steps: replayed.steps - trainer.steps };
    const epochs = this.#epochsDone + 1;
    const how = { epochs, resume: true, validation: this.#test, statsEvery: STATS_EVERY, ...this.#listener, ...limit };
    const { stopped } = await this.timeline.fit(this.#train, how);
    if (!stopped) this.#epochsDone++;
  }

  pause(): void {
    this.timeline.stop();
  }

  /** Goes the way of a link; `hear` is told of each step, and on which of its lines it is. */
  async follow(link: Link, hear: (step: FitStep, line: number) => void): Promise<Followed> {
    const found = await follow(this.trainer, link, this.#train, { every: SNAPSHOT_EVERY, onStep: hear });
    let first = found.timeline;
    while (first.parent !== undefined) first = first.parent;
    this.timeline = first;
    this.#epochsDone = Math.floor(first.steps / this.stepsPerEpoch);
    this.#epochsPlanned = Math.max(this.#epochsPlanned, Math.ceil(first.steps / this.stepsPerEpoch));
    return found;
  }

  /** Back where training goes on. */
  async comeBack(): Promise<void> {
    await this.timeline.at(this.timeline.steps).visit();
  }

  /** Puts a preset on the layers, from the next step on and for what is left of the run. */
  choose(preset: string): void {
    const steps = Math.max(1, this.stepsPlanned - this.trainer.steps);
    applyPreset(this.trainer, preset, { steps, base: this.#base, schedule: this.#schedule });
    this.preset = preset;
  }

  /** The run so far. To be called while training rests. */
  async record(): Promise<RunRecord> {
    const { settings, trainer } = this;
    const weights = this.#weights === undefined ? {} : { weights: this.#weights };
    // What was changed after the last step has not acted yet, and would not in a replay.
    const edits = trainer.rates.edits().filter(({ step }) => step < trainer.steps);
    return { format: FORMAT, settings, ...weights, edits, steps: trainer.steps, hash: await this.hash() };
  }

  hash = async (): Promise<string> => hashOf(await this.trainer.weights());

  /** What another session needs to go on with these weights: moments, counts and data begin anew. */
  async handOver(): Promise<Start> {
    const weights = packWeights(await this.trainer.weights());
    return this.preset === undefined ? { weights, rows: this.trainer.rates.table() } : { weights };
  }

  dispose(): void {
    this.trainer.dispose();
  }

  /** As many epochs again, on a schedule and a preset that begin anew. In a replay that is among the changes. */
  #planMore(): void {
    const { steps, rates } = this.trainer;
    this.#epochsPlanned += this.settings.epochs;
    this.#schedule = beginningAt(steps, scheduleOf(this.settings));
    if (this.replayed !== undefined) return;
    if (this.preset !== undefined) this.choose(this.preset);
    else {
      rates.set("**", { schedule: this.#schedule });
      if (rates.table().every(({ state }) => state === "frozen")) this.trainer.rates.unfreeze("**");
    }
  }
}

const stepsPerEpoch = ({ images, batch }: Settings): number => Math.ceil(images / batch);

const scheduleOf = (settings: Settings): Schedule =>
  settings.schedule === "constant" ? constant() : oneCycle({ steps: settings.epochs * stepsPerEpoch(settings) });
