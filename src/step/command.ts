// A command: one dispatch, or the same one several times, as plain data, complete, without a GPU type in it.

import type { Access, Grid, Holes } from "../op/kernel.ts";
import { specialise } from "../op/shader.ts";
import type { Slice } from "../plan/plan.ts";
import { readingHalves } from "./reading.ts";

/** A slice of an arena behind one binding of a shader. `bytes` 0 means the whole arena. */
export interface Binding extends Slice {
  /** Its number in group 0. */
  readonly number: number;
  /** As the shader declares it. */
  readonly name: string;
  /** What the shader does with it. */
  readonly access: Access;
}

/** One dispatch, or as many after one another as `times` says, complete. */
export interface Command {
  /** Name of the shader. */
  readonly kernel: string;
  /** Text of the shader, with holes. */
  readonly source: string;
  /** What fills the holes of `source`. */
  readonly holes: Holes;
  /** Values of the shader's `override` declarations. */
  readonly constants: Readonly<Record<string, number>>;
  /** In the order in which the shader declares them. */
  readonly bindings: readonly Binding[];
  /** Whether the shader reads group 1, the values of the step. */
  readonly step: boolean;
  /** Workgroups along each axis. */
  readonly grid: Grid;
  /** How often it runs; a binding in the arena "ticks" moves on by a place each time. Default 1. */
  readonly times?: number;
  /** Bits of the steps that it is a part of, see `when`; 0: of all. */
  readonly when: number;
  /** What it works on, for people. */
  readonly note: string;
  /** Path of the layer that asked for it; empty where none did. */
  readonly layer: string;
  /** What it is made of, where it is several beside each other. */
  readonly parts?: readonly Command[];
  /** Where the second of two parts goes on with the rows that a workgroup of the first makes. */
  readonly rows?: Rows;
}

/** How a workgroup takes the turns of a kernel that goes on with its rows: by threads, or all together one after the other. */
export interface Rows {
  /** Who takes a turn. */
  readonly by: "thread" | "workgroup";
  /** Turns of a workgroup. */
  readonly each: number;
  /**
   * Where there are copies of both: in WGSL which of its copy a workgroup `at` is, and the number of the one that has the first turn of that
   * copy; and how far the next one is.
   */
  readonly copy?: { readonly place: string; readonly first: string; readonly step: number };
}

/** A command by its kernels: those that it is made of, or itself. */
export const kernelsOf = (command: Command): readonly Command[] => command.parts?.flatMap(kernelsOf) ?? [command];

/** In which steps a command runs; it needs all of its bits. */
export const when = { apply: 1, sampled: 2, unsampled: 4 } as const;

/** A declaration of group 0; the shortened text of the built file has less space in it. */
const declaration = /@group\(0\) ?@binding\((\d+)\) ?var<(\w+)(?:, ?(\w+))?> ?(\w+)/g;

/** The command of a shader, whose text says what it binds; `sliceOf` knows what stands behind a name. */
export function commandOf(shader: Omit<Command, "bindings" | "step">, sliceOf: (name: string) => Slice): Command {
  const code = specialise(shader.kernel, shader.source, shader.holes);
  const bindings: readonly Binding[] = [...code.matchAll(declaration)].map(
    ([, number, space, mode, name = ""]): Binding => {
      const access = space === "uniform" ? space : mode === "read" ? mode : "readWrite";
      return { number: Number(number), name, access, ...sliceOf(name) };
    },
  );
  const made = {
    ...shader,
    bindings: bindings.toSorted((a, b) => a.number - b.number),
    step: code.includes("@group(1)"),
  };
  const halves = bindings.filter(({ half }) => half === true).map(({ name }) => name);
  return halves.length === 0 ? made : { ...made, source: readingHalves(code, halves), holes: {} };
}
