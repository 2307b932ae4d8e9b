// Schedules as data, and back.

import { OptionError } from "../../errors.ts";
import type { Schedule } from "./clock.ts";

/** A schedule as JSON: the name of its factory, and the options. */
export interface ScheduleSpec {
  readonly name: string;
  readonly [option: string]: unknown;
}

/** The spec of a schedule; undefined where it is a bare function. */
export const describeSchedule = (_schedule: Schedule): ScheduleSpec | undefined => undefined;

/** The schedule of a spec. Throws OptionError where it is none. */
export function scheduleFrom(spec: ScheduleSpec): Schedule {
  throw new OptionError(`schedule: there is no "${spec.name}".`);
}
