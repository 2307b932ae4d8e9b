// The trainer on its way along lines of time: on into new steps, which are noted and leave snapshots, and back to any step that was
// made, by the last snapshot before it and the steps since, each of which must have the loss that it had.

import { beyond, isBare, remake } from "../foreign/edit-lines.ts";
import { EpochMeans } from "../foreign/epoch-means.ts";
import {
  DataError,
  type Edit,
  type EpochResult,
  type FitOptions,
  type FitResult,
  type FitStep,
  GradusError,
  OptionError,
  type Samples,
  type Trainer,
} from "../index.ts";
import { fingerprint, hashOf } from "./fingerprint.ts";
import { Line, type Segment } from "./line.ts";

/** As much of a trainer as a timeline uses. */
export type TimelineTrainer = Pick<Trainer, "fit" | "stop" | "steps" | "rates" | "weights" | "save" | "load">;

/** Hears of a step that was made for the first time. */
export type Listener = (step: FitStep) => unknown;

/** What a line is to be made of. */
interface Plan {
  /** Updates made at its end. */
  readonly to: number;
  readonly segments: readonly Segment[];
  readonly edits: readonly Edit[];
}

export class Traveller {
  readonly trainer: TimelineTrainer;
  readonly every: number;
  /** The line that the trainer is on, and after which step it was left there. */
  #line: Line;
  #at: number;
  /** Changes that the trainer was given to make at their steps. */
  #script: readonly Edit[] = [];
  #busy = false;
  #stopped = false;

  constructor(trainer: TimelineTrainer, every: number) {
    this.trainer = trainer;
    this.every = every;
    this.#at = trainer.steps;
    this.#line = new Line(undefined, trainer.steps);
  }

  /** The first line, from where the trainer stands. */
  async begin(): Promise<Line> {
    const line = this.#line;
    line.snapshots.set(line.start, await this.trainer.save());
    line.hashes.set(line.start, hashOf(await this.trainer.weights()));
    return line;
  }

  stop(): void {
    this.#stopped = true;
    this.trainer.stop();
  }

  /** One journey at a time. */
  async alone<T>(place: string, run: () => Promise<T>): Promise<T> {
    if (this.#busy) {
      throw new GradusError(
        `${place}: the trainer is on its way along another timeline. Await it, or call stop() first.`,
      );
    }
    this.#busy = true;
    this.#stopped = false;
    try {
      return await run();
    } finally {
      this.#busy = false;
    }
  }

  /** Trains a line on, from its end. */
  async fit(line: Line, data: Samples, options: FitOptions): Promise<FitResult> {
    checkData(data);
    const { steps, resume = false, shuffle = true, signal } = options;
    if (steps !== undefined && !(Number.isSafeInteger(steps) && steps >= 1)) {
      throw new OptionError(`timeline.fit: steps is ${String(steps)}, it must be a whole number of at least 1.`);
    }
    const { epochs = steps === undefined ? 1 : Number.POSITIVE_INFINITY } = options;
    this.#settle("timeline.fit");
    if (this.#line !== line || this.#at !== line.end) await this.#goTo("timeline.fit", line, line.end);
    const from = line.end;
    const end = steps === undefined ? Number.POSITIVE_INFINITY : from + steps;
    const segment = { from, data, print: fingerprint(data), shuffle, resume };
    const means = new EpochMeans();
    const told: EpochResult[] = [];
    for (;;) {
      if (this.#stopped) return { epochs: told, stopped: true };
      const goal = Math.min(end, this.#afterNext(line));
      let result: FitResult;
      try {
        result = await this.trainer.fit(data, {
          ...options,
          epochs,
          steps: goal - line.end,
          resume: line.end > from || resume,
          onStep: (step) => {
            means.add(step);
            line.losses.push(step.loss);
            return options.onStep?.(step);
          },
          onEpoch: (epoch) => {
            const whole = means.told(epoch);
            told.push(whole);
            return options.onEpoch?.(whole);
          },
        });
      } finally {
        this.#at = this.trainer.steps;
        if (line.end > from) line.grow(segment);
      }
      await this.#snapshot(line);
      const full = Number.isFinite(epochs) ? !result.stopped : line.end >= end;
      if (full || line.end >= end || line.end < goal || signal?.aborted === true) {
        return { epochs: told, stopped: !full };
      }
      if (means.begun) means.cut();
    }
  }

  /** Goes to a step that a line has; gives the steps that were made again. */
  async visit(place: string, line: Line, step: number): Promise<number> {
    this.#settle(place);
    return this.#goTo(place, line, step);
  }

  /** Makes the steps of a line that leaves another one, or of the first, along fits that are known. Gives those that were made again. */
  async explore(place: string, line: Line, { to, segments, edits }: Plan, hear: Listener): Promise<number> {
    this.#settle(place);
    [line.segments, line.edits] = [segments, edits];
    this.#checkData(place, line, line.nearest(line.start)[0], to);
    const replayed = await this.#goTo(place, line, line.start);
    await this.#along(line, to, (step) => {
      line.losses.push(step.loss);
      return hear(step);
    });
    line.segments = line.upTo(line.end);
    return replayed;
  }

  /** The fingerprint of the weights after a step of a line. */
  async hash(place: string, line: Line, step: number): Promise<string> {
    const known = line.hashes.get(step);
    if (known !== undefined) return known;
    this.#settle(place);
    if (this.#line !== line || this.#at !== step) await this.#goTo(place, line, step);
    const hash = hashOf(await this.trainer.weights());
    line.hashes.set(step, hash);
    return hash;
  }

  /** Changes as they stand: those of the line that the trainer is on may have become more. */
  edits(line: Line): readonly Edit[] {
    this.#note();
    return line.edits;
  }

  /** Whether changes can be made, where the trainer stands and whatever their steps; throws what it would throw at them. */
  checkEdits(edits: readonly Edit[]): void {
    const { rates, steps } = this.trainer;
    rates.replay(edits.map((edit) => ({ ...edit, step: steps })));
    rates.replay(this.#script.filter(({ step }) => step >= steps));
  }

  /** Changes made while the trainer stood at the end of its line are a part of it. */
  #note(): void {
    const [line, { rates, steps }] = [this.#line, this.trainer];
    if (steps !== line.end || this.#at !== steps) return;
    line.edits = [...rates.edits(), ...this.#script.filter(({ step }) => step >= steps)];
  }

  #settle(place: string): void {
    const { steps } = this.trainer;
    if (steps !== this.#at) {
      throw new GradusError(
        `${place}: the trainer stands after step ${steps}, and its timeline left it after step ${this.#at}. Train by timeline.fit alone, so that every step can be made again.`,
      );
    }
    this.#note();
  }

  async #goTo(place: string, line: Line, step: number): Promise<number> {
    for (const one of new Set([this.#line, line])) {
      const bare = one.edits.find(isBare);
      if (bare === undefined) continue;
      throw new OptionError(
        `${place}: the change of "${bare.pattern}" at step ${bare.step} has a schedule of your own, which a log cannot hold. Give one of gradus, such as cosineAnnealingLR({ steps: 100 }), so that it can be made again.`,
      );
    }
    const [from, bytes] = line.nearest(step);
    this.#checkData(place, line, from, step);
    try {
      this.trainer.load(bytes);
      const { rates } = this.trainer;
      this.#line = line;
      this.#script = beyond(line.edits, rates.edits());
      rates.replay(this.#script);
      await this.#along(line, step, (made) => demandSame(place, line, made));
      // What was changed here is seen here, and comes before what the user may change.
      for (const one of this.#script) if (one.step === this.trainer.steps) remake(rates, one);
      this.#script = this.#script.filter((one) => one.step > this.trainer.steps);
      rates.replay(this.#script);
    } finally {
      this.#at = this.trainer.steps;
    }
    if (this.#at === step) return step - from;
    throw new GradusError(`${place}: it was stopped after step ${this.#at}, on the way from ${from} to ${step}.`);
  }

  /** Makes steps along the fits of a line, until a step or until it is stopped. */
  async #along(line: Line, to: number, hear: Listener): Promise<void> {
    const { trainer } = this;
    try {
      while (trainer.steps < to && !this.#stopped) {
        const { steps: now } = trainer;
        const one = line.segments.find(({ to }) => now < to) as Segment;
        const goal = Math.min(to, one.to, this.#afterNext(line));
        await trainer.fit(one.data, {
          shuffle: one.shuffle,
          resume: now > one.from || one.resume,
          steps: goal - now,
          onStep: hear,
        });
        this.#at = trainer.steps;
        await this.#snapshot(line);
        if (trainer.steps < goal) return;
      }
    } finally {
      this.#at = trainer.steps;
    }
  }

  /** The step behind the trainer's at which a snapshot stands, or is due. */
  #afterNext({ origin }: Line): number {
    return origin + (Math.floor((this.trainer.steps - origin) / this.every) + 1) * this.every;
  }

  async #snapshot(line: Line): Promise<void> {
    const { steps } = this.trainer;
    const due = steps === line.end && steps > line.start && (steps - line.origin) % this.every === 0;
    if (due && !line.snapshots.has(steps)) line.snapshots.set(steps, await this.trainer.save());
  }

  /** Refuses data that are not those of the steps to be made. */
  #checkData(place: string, line: Line, from: number, to: number): void {
    const known = new Map<Samples, string>();
    for (const one of line.segments) {
      if (one.to <= from || one.from >= to) continue;
      const print = known.get(one.data) ?? fingerprint(one.data);
      known.set(one.data, print);
      if (print === one.print) continue;
      throw new DataError(
        `${place}: the data of steps ${one.from + 1} to ${one.to} have fingerprint ${print}, and had ${one.print} when they were made. Leave the arrays of a fit as they are.`,
      );
    }
  }
}

/** Samples that can be asked again, and told from others. */
function checkData(data: Samples): void {
  if (typeof data === "object" && data !== null && "x" in data) return;
  throw new OptionError(
    "timeline.fit: a timeline makes steps again, and needs samples in arrays: { x, y }. Give those instead of batches, or of what was uploaded.",
  );
}

function demandSame(place: string, line: Line, { step, loss }: FitStep): void {
  const before = line.loss(step);
  if (Object.is(loss, before)) return;
  throw new GradusError(
    `${place}: step ${step} has loss ${loss}, and had ${before} when it was made first. Change weights by nothing but timeline.fit, and rates at the end of a timeline.`,
  );
}
