// What is taken from the core: by its door alone, as types.

import type { Precision } from "../index.ts";

/** What the core lends. */
export type Core = Parameters<Precision["open"]>[1];
/** What a program is asked for. */
export type ProgramOptions = Parameters<Precision["open"]>[0];
export type Command = ReturnType<Precision["open"]>["recording"]["commands"][number];
export type Graph = Parameters<NonNullable<ProgramOptions["formed"]>>[0];
export type Node = Graph["nodes"][number];
export type Tensor = Graph["tensors"][number];
