// Runs in the browser: times the cases of one kernel, each by itself, engines in turn.

import { connect } from "../../../src/gpu/device.ts";
import { timesOf } from "../report.ts";
import { milliseconds, runsFor } from "../timing.ts";
import { kernelCases } from "./cases.ts";
import { gradusKernels } from "./gradus.ts";
import type { KernelName } from "./names.ts";
import type { KernelEngine, KernelRow } from "./report.ts";
import { apart, type CreateRunner, type Runner } from "./runner.ts";

export interface KernelTask {
  readonly kernel: KernelName;
  readonly engines: readonly KernelEngine[];
  readonly rounds: number;
}

declare global {
  /** What test/bench/main.ts calls here for `--only matmul` and its like. */
  var measureKernels: (task: KernelTask) => Promise<KernelRow[]>;
}

/** Least milliseconds of a block. */
const BLOCK = 50;
/** How far first numbers may be apart, beside the largest of them. */
const TOLERANCE = 1e-3;

const peers: Readonly<Record<Exclude<KernelEngine, "gradus">, () => Promise<{ readonly create: CreateRunner }>>> = {
  tfjs: () => import("./tfjs.ts"),
  "jax-js": () => import("./jax.ts"),
};

interface Racer {
  readonly engine: KernelEngine;
  readonly runner: Runner;
  readonly count: number;
  readonly times: number[];
}

globalThis.measureKernels = async ({ kernel, engines, rounds }) => {
  const gpu = await connect();
  const enter = gradusKernels(gpu);
  const rows: KernelRow[] = [];
  for (const one of kernelCases.filter((each) => each.kernel === kernel)) {
    const { works, ...own } = await enter(one);
    const expected = await own.sample();
    const racers: Racer[] = [];
    for (const engine of engines) {
      await progress(`${kernel}: ${one.form}, ${engine}`);
      const runner = engine === "gradus" ? own : await (await peers[engine]()).create(one);
      if (runner === undefined) continue;
      const difference = apart(expected, await runner.sample());
      if (!(difference <= TOLERANCE)) {
        throw new Error(
          `${kernel}: ${one.form}: the first numbers of ${engine} differ from Gradus's by ${difference.toExponential(1)} of ` +
            `the largest, ${TOLERANCE} is allowed. Their times cannot be compared until they compute the same.`,
        );
      }
      racers.push({ engine, runner, count: await runsFor(runner.run, BLOCK), times: [] });
    }
    for (let round = 0; round < rounds; round++) {
      for (const { runner, count, times } of racers) times.push((await milliseconds(() => runner.run(count))) / count);
    }
    for (const { engine, runner, times } of racers) {
      if (runner !== own) runner.dispose();
      rows.push({ kernel, form: one.form, engine, ...timesOf(times), works });
    }
    own.dispose();
  }
  gpu.dispose();
  return rows;
};
