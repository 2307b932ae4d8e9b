// The figures in a row: where training stands, how fast it goes, and how long it will take.

import type { StepResult } from "../../src/index.ts";
import { find, make, write } from "./element.ts";
import { duration, fraction, NONE, percent, whole } from "./number.ts";

/** Milliseconds over which speed is measured, at most and at least. */
const SPAN = 3000;
const LEAST = 100;

/** Steps and images per second over the last few seconds of training. */
export class Pace {
  #marks: { readonly at: number; steps: number; images: number }[] = [];
  #latest = { steps: Number.NaN, images: Number.NaN };

  add({ samples }: StepResult): void {
    const at = performance.now();
    let mark = this.#marks.at(-1);
    if (mark === undefined || at - mark.at > 1) {
      mark = { at, steps: 0, images: 0 };
      this.#marks.push(mark);
      if ((this.#marks[0]?.at ?? at) < at - SPAN) this.#marks.shift();
    }
    mark.steps++;
    mark.images += samples;
  }

  /** Forgets the moments where training was interrupted, not the pace that it had. */
  pause(): void {
    this.#marks = [];
  }

  clear(): void {
    this.pause();
    this.#latest = { steps: Number.NaN, images: Number.NaN };
  }

  /** NaN until there is something to measure. */
  get perSecond(): { readonly steps: number; readonly images: number } {
    // What came at the first moment was made before it.
    const [first, ...later] = this.#marks;
    const milliseconds = (later.at(-1)?.at ?? 0) - (first?.at ?? 0);
    if (later.length > 0 && milliseconds >= LEAST) {
      const sum = (of: "steps" | "images"): number => later.reduce((total, mark) => total + mark[of], 0);
      this.#latest = { steps: (sum("steps") / milliseconds) * 1000, images: (sum("images") / milliseconds) * 1000 };
    }
    return this.#latest;
  }
}

export interface Standing {
  readonly step: number;
  readonly stepsPlanned: number;
  readonly epoch: { readonly current: number; readonly planned: number };
  readonly loss: number;
  readonly accuracy: number;
  /** Test accuracy after the last epoch. */
  readonly test: number;
  readonly pace: Pace["perSecond"];
  readonly dispatches: number;
}

const NAMES = [
  ["step", "Step"],
  ["epoch", "Epoch"],
  ["loss", "Training loss"],
  ["accuracy", "Training accuracy"],
  ["test", "Test accuracy"],
  ["speed", "Images per second"],
  ["left", "Time left"],
  ["dispatches", "Dispatches per step"],
] as const;

type Values = Readonly<Record<(typeof NAMES)[number][0], HTMLElement>>;

export class Figures {
  readonly #values: Values;
  readonly #progress = find("#progress", HTMLProgressElement);

  constructor() {
    const made = NAMES.map(([key, label]) => {
      const value = make("dd", "", NONE);
      value.id = `figure-${key}`;
      return { key, value, pair: make("div", "", make("dt", "", label), value) };
    });
    find("#figures", HTMLDListElement).replaceChildren(...made.map(({ pair }) => pair));
    this.#values = Object.fromEntries(made.map(({ key, value }) => [key, value])) as Values;
  }

  show({ step, stepsPlanned, epoch, loss, accuracy, test, pace, dispatches }: Standing): void {
    const left = step >= stepsPlanned ? 0 : (stepsPlanned - step) / pace.steps;
    write(this.#values.step, `${whole(step)} / ${whole(stepsPlanned)}`);
    write(this.#values.epoch, `${epoch.current} / ${epoch.planned}`);
    write(this.#values.loss, fraction(loss));
    write(this.#values.accuracy, percent(accuracy));
    write(this.#values.test, percent(test));
    write(this.#values.speed, Number.isFinite(pace.images) ? whole(pace.images) : NONE);
    write(this.#values.left, duration(left));
    write(this.#values.dispatches, whole(dispatches));
    this.#progress.value = step / stepsPlanned;
  }
}
