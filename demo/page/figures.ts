// The figures in a row: where training stands, how fast it goes, and how long it will take.

import { find, make, write } from "./element.ts";
import { duration, NONE, whole } from "./number.ts";

/** Milliseconds over which speed is measured, at most and at least. */
const SPAN = 3000;
const LEAST = 100;

/** Steps and samples per second over the last few seconds of training. */
export class Pace {
  #marks: { readonly at: number; steps: number; samples: number }[] = [];
  #latest = { steps: Number.NaN, samples: Number.NaN };

  add(samples: number): void {
    const at = performance.now();
    let mark = this.#marks.at(-1);
    if (mark === undefined || at - mark.at > 1) {
      mark = { at, steps: 0, samples: 0 };
      this.#marks.push(mark);
      if ((this.#marks[0]?.at ?? at) < at - SPAN) this.#marks.shift();
    }
    mark.steps++;
    mark.samples += samples;
  }

  /** Forgets the moments where training was interrupted, not the pace that it had. */
  pause(): void {
    this.#marks = [];
  }

  clear(): void {
    this.pause();
    this.#latest = { steps: Number.NaN, samples: Number.NaN };
  }

  /** NaN until there is something to measure. */
  get perSecond(): { readonly steps: number; readonly samples: number } {
    // What came at the first moment was made before it.
    const [first, ...later] = this.#marks;
    const milliseconds = (later.at(-1)?.at ?? 0) - (first?.at ?? 0);
    if (later.length > 0 && milliseconds >= LEAST) {
      const sum = (of: "steps" | "samples"): number => later.reduce((total, mark) => total + mark[of], 0);
      this.#latest = { steps: (sum("steps") / milliseconds) * 1000, samples: (sum("samples") / milliseconds) * 1000 };
    }
    return this.#latest;
  }
}

export interface Progress {
  readonly step: number;
  readonly stepsPlanned: number;
  readonly pace: Pace["perSecond"];
}

/** Figures that every page has. */
type Common = "step" | "speed" | "left";

export class Figures<Key extends string> {
  readonly #values: Readonly<Record<string, HTMLElement>>;
  readonly #progress = find("#progress", HTMLProgressElement);

  /** Labels by keys, in the order of the page. */
  constructor(labels: Readonly<Record<Key | Common, string>>) {
    const made = Object.entries<string>(labels).map(([key, label]) => {
      const value = make("dd", "", NONE);
      value.id = `figure-${key}`;
      return { key, value, pair: make("div", "", make("dt", "", label), value) };
    });
    find("#figures", HTMLDListElement).replaceChildren(...made.map(({ pair }) => pair));
    this.#values = Object.fromEntries(made.map(({ key, value }) => [key, value]));
  }

  show({ step, stepsPlanned, pace }: Progress, more: Readonly<Record<Exclude<Key, Common>, string>>): void {
    const left = step >= stepsPlanned ? 0 : (stepsPlanned - step) / pace.steps;
    const said = {
      step: `${whole(step)} / ${whole(stepsPlanned)}`,
      speed: Number.isFinite(pace.samples) ? whole(pace.samples) : NONE,
      left: duration(left),
      ...more,
    };
    for (const [key, text] of Object.entries<string>(said)) write(this.#values[key] as HTMLElement, text);
    this.#progress.value = step / stepsPlanned;
  }
}
