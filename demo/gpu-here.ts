// In a process of Deno or Node: WebGPU where the runtime does not bring it, and which adapter there is.

import { nameOf } from "../src/gpu/adapter.ts";
import type { Adapter } from "./adapter.ts";

/** Makes `navigator.gpu` where there is none, from the npm package webgpu. Its flags stay away: Gradus has its own. */
export async function provideGpu(): Promise<void> {
  if (globalThis.navigator?.gpu !== undefined) return;
  const { create, globals } = await import("webgpu");
  const { GPUBufferUsage, GPUMapMode, GPUShaderStage, ...classes } = globals as Record<string, unknown>;
  Object.assign(globalThis, classes);
  if (globalThis.navigator === undefined) Object.defineProperty(globalThis, "navigator", { value: {}, writable: true });
  Object.defineProperty(navigator, "gpu", { value: create([]), configurable: true });
}

/** The adapter that Gradus gets, or null where it gets none, and the runtime with its version. */
export async function adapterHere(): Promise<{ readonly adapter: Adapter | null; readonly version: string }> {
  const adapter = await navigator.gpu.requestAdapter();
  const { deno } = process.versions as { deno?: string };
  const version = deno === undefined ? `Node ${process.versions.node}` : `Deno ${deno}`;
  return { adapter: adapter === null ? null : nameOf(adapter.info), version };
}
