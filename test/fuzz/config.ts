// What a trainer of a sequence is made of, as plain data, so that fast-check can shrink it and any build can make it: the
// model, the rule and its options, the schedule, clipping, micro-batches, means. Activations are smooth: beside the switch of a
// relu f32 and f64 part ways, and both are right.

import fc from "fast-check";
import type { Layer, Optimizer, Schedule } from "../../src/index.ts";

/** A build of Gradus: the source, or what was built from it. */
export type Engine = typeof import("../../src/index.ts");

export interface Config {
  readonly model: "bare" | "chain" | "shared" | "image";
  readonly width: 2 | 3;
  readonly activation: "tanh" | "sigmoid" | "gelu";
  readonly loss: "crossEntropy" | "meanSquaredError";
  readonly batch: number;
  readonly seed: number;
  readonly optimizer: number;
  readonly lr: number;
  readonly weightDecay: number;
  readonly schedule: number;
  readonly clip: { readonly norm: number } | { readonly layerNorm: number } | { readonly value: number } | null;
  readonly accumulate: number;
  readonly averaging: number | null;
}

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values);

/** Rates at which a few steps move a weight by a hundredth or a tenth of itself. */
export const config: fc.Arbitrary<Config> = fc.record({
  model: oneOf<Config["model"]>("chain", "bare", "shared", "image"),
  width: oneOf(2, 3),
  activation: oneOf<Config["activation"]>("tanh", "sigmoid", "gelu"),
  loss: oneOf<Config["loss"]>("crossEntropy", "meanSquaredError"),
  batch: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(1000),
  optimizer: fc.nat(1000).map((n) => n % optimizers.length),
  lr: oneOf(0.01, 0.02, 0.05),
  weightDecay: oneOf(0, 0.01, 0.1),
  schedule: fc.nat(1000).map((n) => n % schedules.length),
  clip: oneOf<Config["clip"]>(null, null, { norm: 0.3 }, { layerNorm: 0.2 }, { value: 0.1 }),
  accumulate: oneOf(1, 1, 1, 2, 3),
  averaging: oneOf(null, null, 0.5, 0.9),
});

interface RuleOptions {
  readonly lr: number;
  readonly weightDecay: number;
}

/** The rules, each with options that keep it away from 0 / 0, where rounding alone decides. */
export const optimizers: readonly ((engine: Engine, options: RuleOptions) => Optimizer)[] = [
  ({ sgd }, options) => sgd(options),
  ({ sgd }, options) => sgd({ ...options, momentum: 0.9 }),
  ({ sgd }, options) => sgd({ ...options, momentum: 0.8, nesterov: true }),
  ({ sgd }, options) => sgd({ ...options, momentum: 0.8, dampening: 0.2, decoupled: true }),
  ({ adam }, options) => adam({ ...options, eps: 0.01 }),
  ({ adamw }, options) => adamw({ ...options, eps: 0.01, betas: [0.8, 0.95] }),
  ({ adamw }, options) => adamw({ ...options, eps: 0.01, amsgrad: true }),
  ({ adagrad }, options) => adagrad({ ...options, eps: 0.01, initialAccumulator: 0.1 }),
  ({ adadelta }, options) => adadelta({ ...options, lr: 10 * options.lr, eps: 0.01 }),
  ({ rmsprop }, options) => rmsprop({ ...options, eps: 0.1 }),
  ({ rmsprop }, options) => rmsprop({ ...options, eps: 0.1, momentum: 0.5 }),
  ({ adamax }, options) => adamax({ ...options, eps: 0.01 }),
  ({ nadam }, options) => nadam({ ...options, eps: 0.01 }),
  ({ radam }, options) => radam({ ...options, eps: 0.01 }),
  ({ lars }, options) => lars({ ...options, trustCoefficient: 0.02 }),
  ({ lamb }, options) => lamb({ ...options, eps: 0.01 }),
];

/** Schedules, each with the factor of a step as its definition has it. */
export const schedules: readonly (readonly [(engine: Engine) => Schedule, (step: number) => number])[] = [
  [({ constant }) => constant(), () => 1],
  [({ stepLR }) => stepLR({ steps: 3, gamma: 0.5 }), (step) => 0.5 ** Math.floor(step / 3)],
  [({ exponentialLR }) => exponentialLR({ gamma: 0.9 }), (step) => 0.9 ** step],
  [
    () =>
      ({ step }) =>
        1 / (1 + step / 4),
    (step) => 1 / (1 + step / 4),
  ],
];

export const inputOf = ({ model }: Config): readonly number[] => (model === "image" ? [4, 3, 2] : [5]);
export const classesOf = ({ loss }: Config): number => (loss === "crossEntropy" ? 3 : 2);

export function modelOf(engine: Engine, { model, width, activation, ...config }: Config): Layer {
  const { sequential, functional, residual, dense, conv2d, flatten } = engine;
  const outputs = classesOf({ model, width, activation, ...config });
  const bend = () => engine[activation]();
  if (model === "bare") return dense(outputs);
  if (model === "image") {
    return sequential({ stem: [conv2d(width, { kernel: 2 }), bend(), flatten()], head: dense(outputs) });
  }
  if (model === "chain") {
    return sequential({ stem: [dense(width + 2), bend()], body: [dense(width), bend()], head: dense(outputs) });
  }
  return functional((x, { use, add }) => {
    const twice = dense(width);
    const h = use("stem", dense(width), x);
    const deep = use("twice", twice, use("bend", bend(), use("twice", twice, h)));
    return use("head", dense(outputs), add(use("side", residual([dense(width, { bias: false }), bend()]), deep), h));
  });
}

/** The options of `compile`. */
export const optionsOf = (engine: Engine, config: Config, device: GPUDevice) => ({
  device,
  input: inputOf(config),
  batch: config.batch,
  loss: engine[config.loss](),
  optimizer: optimizerOf(engine, config),
  schedule: (schedules[config.schedule] as (typeof schedules)[number])[0](engine),
  accumulate: config.accumulate,
  seed: config.seed,
  ...(config.clip === null ? {} : { clip: config.clip }),
  ...(config.averaging === null ? {} : { averaging: config.averaging }),
});

export const optimizerOf = (engine: Engine, { optimizer, lr, weightDecay }: Config): Optimizer =>
  (optimizers[optimizer] as (typeof optimizers)[number])(engine, { lr, weightDecay });
