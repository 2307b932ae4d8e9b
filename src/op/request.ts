// What the checks of ops share: how messages show what a layer gave, and kinds of attributes.

import { OptionError } from "../errors.ts";
import { checkKind, type Kind, shown } from "../option.ts";
import type { Tensor } from "./tensor.ts";

/** "it was given [3,4] and [5].": the beginning of what a refusal says. */
export const given = (...tensors: readonly Tensor[]): string =>
  `it was given ${tensors.map(({ shape }) => `[${shape}]`).join(" and ")}.`;

const isLength = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1;

/** The kind of a list that fits. */
export const lists =
  /* @__NO_SIDE_EFFECTS__ */
  (what: string, fits: (list: readonly unknown[]) => boolean) => (place: string, name: string, value: unknown) => {
    if (Array.isArray(value) && fits(value)) return;
    throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be ${what}.`);
  };

/** That of whole numbers. */
export const wholes = /* @__NO_SIDE_EFFECTS__ */ (what: string, fits: (value: number) => boolean) =>
  lists(what, (list) => list.every((one) => Number.isSafeInteger(one) && fits(one as number)));

/** The kind of what may be left out. */
export const perhaps =
  /* @__NO_SIDE_EFFECTS__ */
    (kind: Kind) =>
    (place: string, name: string, value: unknown): void =>
      value === undefined ? undefined : checkKind(place, name, value, kind);

export const checkCount = (place: string, name: string, value: unknown): void => {
  if (!isLength(value))
    throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be a whole number of at least 1.`);
};

export const checkPair = lists(
  "two whole numbers of at least 1, for example [2, 2]",
  (list) => list.length === 2 && list.every(isLength),
);

export const checkShape = lists(
  "a list of lengths, for example [32, 10]",
  (list) => list.length > 0 && list.every(isLength),
);

/** Why a list of an entry for each axis does not fit. */
export const perAxis = (x: Tensor, name: string, list: readonly number[]): string | undefined =>
  list.length === x.shape.length
    ? undefined
    : `${given(x)} It has ${x.shape.length} axes, ${name} is [${list}]. Give a number for each axis, the batch included.`;
