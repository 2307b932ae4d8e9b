// The chart of the loss, as it comes and smoothed, or of several.

import { type Chart, createChart } from "./chart.ts";
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
  readonly #raw: boolean;
  readonly #chart: Chart;
  #steps: number[] = [];
  #columns: number[][] = [];
  #smooth: Smooth[] = [];

  /** Of one loss both lines are shown, of several that have names the smoothed ones. */
  constructor(...names: readonly string[]) {
    this.#raw = names.length === 0;
    this.#chart = createChart(find("#loss", HTMLElement), {
      lines: this.#raw
        ? [
            { label: "Each step", color: "--faint", width: 1 },
            { label: "Smoothed", color: "--accent", width: 2 },
          ]
        : names.map((label, i) => ({ label, color: ["--accent", "--second"][i] ?? "--text", width: 2 })),
      range: (_, most) => [0, Math.max(0.1, Math.min(most, 5) * 1.05)],
      format: fraction,
      tick: (value) => String(Number(value.toFixed(2))),
    });
  }

  /** The latest smoothed value of a loss by its place; NaN before the first step. */
  latest(i = 0): number {
    return this.#columns[this.#raw ? 1 : i]?.at(-1) ?? Number.NaN;
  }

  addStep(step: number, ...losses: readonly number[]): void {
    const smoothed = losses.map((loss, i) => {
      this.#smooth[i] ??= new Smooth();
      return this.#smooth[i].add(loss);
    });
    this.#steps.push(step);
    for (const [i, value] of [...(this.#raw ? losses : []), ...smoothed].entries()) {
      this.#columns[i] ??= [];
      this.#columns[i].push(value);
    }
  }

  clear(): void {
    [this.#steps, this.#columns, this.#smooth] = [[], [], []];
  }

  /** Draws on an axis of so many steps. */
  draw(stepsPlanned: number): void {
    this.#chart.show({ steps: this.#steps, columns: this.#columns }, stepsPlanned);
  }
}
