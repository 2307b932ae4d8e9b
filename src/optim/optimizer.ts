// Update rules as data: which variant of which shader, its constants, and how a layer's rate, decay and step count become
// the four numbers of its row. Names, defaults and formulas are those of torch.optim.

import { OptionError } from "../errors.ts";
import type { UpdateRule } from "../kernels/update.ts";
import { decays, normal, type RuleSpec, ruleOptions, ruleSpec } from "./rule-options.ts";

export type { RuleSpec };

export interface Optimizer {
  /** @internal */
  readonly rule: UpdateRule;
  /** Two optimizers of equal spec are one rule, whatever their rates and decays: those stand in each tensor's row. */
  readonly spec: RuleSpec;
  /** Base learning rate of all layers that are not given their own. */
  readonly lr: number;
  readonly weightDecay: number;
  /** Whether `weightDecay` leaves out tensors of rank 1 and below. Decay that a rate rule sets is never left out. */
  readonly sparesVectors: boolean;
  /**
   * Writes a row of the layer table: `lr` and `weightDecay` of now, `t` the number of this update of the layer, from 1,
   * `momentum` where a schedule moves it. The last number must not be 0: that would mean frozen.
   */
  writeRow(table: Float32Array, at: number, lr: number, weightDecay: number, t: number, momentum?: number): void;
}

/** The decay of a tensor that no rule gives one. */
export const decayOf = ({ sparesVectors, weightDecay }: Optimizer, shape: readonly number[]): number =>
  sparesVectors && shape.length <= 1 ? 0 : weightDecay;

export interface SgdOptions {
  /** Default 1e-3. */
  readonly lr?: number;
  readonly momentum?: number;
  readonly dampening?: number;
  readonly nesterov?: boolean;
  /** Added to the gradient. Default 0. */
  readonly weightDecay?: number;
  /** Decay is taken off the weight instead (SGDW, Loshchilov and Hutter 2019). Default false. */
  readonly decoupled?: boolean;
  /** The rate is part of what momentum keeps, as in Caffe: buffer = momentum buffer + lr g, p = p - buffer. Default false. */
  readonly lrInMomentum?: boolean;
}

export interface AdamOptions {
  /** Divide by the largest second moment so far (Reddi et al. 2018). Default false. */
  readonly amsgrad?: boolean;
  /** Default 1e-3. */
  readonly lr?: number;
  /** Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** eps stands under the root, sqrt(v + eps), as in optax's eps_root. Default false. */
  readonly epsInside?: boolean;
  /** eps is added before the bias correction, as in TensorFlow ("epsilon hat"). Default false. */
  readonly epsFirst?: boolean;
  /** adam: added to the gradient, default 0. adamw: taken off the weight, default 0.01, rank <= 1 left out. */
  readonly weightDecay?: number;
}

type RowNumber = (rate: number, t: number, momentum?: number) => number;

/** A rule as its factory tells it: what differs from the usual. */
type Told = Omit<UpdateRule, "name" | "variant"> & Partial<Pick<UpdateRule, "name" | "variant">>;

/** The options of a factory; what is decoupled takes its decay off the weight. Lion has no other decay. */
interface Settings {
  readonly lr: number;
  readonly weightDecay: number;
  readonly decoupled?: boolean;
}

/** A rule whose row is the rate, the decay, and two numbers of its own; `spec` are the options that tell it from others. */
export function optimizerOf(
  { name, variant, ...rule }: Told,
  spec: object,
  { lr, weightDecay, decoupled = true }: Settings,
  [first = (rate) => rate, third = () => 0, fourth = () => 1]: readonly (RowNumber | undefined)[] = [],
): Optimizer {
  const known = name ?? rule.kernel;
  return {
    rule: { ...rule, name: known, variant: { DECOUPLED: decoupled, ...variant } },
    spec: ruleSpec(known, spec),
    lr,
    weightDecay,
    sparesVectors: false,
    writeRow(table, at, rate, decay, t, momentum) {
      table[at] = first(rate, t, momentum);
      table[at + 1] = decoupled ? rate * decay : decay;
      table[at + 2] = third(rate, t, momentum);
      table[at + 3] = fourth(rate, t, momentum);
    },
  };
}

/**
 * Stochastic gradient descent with momentum, as torch.optim.SGD: the rate stays outside the momentum buffer.
 * Throws OptionError for what is no option, negative numbers, and nesterov without momentum or with dampening.
 */
export const sgd = (options: SgdOptions = {}): Optimizer => sgdFamily("sgd", ruleOptions("sgd", options, sgdTable));

const sgdTable = {
  ...{ lr: [1e-3], momentum: [0], dampening: [0], nesterov: [false] },
  ...{ weightDecay: [0], decoupled: [false], lrInMomentum: [false] },
} as const;

function sgdFamily(name: string, all: Required<SgdOptions>): Optimizer {
  const { momentum, dampening, nesterov, lrInMomentum } = all;
  if (nesterov && (momentum <= 0 || dampening !== 0)) {
    throw new OptionError(
      `${name}: nesterov needs momentum above 0 and dampening 0, they are ${momentum} and ${dampening}. Set momentum to 0.9, say.`,
    );
  }
  const remembers = momentum !== 0;
  const told: Told = {
    ...{ kernel: "sgd", name, directed: remembers, constants: { MOMENTUM: momentum } },
    variant: { WITH_MOMENTUM: remembers, RATE_IN_MOMENTUM: lrInMomentum, NESTEROV: nesterov },
    ...(remembers ? { moments: ["moment1"], momentum: "MOMENTUM" } : { moments: [] }),
  };
  return optimizerOf(told, all, all, [undefined, (_, t) => (t === 1 || !remembers ? 1 : 1 - dampening)]);
}

export interface LarsOptions extends SgdOptions {
  /** Part of a weight's norm that a step of rate 1 may be. Default 0.001. */
  readonly trustCoefficient?: number;
  /** Default 1e-8. */
  readonly eps?: number;
}

/**
 * SGD with momentum whose gradients are scaled tensor by tensor, R = trustCoefficient |p| / (|g| + weightDecay |p| + eps), and 1
 * where a norm is 0 (LARS, You et al. 2017). Momentum 0.9. Norms need passes of their own before the update.
 * Throws OptionError as sgd.
 */
export function lars(options: LarsOptions = {}): Optimizer {
  const table = { ...sgdTable, lr: [0.1], momentum: [0.9], trustCoefficient: [1e-3], eps: normal(1e-8) } as const;
  const all = ruleOptions("lars", options, table);
  const made = sgdFamily("lars", all);
  const trust = { kind: "lars", coefficient: all.trustCoefficient, eps: all.eps } as const;
  return { ...made, rule: { ...made.rule, trust } };
}

const adamTable = {
  ...{ lr: [1e-3], betas: decays(0.9, 0.999), eps: normal(1e-8) },
  ...{ weightDecay: [0], amsgrad: [false], epsInside: [false], epsFirst: [false] },
} as const;

/**
 * Adam (Kingma and Ba 2015), as torch.optim.Adam: decay is part of the gradient.
 * Throws OptionError for what is no option, negative numbers, and betas outside [0, 1).
 */
export const adam = (options: AdamOptions = {}): Optimizer =>
  adamFamily("adam", ruleOptions("adam", options, adamTable), false);

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019), as torch.optim.AdamW. Throws OptionError as adam.
 */
export const adamw = (options: AdamOptions = {}): Optimizer =>
  adamFamily("adamw", ruleOptions("adamw", options, { ...adamTable, weightDecay: [0.01] }), true);

/**
 * AdamW whose steps are scaled tensor by tensor to the length of the weight, R = |p| / |step|, and 1 where a norm is 0 (LAMB,
 * You et al. 2020): eps 1e-6, decay 0.01 on all tensors. Norms need passes of their own before the update.
 * Throws OptionError as adam.
 */
export function lamb(options: Omit<AdamOptions, "amsgrad"> = {}): Optimizer {
  const { amsgrad, ...table } = adamTable;
  const all = ruleOptions("lamb", options, { ...table, eps: normal(1e-6), weightDecay: [0.01] });
  const made = adamFamily("lamb", all, true);
  const trust = { kind: "lamb", coefficient: 1, eps: 0 } as const;
  const variant = { ...made.rule.variant, TRUSTED: true };
  return { ...made, rule: { ...made.rule, variant, trust, directed: false }, sparesVectors: false };
}

type AdamSettings = Omit<Required<AdamOptions>, "amsgrad"> & Pick<AdamOptions, "amsgrad">;

function adamFamily(name: string, all: AdamSettings, decoupled: boolean): Optimizer {
  const { betas, eps, amsgrad = false, epsInside, epsFirst } = all;
  const told: Told = {
    ...{ kernel: "adam", name, directed: true, momentum: "BETA1", rateFields: "xz" },
    variant: { AMSGRAD: amsgrad, EPS_INSIDE: epsInside, EPS_FIRST: epsFirst, TRUSTED: false },
    constants: betaConstants(betas, eps),
    moments: ["moment1", "moment2", ...(amsgrad ? (["moment3"] as const) : [])],
  };
  const made = optimizerOf(told, all, { ...all, decoupled }, [undefined, meanScale(betas), squareScale(betas)]);
  return { ...made, sparesVectors: decoupled };
}

/** 1 - beta^t from the integer t in f64: the same bits after a resume, and exact at t = 1. */
export const oneMinusPower = (beta: number, t: number): number => -Math.expm1(t * Math.log(beta));

/** The rate over what the mean of the gradients lacks at the start. */
export const meanScale =
  ([beta1]: Betas): RowNumber =>
  (rate, t, momentum = beta1) =>
    rate / oneMinusPower(momentum, t);

/** One over the root of what the mean of the squares lacks at the start. */
export const squareScale =
  ([, beta2]: Betas): RowNumber =>
  (_, t) =>
    1 / Math.sqrt(oneMinusPower(beta2, t));

type Betas = readonly [number, number];

/** The decays of two running means; 1 - beta comes from f64, since 1 - 0.999 in f32 is off by 1e-5. */
export const betaConstants = ([beta1, beta2]: Betas, eps: number): Readonly<Record<string, number>> => ({
  BETA1: beta1,
  BETA2: beta2,
  ONE_MINUS_BETA1: 1 - beta1,
  ONE_MINUS_BETA2: 1 - beta2,
  EPSILON: eps,
});
