// A schedule as data, and back: each factory notes the name and the arguments that a schedule came from, and is found under that
// name again. What a bare function is made of cannot be told, nor anything that contains one.

import { checkFunction, checkOptions } from "../../option.ts";
import type { Schedule } from "./clock.ts";

/** A schedule as plain JSON; in `options` schedules stand as their specs, and an infinite number as "Infinity". */
export interface ScheduleSpec {
  /** Of the factory, such as "oneCycle". */
  readonly name: string;
  /** What its factory was called with. */
  readonly options: Readonly<Record<string, unknown>>;
}

// As text, so that nobody can change what is noted.
const texts = new WeakMap<Schedule, string>();

/** A factory, and what its arguments are called where they are not one record of options. */
interface Known {
  readonly factory: (...given: unknown[]) => Schedule;
  readonly parts: readonly string[] | undefined;
}

const known = new Map<string, Known>();

/**
 * The factory `name`, whose schedules can be told and made again. Its calls are marked as pure, so that a bundler drops the factories
 * that a page does not use; no spec leads to those.
 */
export /* @__NO_SIDE_EFFECTS__ */ function schedule<Given extends readonly unknown[]>(
  name: string,
  make: (...given: Given) => Schedule,
  parts?: readonly string[],
): (...given: Given) => Schedule {
  const factory = (...given: Given): Schedule => {
    const options = parts === undefined ? given[0] : Object.fromEntries(parts.map((part, i) => [part, given[i]]));
    return noted(name, options ?? {}, make(...given));
  };
  known.set(name, { factory: factory as unknown as Known["factory"], parts });
  return factory;
}

function noted(name: string, options: unknown, made: Schedule): Schedule {
  let whole = true;
  const text = JSON.stringify({ name, options }, (_, value) => {
    if (value === Number.POSITIVE_INFINITY) return "Infinity";
    if (typeof value !== "function") return value;
    const spec = describeSchedule(value);
    whole &&= spec !== undefined;
    return spec;
  });
  if (whole) texts.set(made, text);
  return made;
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

/** The schedule of a spec; `refuse` is told of a name that no factory here has. */
export function madeFrom(spec: ScheduleSpec, refuse: (name: string) => never): Schedule {
  checkOptions(
    "scheduleFrom",
    spec,
    ["name", "options"],
    'scheduleFrom({ name: "oneCycle", options: { epochs: 10 } })',
  );
  const name = String(spec.name);
  const { factory, parts } = known.get(name) ?? refuse(name);
  const given = spec.options ?? {};
  checkOptions(`scheduleFrom "${name}"`, given, parts ?? Object.keys(given));
  /** A value as the factory takes it: whatever is an object there is a spec. */
  const revived = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(revived);
    if (typeof value === "object" && value !== null) return madeFrom(value as ScheduleSpec, refuse);
    return value === "Infinity" ? Number.POSITIVE_INFINITY : value;
  };
  const options = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, revived(value)]));
  return factory(...(parts?.map((part) => options[part]) ?? [options]));
}
