// What the texts of kernels are made of, and how large their grids are: a text has holes, and it declares its bindings. No GPU type
// appears here.

/** How a kernel uses a buffer; decides the layout of its pipeline and tells the plan which ranges are written. */
export type Access = "uniform" | "read" | "readWrite";

/** What fills the holes of a shader: booleans stand in conditions only, texts and numbers in the head. */
export type Holes = Readonly<Record<string, string | number | boolean>>;

/** A hole in a shader's text: a name between the signs of a template, or, in the built file, between dollars, which need no escape there. */
const hole = /\$\{?([A-Za-z0-9_]*)[}$]/;

/** A shader's text cut at its holes: text, hole, text, hole, ..., text. */
export const cutAtHoles = (text: string): string[] => text.split(hole);

/** Texts of a shader after one another, none of which needs to end with its line. */
export const inLines = /* @__NO_SIDE_EFFECTS__ */ (...texts: readonly string[]): string => texts.join("\n");

/** A text for each of so many numbers from 0. */
export const each = (count: number, text: (i: number) => string, between = "\n"): string =>
  Array.from({ length: count }, (_, i) => text(i)).join(between);

/** The same text with holes of its own, so that it can stand in a shader more than once: hole `A` becomes `A_3`. */
export const scoped = (text: string, number: number): string =>
  cutAtHoles(text)
    .map((piece, i) => (i % 2 === 0 ? piece : `\${${piece}_${number}}`))
    .join("");

/** What kernels may know of the device when they choose a variant. */
export interface DeviceFacts {
  /** A CPU adapter: large tiles in registers pay, occupancy does not. */
  readonly software: boolean;
  /** Whether four neighbours of a workgroup may read of one another what they have in registers: `subgroups`. */
  readonly quads?: boolean;
}

/** Workgroups along each axis. */
export type Grid = readonly [x: number, y: number, z: number];

/** WebGPU allows this many workgroups along one axis by default. */
export const MOST_GROUPS = 65_535;

/** A grid of `groups` workgroups, folded into two axes where one is too short. */
export function fold(groups: number): Grid {
  if (groups <= MOST_GROUPS) return [Math.max(1, groups), 1, 1];
  const height = Math.ceil(groups / MOST_GROUPS);
  return [Math.ceil(groups / height), height, 1];
}

/** A grid for so many threads, 64 a workgroup. */
export const threads = (count: number): Grid => fold(Math.ceil(count / 64));
