// The other update rules of torch.optim, and Lion: each a variant of a shader, its constants, and its row.

import { betaConstants, meanScale, type Optimizer, oneMinusPower, optimizerOf, squareScale } from "./optimizer.ts";
import { decays, normal, ruleOptions } from "./rule-options.ts";

/** What all rules take. */
export interface RuleOptions {
  readonly lr?: number;
  /** Added to the gradient; lion takes it off the weight. Default 0. */
  readonly weightDecay?: number;
  readonly eps?: number;
  /** Decay is taken off the weight, lr weightDecay p, instead of added to the gradient. Default false. */
  readonly decoupled?: boolean;
}

export interface BetaOptions extends RuleOptions {
  /** Decays of the running means. */
  readonly betas?: readonly [number, number];
}

const noDecay = { weightDecay: [0], decoupled: [false] } as const;
const adamLike = { betas: decays(0.9, 0.999), eps: normal(1e-8), ...noDecay } as const;
const part = "at least 0 and below 1";

export interface AdagradOptions extends RuleOptions {
  /** The rate falls as lr / (1 + (t - 1) lrDecay). Default 0. */
  readonly lrDecay?: number;
  /** What the sum of squares starts from. Default 0; TensorFlow's is 0.1. */
  readonly initialAccumulator?: number;
  /** eps stands under the root. Default false. */
  readonly epsInside?: boolean;
}

/** Adagrad (Duchi et al. 2011), as torch.optim.Adagrad: lr 0.01, eps 1e-10. */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const table = {
    lr: [1e-2],
    eps: normal(1e-10),
    lrDecay: [0],
    initialAccumulator: [0],
    epsInside: [false],
    ...noDecay,
  } as const;
  const all = ruleOptions("adagrad", options, table);
  const { eps, lrDecay, initialAccumulator, epsInside } = all;
  const rule = { kernel: "adagrad", moments: ["moment1"], initial: initialAccumulator } as const;
  return optimizerOf({ ...rule, variant: { EPS_INSIDE: epsInside }, constants: { EPSILON: eps } }, all, all, [
    (rate, t) => rate / (1 + (t - 1) * lrDecay),
  ]);
}

export interface AdadeltaOptions extends RuleOptions {
  /** Decay of both running means. Default 0.9. */
  readonly rho?: number;
}

/** Adadelta (Zeiler 2012), as torch.optim.Adadelta: lr 1, eps 1e-6. */
export function adadelta(options: AdadeltaOptions = {}): Optimizer {
  const all = ruleOptions("adadelta", options, { lr: [1], eps: normal(1e-6), rho: [0.9, part], ...noDecay });
  const { eps, rho } = all;
  const constants = { RHO: rho, ONE_MINUS_RHO: 1 - rho, EPSILON: eps };
  return optimizerOf({ kernel: "adadelta", constants, moments: ["moment1", "moment2"] }, all, all);
}

export interface RmspropOptions extends RuleOptions {
  /** Decay of the running means. Default 0.99. */
  readonly alpha?: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Subtract the square of the mean gradient (Graves 2013). Default false. */
  readonly centered?: boolean;
  /** eps stands under the root, as in TensorFlow. Default false. */
  readonly epsInside?: boolean;
}

/** RMSprop (Tieleman and Hinton 2012), as torch.optim.RMSprop: lr 0.01, eps 1e-8 outside the root. */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const all = ruleOptions("rmsprop", options, {
    ...{ lr: [1e-2], eps: normal(1e-8), alpha: [0.99, part], momentum: [0], centered: [false], epsInside: [false] },
    ...noDecay,
  } as const);
  const { eps, alpha, momentum, centered, epsInside } = all;
  const rolls = momentum !== 0;
  const second = rolls ? (["moment2"] as const) : [];
  const third = centered ? (["moment3"] as const) : [];
  return optimizerOf(
    {
      kernel: "rmsprop",
      variant: { WITH_MOMENTUM: rolls, CENTERED: centered, EPS_INSIDE: epsInside },
      constants: { ALPHA: alpha, ONE_MINUS_ALPHA: 1 - alpha, EPSILON: eps, MOMENTUM: momentum },
      moments: ["moment1", ...second, ...third],
      ...(rolls ? { momentum: "MOMENTUM" } : {}),
    },
    all,
    all,
  );
}

/** Adamax, Adam by the infinity norm (Kingma and Ba 2015), as torch.optim.Adamax: lr 2e-3. */
export function adamax(options: BetaOptions = {}): Optimizer {
  const all = ruleOptions("adamax", options, { lr: [2e-3], ...adamLike });
  const { ONE_MINUS_BETA2, ...constants } = betaConstants(all.betas, all.eps);
  const rule = { kernel: "adamax", moments: ["moment1", "moment2"], momentum: "BETA1" } as const;
  return optimizerOf({ ...rule, constants }, all, all, [meanScale(all.betas)]);
}

/** Rectified Adam (Liu et al. 2020), as torch.optim.RAdam: lr 1e-3. */
export function radam(options: BetaOptions = {}): Optimizer {
  const all = ruleOptions("radam", options, { lr: [1e-3], ...adamLike });
  const { betas, eps } = all;
  const [, beta2] = betas;
  const most = 2 / (1 - beta2) - 1;
  // Length of the average's memory at step t; up to 5 its variance is not tractable, and the step stays plain.
  const rectification = (t: number): number => {
    const rest = oneMinusPower(beta2, t);
    const length = most - (2 * t * (1 - rest)) / rest;
    if (length <= 5) return 0;
    const part = ((length - 4) * (length - 2) * most) / ((most - 4) * (most - 2) * length);
    return Math.sqrt(part * rest);
  };
  const rule = { kernel: "radam", moments: ["moment1", "moment2"], momentum: "BETA1" } as const;
  return optimizerOf({ ...rule, constants: betaConstants(betas, eps) }, all, all, [
    meanScale(betas),
    (_, t) => rectification(t),
  ]);
}

export interface NadamOptions extends BetaOptions {
  /** How fast the momentum warms up: beta1 (1 - 0.96^(t momentumDecay) / 2). Default 4e-3. */
  readonly momentumDecay?: number;
}

/** Adam with Nesterov's momentum (Dozat 2016), as torch.optim.NAdam: lr 2e-3. */
export function nadam(options: NadamOptions = {}): Optimizer {
  const all = ruleOptions("nadam", options, { lr: [2e-3], momentumDecay: [4e-3], ...adamLike });
  const { betas, eps, momentumDecay } = all;
  const [beta1] = betas;
  const momentum = (t: number): number => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
  // products[t] is the product of the momenta of steps 1 to t: a function of t alone, kept so that no step repeats it.
  const products = [1];
  const product = (t: number): number => {
    while (products.length <= t) products.push((products.at(-1) as number) * momentum(products.length));
    return products[t] as number;
  };
  const rule = { kernel: "nadam", moments: ["moment1", "moment2"], rateFields: "xz" } as const;
  return optimizerOf({ ...rule, constants: betaConstants(betas, eps) }, all, all, [
    (rate, t) => (rate * (1 - momentum(t))) / (1 - product(t)),
    (rate, t) => (rate * momentum(t + 1)) / (1 - product(t + 1)),
    squareScale(betas),
  ]);
}

/** Lion (Chen et al. 2023): lr 1e-4, betas 0.9 and 0.99, decay off the weight. */
export function lion(options: Omit<BetaOptions, "eps" | "decoupled"> = {}): Optimizer {
  const all = ruleOptions("lion", options, { lr: [1e-4], weightDecay: [0], betas: decays(0.9, 0.99) });
  const { EPSILON, ...constants } = betaConstants(all.betas, 0);
  return optimizerOf({ kernel: "lion", constants, moments: ["moment1"], momentum: "BETA1" }, all, all);
}
