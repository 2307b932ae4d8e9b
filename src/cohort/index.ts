// The door of gradus/cohort: many copies of a network trained at once, each with rates of its own, and races between them.

export {
  type ChangingTrainer,
  Cohort,
  type CohortEpoch,
  type CohortFitOptions,
  type CohortStep,
  type CohortTrainer,
  type CopyEvaluation,
} from "./cohort.ts";
export { type CohortOptions, compileCohort, type MakeTrainer } from "./compile-cohort.ts";
export { type FindRateOptions, findRate, type RacedRates } from "./find-rate.ts";
export { type RaceOptions, type RaceResult, type RaceRung, race } from "./race.ts";
export type { RowRates } from "./row.ts";
export {
  type HalvingOptions,
  halving,
  type Moves,
  type PopulationOptions,
  population,
  type RaceRule,
} from "./rule.ts";
export type { RateRange, RateRanges } from "./table.ts";
