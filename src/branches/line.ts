// A line of time as data: the fits that it is made of, the changes of rates on its way, the loss of each step, and snapshots. A branch
// is a line that begins on another one, and knows no more than what came after.

import type { Edit, Samples } from "../index.ts";

/** Steps of a fit, or of several of which each went on with the one before. How many epochs were asked for changes no bit. */
export interface Segment {
  /** Updates made before it and, of the line, at its end. */
  readonly from: number;
  readonly to: number;
  readonly data: Samples;
  /** Fingerprint of the data, as they were when it began. */
  readonly print: string;
  readonly shuffle: boolean;
  /** Whether it goes on in the midst of an epoch that others began. */
  readonly resume: boolean;
}

export class Line {
  readonly parent: Line | undefined;
  /** The step at which it begins. */
  readonly start: number;
  /** Fits from the first step of all on, in order and without a gap. */
  segments: readonly Segment[] = [];
  /** Changes from the first step of all on: those made, then those to come. */
  edits: readonly Edit[] = [];
  /** Of its own steps, the first of which is `start + 1`. */
  readonly losses: number[] = [];
  /** Checkpoints by step: its own. */
  readonly snapshots = new Map<number, Uint8Array<ArrayBuffer>>();
  /** Fingerprints of the weights after steps, where they were asked for. */
  readonly hashes = new Map<number, string>();

  constructor(parent: Line | undefined, start: number) {
    this.parent = parent;
    this.start = start;
  }

  /** Where the first line began. */
  get origin(): number {
    return this.parent?.origin ?? this.start;
  }
  get end(): number {
    return this.start + this.losses.length;
  }

  /** The loss of a step; undefined where it was not made yet. */
  loss(step: number): number | undefined {
    return step > this.start ? this.losses[step - this.start - 1] : this.parent?.loss(step);
  }

  /** The last snapshot up to a step, which is there for all steps of the line. */
  nearest(step: number): readonly [step: number, bytes: Uint8Array<ArrayBuffer>] {
    const [at] = [...this.snapshots.keys()].filter((at) => at <= step).toSorted((a, b) => b - a);
    if (at !== undefined) return [at, this.snapshots.get(at) as Uint8Array<ArrayBuffer>];
    return (this.parent as Line).nearest(Math.min(step, this.start));
  }

  /** Notes that a fit went on to its end. */
  grow(fit: Omit<Segment, "to">): void {
    const before = this.segments.filter(({ from }) => from < fit.from);
    const last = before.at(-1);
    const goesOn = fit.resume && last?.data === fit.data && last.print === fit.print && last.shuffle === fit.shuffle;
    this.segments = [...(goesOn ? before.slice(0, -1) : before), { ...(goesOn ? last : fit), to: this.end }];
  }

  /** Its fits up to a step: a branch goes along those of its parent. */
  upTo(step: number): readonly Segment[] {
    return this.segments.filter(({ from }) => from < step).map((one) => ({ ...one, to: Math.min(one.to, step) }));
  }
}
