// Every case that there is, found in the files of test/gpu/case: nobody keeps a list of them.

import type { Case, GradientCase } from "./case.ts";

/** What a file of cases holds of one op, or of several that belong together. */
export interface CaseFile {
  readonly cases: readonly Case[];
  /** By the names of the ops that have a way back. */
  readonly gradients?: Readonly<Record<string, readonly GradientCase[]>>;
}

const files = Object.values(import.meta.glob<CaseFile>("./case/*.ts", { eager: true }));

export const gpuCases: readonly Case[] = files.flatMap(({ cases }) => cases);
export const gradientCases: Readonly<Record<string, readonly GradientCase[]>> = Object.assign(
  {},
  ...files.map(({ gradients }) => gradients),
);
