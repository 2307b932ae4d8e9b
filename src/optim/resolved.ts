// Options from one table of defaults, which says what there is and which of it is a switch; undefined stands for what has no
// default. A misspelt option, or another library's bare number, would do nothing in silence.

import { checkOptions, checkSwitches } from "../option.ts";

/** Each option of `Options` must be in the table. */
export type Defaults<Options> = { readonly [Key in keyof Required<Options>]: unknown };

export type Resolved<Options, Table> = {
  readonly [Key in keyof Options & keyof Table]-?: Table[Key] extends undefined
    ? Options[Key]
    : Exclude<Options[Key], undefined>;
};

/** The options, and the defaults of those that are left out. Refuses other options, and switches that are neither true nor false. */
export function resolved<Options extends object, Table extends Defaults<Options>>(
  place: string,
  options: Options,
  table: Table,
  example = "",
): Resolved<Options, Table> {
  checkOptions(place, options, Object.keys(table), example);
  const all: Record<string, unknown> = { ...table };
  for (const [key, value] of Object.entries(options)) {
    // Lists are copied: what was given must not change later.
    if (value !== undefined) all[key] = Array.isArray(value) ? [...value] : value;
    if (typeof table[key as keyof Table] === "boolean") checkSwitches(place, { [key]: all[key] });
  }
  return all as Resolved<Options, Table>;
}
