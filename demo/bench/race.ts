// Engines side by side on one workload. First they must agree on the losses from the same start; then timed blocks alternate between
// them, so that drift of the machine meets all alike; last, and outside of all timing, the calls of a steady run are counted.

import { countPerStep, startWeighing } from "../train/count.ts";
import { AGREEMENT, agreement } from "./agreement.ts";
import { type Engine, type EngineModule, type EngineName, kindOf } from "./engine.ts";
import type { Progress } from "./progress.ts";
import { type Row, timesOf } from "./report.ts";
import { BATCHES, type Workload, type WorkloadName, workloads } from "./workload.ts";

export interface Race {
  readonly workload: WorkloadName;
  readonly engines: readonly EngineName[];
  readonly rounds: number;
  readonly steps: number;
}

/** How a page comes to its engines. */
export type Entrants = Readonly<Partial<Record<EngineName, () => Promise<EngineModule>>>>;

interface Racer {
  readonly name: EngineName;
  readonly engine: Engine;
  readonly losses: number[];
  readonly times: number[];
  readonly msFirst: number;
  readonly liveBytes: number;
  /** Steps of its blocks. */
  readonly steps: number;
  /** Steps done: every engine sees the same batches in the same order. */
  done: number;
}

/** Milliseconds that a block takes at most, unless it is a single step. */
const LONGEST = 10_000;

async function run(racer: Racer, steps: number): Promise<number> {
  const loss = await racer.engine.run(racer.done % BATCHES, steps);
  racer.done += steps;
  return loss;
}

/** An engine that has made its first steps; none that has not what the workload needs. */
async function enter(
  name: EngineName,
  entrants: Entrants,
  workload: Workload,
  steps: number,
): Promise<Racer | undefined> {
  const load = entrants[name];
  if (load === undefined)
    throw new Error(`bench: ${name} is not in this page, which has ${Object.keys(entrants).join(", ")}.`);
  const { create, plays } = await load();
  if (plays?.(workload) === false) return undefined;
  const weighing = startWeighing();
  let engine: Engine | undefined;
  try {
    const start = performance.now();
    engine = await create(workload);
    const losses = [await engine.run(0, 1)];
    const msFirst = performance.now() - start;
    const racer = { name, engine, losses, times: [], msFirst, liveBytes: 0, steps, done: 1 };
    const begin = performance.now();
    while (racer.done < AGREEMENT.steps) losses.push(await run(racer, 1));
    const most = (LONGEST * (racer.done - 1)) / (performance.now() - begin);
    return { ...racer, liveBytes: weighing.read(), steps: Math.min(steps, Math.max(1, Math.floor(most))) };
  } catch (error) {
    engine?.dispose();
    throw error;
  } finally {
    weighing.stop();
  }
}

/** A row for each engine that plays the workload. What `progress` throws ends the race; all engines are freed in any case. */
export async function race(task: Race, entrants: Entrants, progress: Progress): Promise<Row[]> {
  const { workload: key, engines: names, rounds, steps } = task;
  const racers: Racer[] = [];
  try {
    for (const name of names) {
      await progress(`${key}: ${name}, first ${AGREEMENT.steps} steps`);
      const racer = await enter(name, entrants, workloads[key], steps);
      if (racer === undefined) {
        await progress(`${key}: ${name} does not play it`);
        continue;
      }
      racers.push(racer);
    }
    for (const kind of new Set(racers.map(({ name }) => kindOf(name)))) {
      const [leader, ...others] = racers.filter(({ name }) => kindOf(name) === kind);
      if (leader === undefined || others.length === 0) continue;
      const found = others.map((other) => ({ other, ...agreement(workloads[key], leader, other) }));
      const agreed = found.filter(({ why }) => why === undefined);
      // Who is alone with its losses may be the first: nothing is compared then.
      if (agreed.length === 0) throw new Error(found[0]?.why);
      for (const { other, why } of found.filter(({ why }) => why !== undefined)) {
        await progress(`${why} ${other.name} is left out.`);
        racers.splice(racers.indexOf(other), 1);
        other.engine.dispose();
      }
      const worst = Math.max(...agreed.map(({ worst }) => worst)).toExponential(1);
      await progress(`${key}: losses agree to ${worst} over ${workloads[key].agreed ?? AGREEMENT.steps} steps`);
    }

    for (const racer of racers) await run(racer, racer.steps); // a whole block untimed: buffers and caches settle
    for (let round = 1; round <= rounds; round++) {
      for (const racer of racers) {
        await progress(`${key}: ${racer.name}, round ${round} of ${rounds}`);
        const start = performance.now();
        await run(racer, racer.steps);
        racer.times.push((performance.now() - start) / racer.steps);
      }
    }

    const rows: Row[] = [];
    for (const racer of racers) {
      const { works, uncounted = false } = racer.engine;
      if (!uncounted) await progress(`${key}: ${racer.name}, counting calls`);
      rows.push({
        workload: key,
        engine: racer.name,
        backend: racer.engine.backend,
        losses: racer.losses,
        ...timesOf(racer.times),
        msFirst: racer.msFirst,
        ...(racer.liveBytes > 0 && { liveBytes: racer.liveBytes }),
        ...(works && { works }),
        ...(!uncounted && { perStep: await countPerStep(racer.steps, () => run(racer, racer.steps)) }),
      });
    }
    return rows;
  } finally {
    for (const { engine } of racers) engine.dispose();
  }
}
