// Runs in the browser: times the update of every cell and the copies at one total of parameters. All of them take turns
// in every round, each round begins with another, and what is reported is the median: drift of the machine meets all.

import { median } from "../../../demo/bench/report.ts";
import { BYTES_PER_PARAMETER, copiesOn } from "../../../demo/bench/roofline/copy.ts";
import { countPerStep } from "../../../demo/train/count.ts";
import { connect } from "../../../src/gpu/device.ts";
import { type Cell, type CreateContestant, checkMoves, distinctRates, gradientOf, lengthsOf } from "./cell.ts";
import { gradusOn } from "./gradus.ts";
import type { CopyRow, Measured, UpdateEngine, UpdateRow } from "./report.ts";

export interface UpdateTask {
  readonly parameters: number;
  readonly tensors: readonly number[];
  readonly rates: readonly number[];
  readonly peerTensors: readonly number[];
  readonly engines: readonly UpdateEngine[];
  readonly rounds: number;
  /** Updates in a timed block; a slow peer does fewer. */
  readonly steps: number;
}

declare global {
  /** What test/bench/main.ts calls here for `--only optimizer`. */
  var measureUpdates: (task: UpdateTask) => Promise<Measured>;
}

const peerModules: Partial<Record<UpdateEngine, () => Promise<{ readonly create: CreateContestant }>>> = {
  tfjs: () => import("./tfjs.ts"),
  "jax-js": () => import("./jax.ts"),
};

/** Steps after which the weights are checked, before any block is timed. */
const CHECKED = 3;
/** Milliseconds that a block of a peer should take, and after which a racer sits out once it has one time. */
const BLOCK = 200;
const PATIENCE = 20_000;

interface Racer {
  readonly steps: number;
  readonly times: number[];
  /** Milliseconds so far. */
  spent: number;
  run(steps: number): Promise<void>;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

globalThis.measureUpdates = async ({ parameters, tensors, rates, peerTensors, engines, rounds, steps }) => {
  const place = `${parameters / 2 ** 20} M parameters`;
  const gpu = await connect();
  const gradient = gradientOf(parameters);
  const enter = gradusOn(gpu);
  const updates: (Racer & { readonly engine: UpdateEngine; readonly cell: Cell })[] = [];
  for (const engine of engines) {
    const load = peerModules[engine];
    for (const cell of cellsOf(parameters, load ? peerTensors : tensors, load ? [1] : rates)) {
      await progress(`${place}: ${engine}, ${cell.tensors} tensors, ${cell.rates} rates, first steps`);
      const { run, firsts } = load
        ? await (await load()).create(sliced(gradient, lengthsOf(cell)))
        : await enter(cell, gradient, engine === "gradus per group");
      const first = await timed(() => run(CHECKED - 1)); // compiles
      const next = await timed(() => run(1));
      checkMoves(engine, cell, await firsts(), gradient, CHECKED);
      const most = load ? Math.max(1, Math.round(BLOCK / next)) : steps;
      updates.push({ engine, cell, steps: Math.min(steps, most), times: [], spent: first + next, run });
    }
  }
  const copies = (await copiesOn(gpu, parameters)).map((copy) => ({ ...copy, steps, times: [] as number[], spent: 0 }));

  const racers: Racer[] = [...updates, ...copies];
  for (let round = 0; round <= rounds; round++) {
    await progress(`${place}: ${round === 0 ? "untimed round" : `round ${round} of ${rounds}`}`);
    const first = Math.floor((round * racers.length) / (rounds + 1));
    for (const racer of [...racers.slice(first), ...racers.slice(0, first)]) {
      if (racer.spent > PATIENCE && (round === 0 || racer.times.length > 0)) continue;
      const ms = await timed(() => racer.run(racer.steps));
      racer.spent += ms;
      if (round > 0) racer.times.push(ms / racer.steps);
    }
  }

  await progress(`${place}: counting dispatches`);
  const bandwidth = (ms: number): number => (parameters * BYTES_PER_PARAMETER) / ms / 1e6;
  const rows: UpdateRow[] = [];
  for (const { engine, cell, times, steps: count, run } of updates) {
    // By the difference: what a block adds of its own, such as reading a number at its end, is no part of a step.
    const calls = async (steps: number): Promise<number> => (await countPerStep(1, () => run(steps))).dispatches;
    const dispatches = ((await calls(count + 1)) - (await calls(1))) / count;
    rows.push({
      engine,
      ...cell,
      distinctRates: distinctRates(cell),
      ...summary(times),
      dispatches,
      gigabytesPerSecond: bandwidth(median(times)),
    });
  }
  const copyRows = copies.map(
    ({ threads, each, sized, times }): CopyRow => ({
      parameters,
      threads,
      vectorsPerThread: each,
      sizedArrays: sized,
      ...summary(times),
      gigabytesPerSecond: bandwidth(median(times)),
    }),
  );
  return { rows, copies: copyRows };
};

const summary = (times: readonly number[]) => ({
  msMedian: median(times),
  msMin: Math.min(...times),
  msMax: Math.max(...times),
});

const cellsOf = (parameters: number, tensors: readonly number[], rates: readonly number[]): Cell[] =>
  tensors.flatMap((count) => rates.map((rate) => ({ parameters, tensors: count, rates: rate })));

function sliced(values: Float32Array<ArrayBuffer>, lengths: readonly number[]): Float32Array<ArrayBuffer>[] {
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return values.slice(end - length, end);
  });
}
