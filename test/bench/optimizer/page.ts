// Runs in the browser: times the update of every cell and the copies at one total of parameters. All of them take turns
// in every round, each round begins with another, and what is reported is the median: drift of the machine meets all.

import { countPerStep } from "../../../demo/train/count.ts";
import { connect } from "../../../src/gpu/device.ts";
import { median } from "../report.ts";
import { type Cell, type CreateContestant, checkMoves, distinctRates, gradientOf, lengthsOf, peers } from "./cell.ts";
import { BYTES_PER_PARAMETER, copiesOn } from "./copy.ts";
import { gradusOn } from "./gradus.ts";
import type { CopyRow, Measured, UpdateEngine, UpdateRow } from "./report.ts";

export interface UpdateTask {
  readonly parameters: number;
  readonly tensors: readonly number[];
  readonly rates: readonly number[];
  readonly engines: readonly UpdateEngine[];
  readonly rounds: number;
  /** Updates in a timed block. */
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

/** Steps after which the weights are checked, before any time is taken. */
const CHECKED = 3;

interface Racer {
  readonly steps: number;
  /** Takes part in one of this many rounds. */
  readonly every: number;
  readonly times: number[];
  run(steps: number): Promise<void>;
}

globalThis.measureUpdates = async ({ parameters, tensors, rates, engines, rounds, steps }) => {
  const place = `${parameters / 2 ** 20} M parameters`;
  const gpu = await connect();
  const gradient = gradientOf(parameters);
  const enter = gradusOn(gpu);
  const updates: (Racer & { readonly engine: UpdateEngine; readonly cell: Cell })[] = [];
  for (const engine of engines) {
    const load = peerModules[engine];
    for (const cell of cellsOf(parameters, load ? peers.tensors : tensors, load ? peers.rates : rates)) {
      await progress(`${place}: ${engine}, ${cell.tensors} tensors with ${cell.rates} rates, first steps`);
      const contestant = load
        ? await (await load()).create(sliced(gradient, lengthsOf(cell)))
        : await enter(cell, gradient, engine === "gradus per group");
      await contestant.run(CHECKED);
      await checkMoves(engine, cell, contestant, gradient, CHECKED);
      const run = (count: number): Promise<void> => contestant.run(count);
      const own = load ? { steps: Math.ceil(steps / 8), every: peers.every } : { steps, every: 1 };
      updates.push({ engine, cell, times: [], run, ...own });
    }
  }
  const copies = (await copiesOn(gpu, parameters)).map((copy) => ({ ...copy, steps, every: 1, times: [] as number[] }));

  const racers: Racer[] = [...updates, ...copies];
  for (let round = 0; round <= rounds; round++) {
    await progress(`${place}: ${round === 0 ? "untimed round" : `round ${round} of ${rounds}`}`);
    const first = Math.floor((round * racers.length) / (rounds + 1));
    for (const racer of [...racers.slice(first), ...racers.slice(0, first)]) {
      if (round % racer.every !== 0) continue;
      const start = performance.now();
      await racer.run(racer.steps);
      if (round > 0) racer.times.push((performance.now() - start) / racer.steps);
    }
  }

  await progress(`${place}: counting dispatches`);
  const bandwidth = (ms: number): number => (parameters * BYTES_PER_PARAMETER) / ms / 1e6;
  const rows: UpdateRow[] = [];
  for (const { engine, cell, times, steps: count, run } of updates) {
    const { dispatches } = await countPerStep(count, () => run(count));
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
