// A schedule as data: each factory notes the name and the options that a schedule came from. What a bare function is made
// of cannot be told, nor anything that contains one.

import { checkFunction } from "../../option.ts";
import type { Schedule } from "./clock.ts";

/** A schedule as plain JSON; in `options` schedules stand as their specs, and an infinite number as "Infinity". */
export interface ScheduleSpec {
  /** Of the factory, such as "oneCycle". */
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

// As text, so that nobody can change what is noted.
const texts = new WeakMap<Schedule, string>();

/** Notes that `schedule` came from the factory `name` with these options. */
export function named(name: string, options: object, schedule: Schedule): Schedule {
  let whole = true;
  const text = JSON.stringify({ name, options }, (_, value) => {
    if (value === Number.POSITIVE_INFINITY) return "Infinity";
    if (typeof value !== "function") return value;
    const spec = describeSchedule(value);
    whole &&= spec !== undefined;
    return spec;
  });
  if (whole) texts.set(schedule, text);
  return schedule;
}

/**
 * The spec from which `scheduleFrom` makes the same schedule again, for a checkpoint or a log. Undefined for a function
 * of your own, for lambdaLR and multiplicativeLR, which hold one, and for whatever contains any of these.
 */
export function describeSchedule(schedule: Schedule): ScheduleSpec | undefined {
  if (schedule === undefined) return undefined;
  checkFunction("describeSchedule", "the schedule", schedule);
  const text = texts.get(schedule);
  return text === undefined ? undefined : JSON.parse(text);
}
