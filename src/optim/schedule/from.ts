// The way back from any spec to its schedule.

import { didYouMean, OptionError } from "../../errors.ts";
import type { Schedule } from "./clock.ts";
import { chain, local, perEpoch, sequence } from "./compose.ts";
import { cosineAnnealingLR, cosineAnnealingWarmRestarts } from "./cosine.ts";
import { cyclicLR, cyclicMomentum, oneCycle, oneCycleMomentum } from "./cycle.ts";
import { constant, constantLR, exponentialLR, linearLR, multiStepLR, polynomialLR, stepLR } from "./decay.ts";
import { madeFrom, type ScheduleSpec } from "./spec.ts";
import { slantedTriangular, warmupCosine, warmupInverseSqrt, warmupLinear, wsd } from "./warmup.ts";

/** All of them, for whoever asks by name may ask for any. */
const factories = {
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
  const names = Object.keys(factories);
  return madeFrom(spec, (name) => {
    throw new OptionError(
      `scheduleFrom: no schedule is called "${name}".${didYouMean(name, names)} There are ${names.join(", ")}.`,
    );
  });
}
