// Times the cases of one kernel, each by itself, engines in turn.

import { connect } from "../../../src/gpu/device.ts";
import type { Progress } from "../progress.ts";
import { timesOf } from "../report.ts";
import { milliseconds, runsFor } from "../timing.ts";
import { kernelCases } from "./cases.ts";
import { gradusKernels } from "./gradus.ts";
import type { KernelName } from "./names.ts";
import type { KernelEngine, KernelRow } from "./report.ts";
import { apart, type CreateRunner, type Runner } from "./runner.ts";

export interface KernelRace {
  readonly kernel: KernelName;
  readonly engines: readonly KernelEngine[];
  readonly rounds: number;
}

type Peer = Exclude<KernelEngine, "gradus">;
/** How a page comes to the kernels of others. */
export type KernelPeers = Readonly<Partial<Record<Peer, () => Promise<{ readonly create: CreateRunner }>>>>;

/** Least milliseconds of a block. */
const BLOCK = 50;
/** How far first numbers may be apart, beside the largest of them. */
const TOLERANCE = 1e-3;

interface Racer {
  readonly engine: KernelEngine;
  readonly runner: Runner;
  readonly count: number;
  readonly times: number[];
}

/** A row for each case and engine that has a kernel for it. What `progress` throws ends the race; all is freed in any case. */
export async function raceKernels(task: KernelRace, peers: KernelPeers, progress: Progress): Promise<KernelRow[]> {
  const { kernel, engines, rounds } = task;
  const gpu = await connect();
  try {
    const enter = gradusKernels(gpu);
    const rows: KernelRow[] = [];
    for (const one of kernelCases.filter((each) => each.kernel === kernel)) {
      const { works, ...own } = await enter(one);
      const racers: Racer[] = [];
      try {
        const expected = await own.sample();
        for (const engine of engines) {
          await progress(`${kernel}: ${one.form}, ${engine}`);
          const runner = engine === "gradus" ? own : await (await peers[engine]?.())?.create(one);
          if (runner === undefined) continue;
          const racer = { engine, runner, times: [] };
          const difference = apart(expected, await runner.sample());
          if (!(difference <= TOLERANCE)) {
            throw new Error(
              `${kernel}: ${one.form}: the first numbers of ${engine} differ from Gradus's by ${difference.toExponential(1)} of ` +
                `the largest, ${TOLERANCE} is allowed. Their times cannot be compared until they compute the same.`,
            );
          }
          racers.push({ ...racer, count: await runsFor(runner.run, BLOCK) });
        }
        for (let round = 0; round < rounds; round++) {
          for (const { runner, count, times } of racers)
            times.push((await milliseconds(() => runner.run(count))) / count);
        }
        for (const { engine, times } of racers) rows.push({ kernel, form: one.form, engine, ...timesOf(times), works });
      } finally {
        for (const { runner } of racers) if (runner !== own) runner.dispose();
        own.dispose();
      }
    }
    return rows;
  } finally {
    gpu.dispose();
  }
}
