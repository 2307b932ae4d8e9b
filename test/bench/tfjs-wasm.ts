// TensorFlow.js on its WebAssembly backend, which has no gradient of a convolution's filter.

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threaded from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
import type { CreateEngine } from "../../demo/bench/engine.ts";
import type { Workload } from "../../demo/bench/workload.ts";
import { on, plays as others } from "./tfjs.ts";

setWasmPaths({
  "tfjs-backend-wasm.wasm": plain,
  "tfjs-backend-wasm-simd.wasm": simd,
  "tfjs-backend-wasm-threaded-simd.wasm": threaded,
});

/** Tensors of four axes are filters. */
const convolves = ({ tensors }: Workload): boolean => tensors.some(({ shape }) => shape.length === 4);

export const plays = (workload: Workload): boolean => !convolves(workload) && others(workload);

export const create: CreateEngine = (workload) => on("wasm", workload);
