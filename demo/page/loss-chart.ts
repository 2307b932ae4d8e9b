// The chart of the loss, as it comes and smoothed.

import { createChart } from "./chart.ts";
import { find } from "./element.ts";
import { fraction } from "./number.ts";

/** How much of the past the smoothed lines keep at each step: about the last twenty steps count. */
const MEMORY = 0.9;

/** A mean that forgets, without the pull towards its start (as Adam corrects its moments). */
export class Smooth {
  #sum = 0;
  #weight = 0;

  add(value: number): number {
    this.#sum = MEMORY * this.#sum + (1 - MEMORY) * value;
    this.#weight = MEMORY * this.#weight + (1 - MEMORY);
    return this.#sum / this.#weight;
  }
}

export class LossChart {
  readonly #chart = createChart(find("#loss", HTMLElement), {
    lines: [
      { label: "Each step", color: "--faint", width: 1 },
      { label: "Smoothed", color: "--accent", width: 2 },
    ],
    range: (_, most) => [0, Math.max(0.1, Math.min(most, 5) * 1.05)],
    format: fraction,
    tick: (value) => value.toFixed(1),
  });
  #steps: number[] = [];
  #raw: number[] = [];
  #smoothed: number[] = [];
  #smooth = new Smooth();

  /** The latest smoothed value; NaN before the first step. */
  get latest(): number {
    return this.#smoothed.at(-1) ?? Number.NaN;
  }

  addStep(step: number, loss: number): void {
    this.#steps.push(step);
    this.#raw.push(loss);
    this.#smoothed.push(this.#smooth.add(loss));
  }

  clear(): void {
    [this.#steps, this.#raw, this.#smoothed, this.#smooth] = [[], [], [], new Smooth()];
  }

  /** Draws on an axis of so many steps. */
  draw(stepsPlanned: number): void {
    this.#chart.show({ steps: this.#steps, columns: [this.#raw, this.#smoothed] }, stepsPlanned);
  }
}
