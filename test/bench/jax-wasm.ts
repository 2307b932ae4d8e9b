// jax-js on its WebAssembly device: the same networks.

import type { CreateEngine } from "../../demo/bench/engine.ts";
import { on } from "./jax.ts";

export { plays } from "./jax.ts";

export const create: CreateEngine = (workload) => on("wasm", workload);
