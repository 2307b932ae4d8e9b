// From what a program asked to what it is told: the classes by their cost, each measured as long as there is time. What was not reached
// keeps what the kernel chooses by itself, for good: a choice is made once, so that a second start has the same bits.

import type { Kernel, Work } from "../index.ts";
import type { Candidate } from "./core.ts";
import { race, type Time } from "./race.ts";
import { candidateName } from "./shape-class.ts";

/** A class of nodes, with one of them. */
export interface Asked {
  readonly kernel: Kernel;
  readonly work: Work;
  /** The first is what the kernel runs by itself. */
  readonly candidates: readonly Candidate[];
  /** Multiply-adds of all nodes of the class. */
  readonly cost: number;
}

/** What runs candidates of a node on a device. */
export interface Meter {
  /** Gets candidates ready, of which it may leave some out; the first must be among them. Undefined where it cannot measure them. */
  open(asked: Asked): Promise<Bench | undefined>;
}

/** Candidates that are ready to run. */
export interface Bench {
  /** Those that run here, as numbers of the candidates. */
  readonly runs: readonly number[];
  readonly time: Time;
  /** Whether one gives the bits of the first on numbers of all kinds. */
  isAlike(candidate: number): Promise<boolean>;
  close(): Promise<void>;
}

export interface TuneOptions {
  /** Seconds for all of it. */
  readonly seconds: number;
  /** A clock, in seconds. */
  readonly now: () => number;
  /** Whether a candidate has to give the bits of the first. */
  readonly exact: boolean;
  /** Told of each class that is decided. */
  readonly done: (asked: Asked, chosen: Candidate) => void;
}

/** The candidate of each class, by name. */
export async function tune(
  classes: ReadonlyMap<string, Asked>,
  meter: Meter,
  { seconds, now, exact, done }: TuneOptions,
): Promise<Map<string, string>> {
  const end = now() + seconds;
  const isOver = (): boolean => now() >= end;
  const found = new Map<string, string>();
  for (const [name, asked] of [...classes].sort(([, a], [, b]) => b.cost - a.cost)) {
    const best = isOver() ? 0 : await fastest(meter, asked, exact, isOver);
    const chosen = asked.candidates[best] as Candidate;
    found.set(name, candidateName(chosen));
    done(asked, chosen);
  }
  return found;
}

async function fastest(meter: Meter, asked: Asked, exact: boolean, isOver: () => boolean): Promise<number> {
  const bench = await meter.open(asked);
  if (bench === undefined) return 0;
  try {
    const { runs } = bench;
    const at = await race((i, dispatches) => bench.time(runs[i] as number, dispatches), runs.length, isOver);
    const best = runs[at] as number;
    return best === 0 || !exact || (await bench.isAlike(best)) ? best : 0;
  } finally {
    await bench.close();
  }
}
