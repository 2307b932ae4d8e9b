// What is taken from the core: by its door alone, as types.

import type { SelfTest } from "../index.ts";

/** The device as the core has it. */
export type Gpu = Parameters<SelfTest["open"]>[0];
/** What the core lends. */
export type Core = Parameters<SelfTest["open"]>[1];
/** How kernels run. */
export type Tuning = NonNullable<Parameters<SelfTest["open"]>[2]>;
/** A dispatch, complete. */
export type Command = ReturnType<Core["commandOf"]>;
