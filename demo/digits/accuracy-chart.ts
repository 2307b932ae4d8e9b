// The chart of the accuracy, while training and on the test digits.

import { createChart } from "../page/chart.ts";
import { find } from "../page/element.ts";
import { Smooth } from "../page/loss-chart.ts";
import { percent } from "../page/number.ts";

export class AccuracyChart {
  readonly #chart = createChart(find("#accuracy", HTMLElement), {
    lines: [
      { label: "Training, smoothed", color: "--accent", width: 2 },
      { label: "Test", color: "--second", width: 2, sparse: true },
    ],
    range: () => [0, 1.02],
    format: percent,
    tick: (value) => `${Math.round(value * 100)} %`,
  });
  #steps: number[] = [];
  #training: number[] = [];
  #test: (number | null)[] = [];
  #smooth = new Smooth();

  /** The latest smoothed value of training; NaN before the first step. */
  get latest(): number {
    return this.#training.at(-1) ?? Number.NaN;
  }

  addStep(step: number, accuracy: number): void {
    this.#steps.push(step);
    this.#training.push(this.#smooth.add(accuracy));
    this.#test.push(null);
  }

  /** Test accuracy as of the latest step. */
  addTest(accuracy: number): void {
    this.#test[this.#test.length - 1] = accuracy;
  }

  clear(): void {
    [this.#steps, this.#training, this.#test, this.#smooth] = [[], [], [], new Smooth()];
  }

  /** Draws on an axis of so many steps. */
  draw(stepsPlanned: number): void {
    this.#chart.show({ steps: this.#steps, columns: [this.#training, this.#test] }, stepsPlanned);
  }
}
