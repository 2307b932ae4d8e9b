// Runs in the browser: two builds side by side on one subject. They must compute the same first; then timed blocks alternate,
// and each round begins with the other build, so that drift of the machine and the place in a round meet both alike.

import { median } from "../../../demo/bench/report.ts";
import { type Contestant, enter, type Module } from "./contestant.ts";
import { ratioOf } from "./ratio.ts";
import type { AgainstRow, Subject } from "./report.ts";

export interface AgainstTask {
  readonly subject: Subject;
  readonly rounds: number;
  readonly steps: number;
}

declare global {
  /** What test/bench/main.ts calls here for `--against`. */
  var measureAgainst: (task: AgainstTask) => Promise<AgainstRow>;
}

/** How far the numbers of the two may be apart, relative to the larger. */
const TOLERANCE = 1e-3;
/** Rounds before the first that counts: caches and clocks settle. */
const UNTIMED = 3;

const names = ["this", "previous"] as const;

globalThis.measureAgainst = async ({ subject, rounds, steps }) => {
  const contestants = {} as Record<(typeof names)[number], Contestant>;
  for (const name of names) {
    await progress(`${subject}: ${name}, first steps`);
    const gradus = (await import(/* @vite-ignore */ `/build/${name}.js`)) as Module;
    const begin = performance.now();
    contestants[name] = await enter(gradus, subject, steps);
    await progress(`${subject}: ${name}, first steps in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  }
  const difference = apart(contestants.this.numbers, contestants.previous.numbers);
  if (!(difference <= TOLERANCE)) {
    throw new Error(
      `${subject}: the builds compute numbers that differ by ${difference.toExponential(1)}, ${TOLERANCE} is allowed. ` +
        "Their times cannot be compared until they compute the same.",
    );
  }

  const times = { this: [] as number[], previous: [] as number[] };
  for (let round = -UNTIMED; round < rounds; round++) {
    if (round % 10 === 0) await progress(`${subject}: round ${Math.max(1, round + 1)} of ${rounds}`);
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const start = performance.now();
      await contestants[name].block();
      if (round >= 0) times[name].push((performance.now() - start) / steps);
    }
  }
  for (const name of names) contestants[name].dispose();
  return {
    subject,
    rounds,
    steps,
    ...ratioOf(times.this, times.previous),
    msThis: median(times.this),
    msPrevious: median(times.previous),
    difference,
    times,
  };
};

/** The largest difference between two lists of numbers, relative to the larger of each pair. */
const apart = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((worst, value, i) => {
    const other = b[i] ?? Number.NaN;
    return value === other
      ? worst
      : Math.max(worst, Math.abs(value - other) / Math.max(Math.abs(value), Math.abs(other)));
  }, 0);
