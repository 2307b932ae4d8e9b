// The rounds of a GAN: a step of the critic, then one of the artist, on images and noise that the seed and the round decide.

import type { Trainer } from "../../src/index.ts";
import type { PlannedRun, Told } from "../page/lesson.ts";
import { normals, permutation } from "../random.ts";

export interface Settings {
  readonly images: number;
  readonly rounds: number;
  readonly batch: number;
  readonly noise: number;
  readonly lr: number;
  readonly every: number;
  readonly seed: number;
}

const PIXELS = 28 * 28;

export class GanRun implements PlannedRun {
  readonly trainer: Trainer;
  readonly settings: Settings;
  readonly #x: Uint8Array;
  readonly #told: Told;
  #order = new Uint32Array();
  #epoch = -1;
  #planned: number;
  #paused = false;
  /** Loss of the critic's latest step. */
  #critic = Number.NaN;

  constructor(trainer: Trainer, x: Uint8Array, settings: Settings, told: Told) {
    this.trainer = trainer;
    this.#x = x;
    this.settings = settings;
    this.#told = told;
    this.#planned = settings.rounds;
  }

  /** Two a round. */
  get stepsPlanned(): number {
    return 2 * this.#planned;
  }

  get finished(): boolean {
    return this.trainer.steps >= this.stepsPlanned;
  }

  async go(): Promise<void> {
    const { trainer, settings } = this;
    if (this.finished) this.#planned += settings.rounds;
    this.#paused = false;
    do await this.#round(Math.floor(trainer.steps / 2));
    while (!this.#paused && !this.finished && (trainer.steps / 2) % settings.every !== 0);
  }

  /** After the round under way. */
  pause(): void {
    this.#paused = true;
  }

  dispose(): void {
    this.trainer.dispose();
  }

  async #round(round: number): Promise<void> {
    const { trainer, settings } = this;
    const { batch, noise, seed } = settings;
    const x = { image: this.#images(round), noise: normals(batch * noise, `noise ${seed} ${round}`) };
    const y = { one: new Float32Array(batch).fill(1), zero: new Float32Array(batch) };
    // Where the artist's step was refused the critic's is not made again.
    if (trainer.steps % 2 === 0)
      this.#critic = (await trainer.step({ x, y }, { loss: "critic", train: "critic.**" })).loss;
    const artist = await trainer.step({ x, y }, { loss: "artist", train: "artist.**" });
    this.#told.onLosses(artist.step, batch, this.#critic, artist.loss);
  }

  /** The images of a round, in an order that is another one each time all were seen. */
  #images(round: number): Uint8Array {
    const { batch, seed } = this.settings;
    const count = this.#x.length / PIXELS;
    const images = new Uint8Array(batch * PIXELS);
    for (let i = 0; i < batch; i++) {
      const seen = round * batch + i;
      const epoch = Math.floor(seen / count);
      if (epoch !== this.#epoch) {
        this.#epoch = epoch;
        this.#order = permutation(count, `images ${seed} ${epoch}`);
      }
      const at = (this.#order[seen % count] as number) * PIXELS;
      images.set(this.#x.subarray(at, at + PIXELS), i * PIXELS);
    }
    return images;
  }
}
