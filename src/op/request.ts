// What the checks of ops share: how messages show what a layer gave, and kinds of attributes.

import { OptionError } from "../errors.ts";
import { shown } from "../option.ts";
import type { Tensor } from "./tensor.ts";

/** "it was given [3,4] and [5].": the beginning of what a refusal says. */
export const given = (...tensors: readonly Tensor[]): string =>
  `it was given ${tensors.map(({ shape }) => `[${shape}]`).join(" and ")}.`;

const isLength = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1;

const lengths =
  /* @__NO_SIDE_EFFECTS__ */
  (what: string, fits: (list: readonly unknown[]) => boolean) => (place: string, name: string, value: unknown) => {
    if (Array.isArray(value) && value.every(isLength) && fits(value)) return;
    throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be ${what}.`);
  };

export const checkCount = (place: string, name: string, value: unknown): void => {
  if (!isLength(value))
    throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be a whole number of at least 1.`);
};

export const checkPair = lengths("two whole numbers of at least 1, for example [2, 2]", ({ length }) => length === 2);

export const checkShape = lengths("a list of lengths, for example [32, 10]", ({ length }) => length > 0);
