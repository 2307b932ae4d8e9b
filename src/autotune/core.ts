// What is taken from the core: by its door alone, as types.

import type { Autotune, Kernel } from "../index.ts";

/** The device as the core has it. */
export type Gpu = Parameters<Autotune["open"]>[0];
/** What the core lends. */
export type Core = Parameters<Autotune["open"]>[1];
/** The choices of a run. */
export type Tuning = Awaited<ReturnType<Autotune["open"]>>;
/** One way to run a kernel. */
export type Candidate = ReturnType<NonNullable<Kernel["candidates"]>>[number];
