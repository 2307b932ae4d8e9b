// Runs in the browser: measures the engines on one workload. First they must agree on the losses from the
// same start; then timed blocks alternate between them, so that drift of the machine meets all alike; last,
// and outside of all timing, the calls of a steady run are counted.

import { countPerStep } from "../../demo/train/count.ts";
import { AGREEMENT, agreement } from "./agreement.ts";
import { type Engine, type EngineModule, type EngineName, kindOf } from "./engine.ts";
import { engines } from "./engines.ts";
import { type Row, timesOf } from "./report.ts";
import { BATCHES, type Workload, type WorkloadName, workloads } from "./workload.ts";

export interface Task {
  readonly workload: WorkloadName;
  readonly engines: readonly EngineName[];
  readonly rounds: number;
  readonly steps: number;
}

declare global {
  /** What test/bench/main.ts calls here, and what this page calls there to show where it is. */
  var measure: (task: Task) => Promise<Row[]>;
  var progress: (line: string) => Promise<void>;
}

interface Racer {
  readonly name: EngineName;
  readonly engine: Engine;
  readonly losses: number[];
  readonly times: number[];
  /** Steps done: every engine sees the same batches in the same order. */
  done: number;
}

/** None of an engine that has not what the workload needs. */
async function enter(name: EngineName, workload: Workload): Promise<Racer | undefined> {
  const { create, plays }: EngineModule = await engines[name]();
  if (plays?.(workload) === false) return undefined;
  const racer: Racer = { name, engine: await create(workload), losses: [], times: [], done: 0 };
  for (let step = 0; step < AGREEMENT.steps; step++) racer.losses.push(await run(racer, 1));
  return racer;
}

async function run(racer: Racer, steps: number): Promise<number> {
  const loss = await racer.engine.run(racer.done % BATCHES, steps);
  racer.done += steps;
  return loss;
}

globalThis.measure = async ({ workload: key, engines: names, rounds, steps }) => {
  const racers: Racer[] = [];
  for (const name of names) {
    await progress(`${key}: ${name}, first ${AGREEMENT.steps} steps`);
    const racer = await enter(name, workloads[key]);
    if (racer === undefined) await progress(`${key}: ${name} does not play it`);
    else racers.push(racer);
  }
  for (const kind of new Set(racers.map(({ name }) => kindOf(name)))) {
    const [leader, ...others] = racers.filter(({ name }) => kindOf(name) === kind);
    if (leader === undefined || others.length === 0) continue;
    const worst = agreement(workloads[key], leader, others).toExponential(1);
    await progress(`${key}: losses agree to ${worst} over ${workloads[key].agreed ?? AGREEMENT.steps} steps`);
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
      losses: racer.losses,
      ...timesOf(racer.times),
      ...(racer.engine.works && { works: racer.engine.works }),
      perStep: await countPerStep(steps, () => run(racer, steps)),
    });
  }
  for (const { engine } of racers) engine.dispose();
  return rows;
};
