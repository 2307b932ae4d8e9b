// The door of gradus/cohort: many copies of a network trained at once, each with rates of its own.

export { Cohort, type CohortEpoch, type CohortFitOptions, type CohortStep, type CopyEvaluation } from "./cohort.ts";
export { type CohortOptions, compileCohort } from "./compile-cohort.ts";
