// What a user holds of a line of time: it trains on, goes back to any of its steps, and leaves there for another future.

import { isBare } from "../foreign/edit-lines.ts";
import { checkOptions, checkRecord } from "../foreign/options.ts";
import { type Edit, type FitOptions, type FitResult, type FitStep, OptionError, type Samples } from "../index.ts";
import { checkWhole } from "./check.ts";
import { Line } from "./line.ts";
import { type TimelineTrainer, Traveller } from "./traveller.ts";

/** Options of `branches`. */
export interface TimelineOptions {
  /**
   * Steps between two snapshots. Each is a checkpoint on the host, all weights, moments, means and states; going back makes fewer steps than
   * this again. Default 1000.
   */
  readonly every?: number;
}

/** A change of rates in the past: a line of `rates.edits()`, at a step of its own or at the place where the branch begins. */
export interface BranchEdit extends Omit<Edit, "step"> {
  /** The first step that it acts on, counted from 0. Default: that of the place. */
  readonly step?: number;
}

/** Options of `branch`. */
export interface BranchOptions {
  /** Updates after which the branch ends. Default: those of the timeline that it leaves. */
  readonly until?: number;
  /** Hears of each step of the branch. A promise is awaited. */
  readonly onStep?: (step: FitStep) => unknown;
}

/** A checkpoint that a timeline keeps. */
export interface TimelineSnapshot {
  /** Updates made before it. */
  readonly step: number;
  /** Its size in bytes. */
  readonly bytes: number;
}

/**
 * All times of one training: each step that it made can be gone back to, to the same bits, and left for another future. Snapshots are
 * taken on the way, the changes of rates are kept as a log, and the trainer is the only one: it stands in one time at once.
 * Throws OptionError.
 *
 * @example
 * const timeline = await branches(trainer, { every: 1000 });
 * await timeline.fit({ x, y }, { epochs: 3 });
 * const other = await timeline.at(400).branch([{ kind: "set", pattern: "stem", change: { lr: 1e-3 } }]);
 * console.log(timeline.losses().at(-1), other.losses().at(-1));
 */
export async function branches(trainer: TimelineTrainer, options: TimelineOptions = {}): Promise<Timeline> {
  checkOptions("branches", options, { every: "a whole number of at least 1" });
  const { every = 1000 } = options;
  if (typeof Object(trainer).fit !== "function" || typeof Object(trainer).load !== "function") {
    throw new OptionError("branches: it was given no trainer. Give what compile gives.");
  }
  const traveller = new Traveller(trainer, every);
  return new Timeline(traveller, await traveller.begin());
}

/** One line of time: the first one, or a branch. Made by `branches`, by `branch` of a place, and by `follow`. */
export class Timeline {
  /** The timeline that it left; undefined for the first one. */
  readonly parent: Timeline | undefined;
  /** Steps that were made again to reach the place where it begins. */
  readonly replayed: number;
  /** @internal */
  readonly line: Line;
  /** @internal */
  readonly traveller: Traveller;

  /** @internal */
  constructor(traveller: Traveller, line: Line, parent?: Timeline, replayed = 0) {
    this.traveller = traveller;
    this.line = line;
    this.parent = parent;
    this.replayed = replayed;
  }

  /** Updates made where it begins. */
  get start(): number {
    return this.line.start;
  }
  /** Updates made where it ends. */
  get steps(): number {
    return this.line.end;
  }

  /** Snapshots of its own, in the order of their steps: the first timeline's first one, and one for each `every` steps. */
  get snapshots(): readonly TimelineSnapshot[] {
    return [...this.line.snapshots].map(([step, { length: bytes }]) => ({ step, bytes }));
  }

  /** The loss of every step from the first one of all on, those before a branch included. */
  losses(): number[] {
    const { line } = this;
    return Array.from({ length: line.end - line.origin }, (_, i) => line.loss(line.origin + i + 1) as number);
  }

  /** Changes of rates from the first step of all on, as `rates.edits()`; a branch has those of its parent too, and those to come. */
  edits(): readonly Edit[] {
    return [...this.traveller.edits(this.line)];
  }

  /**
   * As `fit` of the trainer, from the end of this timeline on. Snapshots are taken on the way, between two steps, and change no bit. The
   * means of an epoch with a snapshot in its midst are of all its samples, its reports of those since. Throws what `fit` throws, OptionError
   * for data that are not in arrays, and GradusError where the trainer made steps of its own.
   */
  async fit(data: Samples, options: FitOptions = {}): Promise<FitResult> {
    checkRecord("timeline.fit", options);
    return this.traveller.alone("timeline.fit", () => this.traveller.fit(this.line, data, options));
  }

  /** Ends what is under way, a fit or a branch, after the steps that are on their way. */
  stop(): void {
    this.traveller.stop();
  }

  /** A place in time: after so many updates. Throws OptionError where the timeline has no such step. */
  at(step: number): Place {
    const { origin, end } = this.line;
    checkWhole("timeline.at: step", step, 0);
    if (step < origin || step > end) {
      throw new OptionError(
        `timeline.at: step is ${step}, and the timeline goes from ${origin} to ${end}. ${step < origin ? "It keeps nothing from before its first snapshot." : "Train it on with fit."}`,
      );
    }
    return new Place(this, step);
  }

  /** A hash of names and bits of the weights at its end, in 16 digits. The trainer goes there. */
  hash(): Promise<string> {
    return this.traveller.alone("timeline.hash", () => this.traveller.hash("timeline.hash", this.line, this.steps));
  }
}

/** After a step of a timeline. Made by `timeline.at`. */
export class Place {
  /** The timeline that it is on. */
  readonly timeline: Timeline;
  /** Updates made. */
  readonly step: number;
  /** Updates of the snapshot that it is reached from. */
  readonly snapshot: number;

  /** @internal */
  constructor(timeline: Timeline, step: number) {
    this.timeline = timeline;
    this.step = step;
    [this.snapshot] = timeline.line.nearest(step);
  }

  /**
   * Brings the trainer here, to look at what it knew: `predict`, `evaluate`, `weights` and `save` are of this step then. Gives the steps
   * that were made again, `step - snapshot`. Changes of rates that are made here stay in no timeline: branch instead. Throws DataError
   * where the data are not what they were, OptionError where a change has a schedule that is a bare function, and GradusError where a step
   * comes to another loss.
   */
  visit(): Promise<number> {
    const { traveller, line } = this.timeline;
    return traveller.alone("place.visit", () => traveller.visit("place.visit", line, this.step));
  }

  /**
   * Another future: the same steps on the same batches, with these changes of rates beside those that the timeline has, up to `until`. The
   * timeline itself stays as it is. Without changes each bit is the same. A branch that is stopped ends there. Throws NameError and OptionError
   * for changes that cannot be made, with nothing moved, and what `visit` throws.
   */
  async branch(edits: readonly BranchEdit[] = [], options: BranchOptions = {}): Promise<Timeline> {
    const place = "place.branch";
    const { traveller, line } = this.timeline;
    checkOptions(place, options, { until: "a number", onStep: "a function" });
    const { until = line.end, onStep = () => undefined } = options;
    checkWhole(`${place}: until`, until, this.step);
    if (until > line.end) {
      throw new OptionError(
        `${place}: until is ${until}, and the timeline ends at ${line.end}. Branch up to there, and train the branch on with fit.`,
      );
    }
    return traveller.alone(place, async () => {
      const own = checkedEdits(place, edits, this.step);
      traveller.checkEdits(own);
      const all = [...traveller.edits(line), ...own].toSorted((a, b) => a.step - b.step);
      const branch = new Line(line, this.step);
      const plan = { to: until, segments: line.upTo(until), edits: all };
      const replayed = await traveller.explore(place, branch, plan, onStep);
      return new Timeline(traveller, branch, this.timeline, replayed);
    });
  }
}

/** Changes with their steps, none of them before the place. What each says is for the trainer to check. */
function checkedEdits(place: string, edits: readonly BranchEdit[], from: number): readonly Edit[] {
  if (!Array.isArray(edits)) {
    throw new OptionError(
      `${place}: its changes are no list. Give for example [{ kind: "set", pattern: "head", change: { lr: 1e-3 } }].`,
    );
  }
  return edits.map((edit, i): Edit => {
    const { step = from, kind, pattern, change } = Object(edit) as BranchEdit;
    checkWhole(`${place}: step of change ${i}`, step, from);
    const line = { step, kind, pattern, change };
    if (!isBare(line) && typeof Object(change).schedule !== "function") return line;
    throw new OptionError(
      `${place}: change ${i} has a schedule of your own, which a log cannot hold. Give what describeSchedule says of one of gradus.`,
    );
  });
}
