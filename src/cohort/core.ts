// What is taken from the core: by its door alone, as types.

import type { Copies } from "../index.ts";

/** What the core lends. */
export type Core = Parameters<Copies["build"]>[1];
/** What a program is asked for. */
export type ProgramOptions = Parameters<Copies["build"]>[0];
export type Program = ReturnType<Copies["build"]>;
export type Command = Program["recording"]["commands"][number];
export type Binding = Command["bindings"][number];
export type Rows = NonNullable<Command["rows"]>;
/** Tensors that have a place, and the arena of all of them. */
export type Residence = Program["states"];
/** A slice of an arena. */
export type Slice = Pick<Binding, "arena" | "offset" | "bytes">;
