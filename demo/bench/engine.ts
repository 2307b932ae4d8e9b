// What takes part in the benchmark: an engine trains one workload in the page, from that workload's starting
// weights, on batches that are on the GPU before the first step. A new engine is a file that exports
// `create`, its name here, and one line in engines.ts.

import type { Work } from "./roofline/work.ts";
import type { Workload } from "./workload.ts";

/** The rule that every engine trains with: PyTorch's Adam and its defaults. */
export const adam = { lr: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

export interface Engine {
  /** What the engine computes on, in its own words: "webgpu", "wasm". */
  readonly backend: string;
  /**
   * Trains `steps` steps, step `i` on `batchOf(workload, first + i)`, without waiting for the GPU in between.
   * Resolves to the loss of the last step (mean cross-entropy before that step's update), which is the only
   * value read back. Each call goes on where the last one ended.
   */
  run(first: number, steps: number): Promise<number>;
  /** Whether its calls are made in a worker of its own, where nobody counts them. */
  readonly uncounted?: boolean;
  /** What the dispatches of a step have to do, where the engine tells. */
  readonly works?: readonly Work[];
  /** Frees all that the engine holds on the GPU. */
  dispose(): void;
}

/** Resolves when weights and batches are on the GPU. Pipelines may still compile during the first step. */
export type CreateEngine = (workload: Workload) => Promise<Engine>;

/** What the file of an engine exports. */
export interface EngineModule {
  readonly create: CreateEngine;
  /** Whether it has all that a workload needs. Default: yes. */
  readonly plays?: (workload: Workload) => boolean;
}

/** Engines of the page. */
export const pageEngines = [
  "gradus",
  "tfjs",
  "jax-js",
  "tfjs wasm",
  "jax-js wasm",
  "tensorgrad",
  "gradus statistics",
  "gradus frozen",
  "gradus cached",
  "gradus tuned",
] as const;
export type EngineName = (typeof pageEngines)[number];

/** Those, and the one that has a process of its own. */
export const engineNames = [...pageEngines, "pytorch"] as const;
export type AnyEngine = (typeof engineNames)[number];

/** Those that are compared unless others are asked for; the rest are ways to use Gradus. */
export const peers: readonly AnyEngine[] = ["gradus", "tfjs", "jax-js", "tfjs wasm", "jax-js wasm", "pytorch"];

/** Whether an engine is one of the packages of test/bench. */
export const isPackage = (name: AnyEngine): boolean => /^(tfjs|jax-js)/.test(name);

/** Whether an engine is of others, which only the benchmark's own page imports. */
export const isPeer = (name: AnyEngine): boolean => isPackage(name) || name === "tensorgrad";

/** Engines of one kind must agree on the losses; with frozen layers they are others. */
export const kindOf = (name: AnyEngine): string =>
  name === "gradus frozen" || name === "gradus cached" ? "frozen" : "all layers";
