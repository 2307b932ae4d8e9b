// The way back from a spec to its schedule: the factories by name.

import { didYouMean, OptionError } from "../../errors.ts";
import { checkOptions } from "../../option.ts";
import type { Schedule } from "./clock.ts";
import { chain, local, perEpoch, sequence } from "./compose.ts";
import { cosineAnnealingLR, cosineAnnealingWarmRestarts } from "./cosine.ts";
import { cyclicLR, cyclicMomentum, oneCycle, oneCycleMomentum } from "./cycle.ts";
import { constant, constantLR, exponentialLR, linearLR, multiStepLR, polynomialLR, stepLR } from "./decay.ts";
import type { ScheduleSpec } from "./spec.ts";
import { slantedTriangular, warmupCosine, warmupInverseSqrt, warmupLinear, wsd } from "./warmup.ts";

/** What a schedule of schedules is made of, in the order of its arguments; the others take their options as they are. */
const partsOf: Readonly<Record<string, readonly string[]>> = {
  chain: ["schedules"],
  local: ["schedule"],
  perEpoch: ["schedule"],
  sequence: ["schedules", "milestones"],
};

const factories: Readonly<Record<string, (...given: never[]) => Schedule>> = {
  ...{ chain, constant, constantLR, cosineAnnealingLR, cosineAnnealingWarmRestarts, cyclicLR, cyclicMomentum },
  ...{ exponentialLR, linearLR, local, multiStepLR, oneCycle, oneCycleMomentum, perEpoch, polynomialLR, sequence },
  ...{ slantedTriangular, stepLR, warmupCosine, warmupInverseSqrt, warmupLinear, wsd },
};

/**
 * The schedule that a spec of `describeSchedule` describes, with the same values to the last bit; a momentum schedule as
 * well. Throws OptionError for a name that is none, and where the factory refuses the options.
 *
 * @example scheduleFrom({ name: "oneCycle", options: { epochs: 10 } })
 */
export function scheduleFrom(spec: ScheduleSpec): Schedule {
  checkOptions(
    "scheduleFrom",
    spec,
    ["name", "options"],
    'scheduleFrom({ name: "oneCycle", options: { epochs: 10 } })',
  );
  const name = String(spec.name);
  if (!Object.hasOwn(factories, name)) {
    const names = Object.keys(factories);
    throw new OptionError(
      `scheduleFrom: no schedule is called "${name}".${didYouMean(name, names)} There are ${names.join(", ")}.`,
    );
  }
  const given = spec.options ?? {};
  const parts = partsOf[name];
  checkOptions(`scheduleFrom "${name}"`, given, parts ?? Object.keys(given));
  const options = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, revived(value)]));
  const factory = factories[name] as (...given: unknown[]) => Schedule;
  return factory(...(parts?.map((part) => options[part]) ?? [options]));
}

/** A value of `options` as the factory takes it: whatever is an object there is a spec. */
function revived(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revived);
  if (typeof value === "object" && value !== null) return scheduleFrom(value as ScheduleSpec);
  return value === "Infinity" ? Number.POSITIVE_INFINITY : value;
}
