// Runs in the browser: measures the engines on one workload. First they must agree on the losses from the
// same start; then timed blocks alternate between them, so that drift of the machine meets all alike; last,
// and outside of all timing, the calls of a steady run are counted.

import { countPerStep } from "../../demo/train/count.ts";
import { type Engine, type EngineName, engines, kindOf } from "./engine.ts";
import { median, type Row } from "./report.ts";
import { BATCHES, type Workload, workloads } from "./workload.ts";

export interface Task {
  readonly workload: Workload["name"];
  readonly engines: readonly EngineName[];
  readonly rounds: number;
  readonly steps: number;
}

declare global {
  /** What test/bench/main.ts calls here, and what this page calls there to show where it is. */
  var measure: (task: Task) => Promise<Row[]>;
  var progress: (line: string) => Promise<void>;
}

/** Steps over which the engines must agree, and how far their losses may be apart, relative to the larger. */
const AGREEMENT = { steps: 10, tolerance: 1e-3 } as const;

interface Racer {
  readonly name: EngineName;
  readonly engine: Engine;
  readonly losses: number[];
  readonly times: number[];
  /** Steps done: every engine sees the same batches in the same order. */
  done: number;
}

async function enter(name: EngineName, workload: Workload): Promise<Racer> {
  const { create } = await engines[name]();
  const racer: Racer = { name, engine: await create(workload), losses: [], times: [], done: 0 };
  for (let step = 0; step < AGREEMENT.steps; step++) racer.losses.push(await run(racer, 1));
  return racer;
}

async function run(racer: Racer, steps: number): Promise<number> {
  const loss = await racer.engine.run(racer.done % BATCHES, steps);
  racer.done += steps;
  return loss;
}

/** The largest relative difference between the losses of `first` and another; throws above the tolerance. */
function agreement(workload: string, first: Racer, others: readonly Racer[]): number {
  let worst = 0;
  for (const other of others) {
    for (const [step, loss] of other.losses.entries()) {
      const expected = first.losses[step] as number;
      const difference = Math.abs(loss - expected) / Math.max(Math.abs(loss), Math.abs(expected));
      if (!(difference <= AGREEMENT.tolerance)) {
        throw new Error(
          `${workload}: at step ${step} the loss of ${first.name} is ${expected}, that of ${other.name} ` +
            `${loss}: a relative difference of ${difference.toExponential(1)}, ${AGREEMENT.tolerance} is ` +
            "allowed. Their times cannot be compared until they compute the same.",
        );
      }
      worst = Math.max(worst, difference);
    }
  }
  return worst;
}

globalThis.measure = async ({ workload: key, engines: names, rounds, steps }) => {
  const racers: Racer[] = [];
  for (const name of names) {
    await progress(`${key}: ${name}, first ${AGREEMENT.steps} steps`);
    racers.push(await enter(name, workloads[key]));
  }
  for (const kind of new Set(names.map(kindOf))) {
    const [leader, ...others] = racers.filter(({ name }) => kindOf(name) === kind);
    if (leader === undefined || others.length === 0) continue;
    const worst = agreement(key, leader, others).toExponential(1);
    await progress(`${key}: losses agree to ${worst} over ${AGREEMENT.steps} steps`);
  }

  for (const racer of racers) await run(racer, steps); // a whole block untimed: buffers and caches settle
  for (let round = 1; round <= rounds; round++) {
    for (const racer of racers) {
      await progress(`${key}: ${racer.name}, round ${round} of ${rounds}`);
      const start = performance.now();
      await run(racer, steps);
      racer.times.push((performance.now() - start) / steps);
    }
  }

  const rows: Row[] = [];
  for (const racer of racers) {
    await progress(`${key}: ${racer.name}, counting calls`);
    rows.push({
      workload: key,
      engine: racer.name,
      backend: racer.engine.backend,
      msMedian: median(racer.times),
      msMin: Math.min(...racer.times),
      msMax: Math.max(...racer.times),
      ...(racer.engine.works && { works: racer.engine.works }),
      perStep: await countPerStep(steps, () => run(racer, steps)),
    });
  }
  for (const { engine } of racers) engine.dispose();
  return rows;
};
