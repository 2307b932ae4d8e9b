// One training: the network with its weights, the digits it learns from, and the way through the epochs. Knows nothing
// of the page; what happens is told to a listener.

import { constant, type EpochResult, oneCycle, type Schedule, type StepResult, type Trainer } from "../../src/index.ts";
import type { Digits } from "../digits.ts";
import { compileDigits } from "../network.ts";
import { firstDigits } from "./mnist.ts";

export interface Settings {
  /** Training images; a sixth as many test images, as in MNIST itself. */
  readonly images: number;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  readonly schedule: "oneCycle" | "constant";
}

export interface Listener {
  onStep(result: StepResult): void;
  onEpoch(result: EpochResult): void;
}

export class Session {
  readonly trainer: Trainer;
  readonly stepsPerEpoch: number;
  readonly #settings: Settings;
  readonly #train: Digits;
  readonly #test: Digits;
  #schedule: Schedule;
  #epochsPlanned: number;
  #epochsDone = 0;

  private constructor(trainer: Trainer, settings: Settings, schedule: Schedule, train: Digits, test: Digits) {
    this.trainer = trainer;
    this.#settings = settings;
    this.#schedule = schedule;
    this.#train = train;
    this.#test = test;
    this.stepsPerEpoch = stepsPerEpoch(settings);
    this.#epochsPlanned = settings.epochs;
  }

  /** A network with new weights. Throws what the engine throws, DeviceError where there is no WebGPU. */
  static async open(settings: Settings): Promise<Session> {
    const schedule = scheduleFrom(0, settings);
    const { batch, seed } = settings;
    const trainer = await compileDigits({ batch, seed, schedule });
    try {
      const [train, test] = await Promise.all([
        firstDigits("train", settings.images),
        firstDigits("test", Math.ceil(settings.images / 6)),
      ]);
      return new Session(trainer, settings, schedule, train, test);
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

  get finished(): boolean {
    return this.#epochsDone >= this.#epochsPlanned;
  }

  /** What each layer's rate is multiplied with at the next step. */
  get factor(): number {
    const { steps } = this.trainer;
    return this.#schedule({ step: steps, updates: steps, stepsPerEpoch: this.stepsPerEpoch });
  }

  /** Trains to the end of the present epoch, or until `pause`; the next call goes on from there. */
  async runEpoch({ onStep, onEpoch }: Listener): Promise<void> {
    if (this.finished) this.#planMore();
    const validation = this.#test;
    const { stopped } = await this.trainer.fit(this.#train, { epochs: 1, validation, onStep, onEpoch });
    if (!stopped) this.#epochsDone++;
  }

  pause(): void {
    this.trainer.stop();
  }

  dispose(): void {
    this.trainer.dispose();
  }

  /** As many epochs again, on a schedule that begins anew. */
  #planMore(): void {
    this.#epochsPlanned += this.#settings.epochs;
    this.#schedule = scheduleFrom(this.trainer.steps, this.#settings);
    this.trainer.rates.set("**", { schedule: this.#schedule });
  }
}

const stepsPerEpoch = ({ images, batch }: Settings): number => Math.ceil(images / batch);

function scheduleFrom(begin: number, settings: Settings): Schedule {
  if (settings.schedule === "constant") return constant();
  const cycle = oneCycle({ steps: settings.epochs * stepsPerEpoch(settings) });
  return (clock) => cycle({ ...clock, step: clock.step - begin });
}
