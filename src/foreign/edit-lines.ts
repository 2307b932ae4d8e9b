// Lines of the log of live changes, of two trainers or of one at two times, side by side.

import { type Edit, type LayerRates, type Schedule, scheduleFrom } from "../index.ts";

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

/** Makes a line of a log at once; `own` is its schedule where the log has none. */
export function remake(rates: LayerRates, { kind, pattern, change }: Edit, own?: Schedule): void {
  if (kind === "set") {
    const { schedule, ...rest } = change as Record<string, never>;
    const given =
      schedule === undefined ? {} : { schedule: Object(schedule).name === "custom" ? own : scheduleFrom(schedule) };
    rates.set(pattern, { ...rest, ...given } as never);
  } else if (kind === "assign") rates.assign(pattern, change.layer as string);
  else if (kind === "scale") {
    const { factor, ...options } = change as { factor: number };
    rates.scale(pattern, factor, options);
  } else rates[kind](pattern);
}
