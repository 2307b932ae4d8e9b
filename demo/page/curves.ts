// The two charts: loss as it comes and smoothed, accuracy while training and on the test digits.

import { type Chart, createChart } from "./chart.ts";
import { find } from "./element.ts";
import { fraction, percent } from "./number.ts";

/** How much of the past the smoothed lines keep at each step: about the last twenty steps count. */
const MEMORY = 0.9;

/** A mean that forgets, without the pull towards its start (as Adam corrects its moments). */
class Smooth {
  #sum = 0;
  #weight = 0;

  add(value: number): number {
    this.#sum = MEMORY * this.#sum + (1 - MEMORY) * value;
    this.#weight = MEMORY * this.#weight + (1 - MEMORY);
    return this.#sum / this.#weight;
  }
}

export class Curves {
  readonly #loss: Chart;
  readonly #accuracy: Chart;
  #steps: number[] = [];
  #raw: number[] = [];
  #smooth: number[] = [];
  #training: number[] = [];
  #test: (number | null)[] = [];
  #smoothLoss = new Smooth();
  #smoothAccuracy = new Smooth();

  constructor() {
    this.#loss = createChart(find("#loss", HTMLElement), {
      lines: [
        { label: "Each step", color: "--faint", width: 1 },
        { label: "Smoothed", color: "--accent", width: 2 },
      ],
      range: (_, most) => [0, Math.max(0.1, Math.min(most, 5) * 1.05)],
      format: fraction,
      tick: (value) => value.toFixed(1),
    });
    this.#accuracy = createChart(find("#accuracy", HTMLElement), {
      lines: [
        { label: "Training, smoothed", color: "--accent", width: 2 },
        { label: "Test", color: "--second", width: 2, sparse: true },
      ],
      range: () => [0, 1.02],
      format: percent,
      tick: (value) => `${Math.round(value * 100)} %`,
    });
  }

  /** The latest smoothed values; NaN before the first step. */
  get latest(): { readonly loss: number; readonly accuracy: number } {
    return { loss: this.#smooth.at(-1) ?? Number.NaN, accuracy: this.#training.at(-1) ?? Number.NaN };
  }

  addStep(step: number, loss: number, accuracy: number): void {
    this.#steps.push(step);
    this.#raw.push(loss);
    this.#smooth.push(this.#smoothLoss.add(loss));
    this.#training.push(this.#smoothAccuracy.add(accuracy));
    this.#test.push(null);
  }

  /** Test accuracy as of the latest step. */
  addTest(accuracy: number): void {
    this.#test[this.#test.length - 1] = accuracy;
  }

  clear(): void {
    this.#steps = [];
    this.#raw = [];
    this.#smooth = [];
    this.#training = [];
    this.#test = [];
    this.#smoothLoss = new Smooth();
    this.#smoothAccuracy = new Smooth();
  }

  /** Draws on an axis of so many steps. */
  draw(stepsPlanned: number): void {
    this.#loss.show({ steps: this.#steps, columns: [this.#raw, this.#smooth] }, stepsPlanned);
    this.#accuracy.show({ steps: this.#steps, columns: [this.#training, this.#test] }, stepsPlanned);
  }
}
