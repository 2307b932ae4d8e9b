// Runs in the browser: times the cases of one kernel beside the peers' kernels.

import { type KernelRace, raceKernels } from "../../../demo/bench/kernels/race.ts";
import type { KernelRow } from "../../../demo/bench/kernels/report.ts";

declare global {
  /** What test/bench/main.ts calls here for `--only matmul` and its like. */
  var measureKernels: (task: KernelRace) => Promise<KernelRow[]>;
}

const peers = { tfjs: () => import("./tfjs.ts"), "jax-js": () => import("./jax.ts") };

globalThis.measureKernels = (task) => raceKernels(task, peers, (line) => progress(line));
