// The door of gradus/autotune: which of the ways to run a kernel is the fastest here, by measurement.

export { type AutotuneOptions, type AutotuneProgress, autotune } from "./autotune.ts";
export type { AutotuneStore } from "./store.ts";
