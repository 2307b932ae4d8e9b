// Lines of the log of live changes, of two trainers or of one at two times, side by side.

import type { Edit } from "../index.ts";

/** Whether it has a schedule that the log can only call "custom". */
export const isBare = ({ change }: Edit): boolean =>
  Object((change as Record<string, unknown> | undefined)?.schedule).name === "custom";

/** A checkpoint gives keys back in another order. */
const textOf = (line: Edit): string =>
  JSON.stringify(line, (_, value) =>
    value?.constructor === Object
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

export const sameEdit = (a: Edit, b: Edit): boolean => textOf(a) === textOf(b);

/** What a log has beyond the one that is known: all from the first line that differs. */
export function beyond(log: readonly Edit[], known: readonly Edit[]): readonly Edit[] {
  const from = log.findIndex((line, i) => known[i] === undefined || !sameEdit(known[i] as Edit, line));
  return from < 0 ? [] : log.slice(from);
}
