// Learning-rate schedules: pure functions from the clock to a factor on the base rate, computed on the host in f64.
// Names and defaults are torch.optim.lr_scheduler's where it has the schedule. A floor is a part of the base rate, so
// that one schedule serves layers of any rate. Steps are the unit unless an option says epochs.

export type { Clock, MomentumSchedule, Schedule, Span } from "./schedule/clock.ts";
export { chain, local, type Preview, type PreviewOptions, perEpoch, preview, sequence } from "./schedule/compose.ts";
export {
  type CosineAnnealingOptions,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  type WarmRestartsOptions,
} from "./schedule/cosine.ts";
export {
  type CyclicMomentumOptions,
  type CyclicOptions,
  cyclicLR,
  cyclicMomentum,
  type OneCycleMomentumOptions,
  type OneCycleOptions,
  oneCycle,
  oneCycleMomentum,
} from "./schedule/cycle.ts";
export {
  type ConstantOptions,
  constant,
  constantLR,
  type ExponentialOptions,
  exponentialLR,
  type LinearOptions,
  lambdaLR,
  linearLR,
  type MultiStepOptions,
  multiplicativeLR,
  multiStepLR,
  type PolynomialOptions,
  polynomialLR,
  type StepOptions,
  stepLR,
} from "./schedule/decay.ts";
export { scheduleFrom } from "./schedule/from.ts";
export { describeSchedule, madeFrom, type ScheduleSpec } from "./schedule/spec.ts";
export {
  type SlantedTriangularOptions,
  slantedTriangular,
  type WarmupCosineOptions,
  type WarmupInverseSqrtOptions,
  type WarmupLinearOptions,
  type WsdOptions,
  warmupCosine,
  warmupInverseSqrt,
  warmupLinear,
  wsd,
} from "./schedule/warmup.ts";
