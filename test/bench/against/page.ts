// Runs in the browser: two builds side by side on one subject. In each round both begin anew, since where the buffers of a trainer
// come to lie is worth several percent of its time; they must compute the same, and then timed blocks alternate. The next round
// begins with the other build, so that drift of the machine and the place in a round meet both alike.

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
/** Blocks of each trainer before the first that counts, and those that do. */
const [UNTIMED, TIMED] = [1, 3];

const names = ["this", "previous"] as const;

globalThis.measureAgainst = async ({ subject, rounds, steps }) => {
  const builds = {} as Record<(typeof names)[number], Module>;
  for (const name of names) builds[name] = (await import(/* @vite-ignore */ `/build/${name}.js`)) as Module;

  const times = { this: [] as number[], previous: [] as number[] };
  let difference = 0;
  for (let round = 0; round < rounds; round++) {
    if (round % 10 === 0) await progress(`${subject}: round ${round + 1} of ${rounds}`);
    const order = round % 2 === 0 ? names : names.toReversed();
    const contestants = {} as Record<(typeof names)[number], Contestant>;
    for (const name of order) contestants[name] = await enter(builds[name], subject, steps);
    difference = Math.max(difference, apart(contestants.this.numbers, contestants.previous.numbers));
    if (!(difference <= TOLERANCE)) {
      throw new Error(
        `${subject}: the builds compute numbers that differ by ${difference.toExponential(1)}, ${TOLERANCE} is allowed. ` +
          "Their times cannot be compared until they compute the same.",
      );
    }
    const blocks = { this: [] as number[], previous: [] as number[] };
    for (let block = -UNTIMED; block < TIMED; block++) {
      for (const name of block % 2 === 0 ? order : order.toReversed()) {
        const start = performance.now();
        await contestants[name].block();
        if (block >= 0) blocks[name].push((performance.now() - start) / steps);
      }
    }
    for (const name of names) {
      times[name].push(median(blocks[name]));
      contestants[name].dispose();
    }
  }
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
