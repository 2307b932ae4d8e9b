// The other update rules of torch.optim, and Lion: each a variant of a shader, its constants, and its row.

import { OptionError } from "../errors.ts";
import type { UpdateRule } from "../kernels/update.ts";
import { betaConstants, type Optimizer, oneMinusPower } from "./optimizer.ts";
import { type Betas, ruleOptions, ruleSpec } from "./rule-options.ts";

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

const noDecay = { weightDecay: 0, decoupled: false };
const adamLike = { betas: [0.9, 0.999] as Betas, eps: 1e-8, ...noDecay };

type RowNumber = (rate: number, t: number, momentum?: number) => number;

/** A rule whose row is a multiple of the rate, decay, one number of its own, and whether it is active. */
function simple(
  { variant = {}, ...rule }: Omit<UpdateRule, "name" | "variant"> & Partial<Pick<UpdateRule, "variant">>,
  all: { readonly lr: number; readonly weightDecay: number; readonly decoupled?: boolean },
  rateAt: RowNumber = (rate) => rate,
  third: RowNumber = () => 0,
  fourth: RowNumber = () => 1,
): Optimizer {
  // Lion has no other decay.
  const { lr, weightDecay, decoupled = true } = all;
  return {
    rule: { ...rule, variant: { ...variant, DECOUPLED: decoupled }, name: rule.kernel },
    spec: ruleSpec(rule.kernel, all),
    lr,
    weightDecay,
    sparesVectors: false,
    writeRow(table, at, rate, decay, t, momentum) {
      table[at] = rateAt(rate, t, momentum);
      table[at + 1] = decoupled ? rate * decay : decay;
      table[at + 2] = third(rate, t, momentum);
      table[at + 3] = fourth(rate, t, momentum);
    },
  };
}

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
  const defaults = { lr: 1e-2, eps: 1e-10, lrDecay: 0, initialAccumulator: 0, epsInside: false, ...noDecay };
  const all = ruleOptions("adagrad", options, defaults);
  const { eps, lrDecay, initialAccumulator, epsInside } = all;
  return simple(
    {
      kernel: "adagrad",
      variant: { EPS_INSIDE: epsInside },
      constants: { EPSILON: eps },
      moments: ["moment1"],
      initial: initialAccumulator,
    },
    all,
    (rate, t) => rate / (1 + (t - 1) * lrDecay),
  );
}

export interface AdadeltaOptions extends RuleOptions {
  /** Decay of both running means. Default 0.9. */
  readonly rho?: number;
}

/** Adadelta (Zeiler 2012), as torch.optim.Adadelta: lr 1, eps 1e-6. */
export function adadelta(options: AdadeltaOptions = {}): Optimizer {
  const all = ruleOptions("adadelta", options, { lr: 1, eps: 1e-6, rho: 0.9, ...noDecay });
  const { eps, rho } = all;
  checkBelowOne("adadelta", "rho", rho);
  return simple(
    {
      kernel: "adadelta",
      constants: { RHO: rho, ONE_MINUS_RHO: 1 - rho, EPSILON: eps },
      moments: ["moment1", "moment2"],
    },
    all,
  );
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
  const defaults = { lr: 1e-2, eps: 1e-8, alpha: 0.99, momentum: 0, centered: false, epsInside: false, ...noDecay };
  const all = ruleOptions("rmsprop", options, defaults);
  const { eps, alpha, momentum, centered, epsInside } = all;
  checkBelowOne("rmsprop", "alpha", alpha);
  return simple(
    {
      kernel: "rmsprop",
      variant: { WITH_MOMENTUM: momentum !== 0, CENTERED: centered, EPS_INSIDE: epsInside },
      constants: { ALPHA: alpha, ONE_MINUS_ALPHA: 1 - alpha, EPSILON: eps, MOMENTUM: momentum },
      moments: [
        "moment1",
        ...(momentum !== 0 ? (["moment2"] as const) : []),
        ...(centered ? (["moment3"] as const) : []),
      ],
      ...(momentum !== 0 ? { momentum: "MOMENTUM" as const } : {}),
    },
    all,
  );
}

/** Adamax, Adam by the infinity norm (Kingma and Ba 2015), as torch.optim.Adamax: lr 2e-3. */
export function adamax(options: BetaOptions = {}): Optimizer {
  const all = ruleOptions("adamax", options, { lr: 2e-3, ...adamLike });
  const { betas, eps } = all;
  const { BETA1, BETA2, ONE_MINUS_BETA1 } = betaConstants(...betas) as Record<string, number>;
  const constants = { BETA1, BETA2, ONE_MINUS_BETA1, EPSILON: eps } as Record<string, number>;
  return simple(
    { kernel: "adamax", constants, moments: ["moment1", "moment2"], momentum: "BETA1" },
    all,
    (rate, t, momentum = betas[0]) => rate / oneMinusPower(momentum, t),
  );
}

/** Rectified Adam (Liu et al. 2020), as torch.optim.RAdam: lr 1e-3. */
export function radam(options: BetaOptions = {}): Optimizer {
  const all = ruleOptions("radam", options, { lr: 1e-3, ...adamLike });
  const { betas, eps } = all;
  const [beta1, beta2] = betas;
  const most = 2 / (1 - beta2) - 1;
  // Length of the average's memory at step t; up to 5 its variance is not tractable, and the step stays plain.
  const rectification = (t: number): number => {
    const rest = oneMinusPower(beta2, t);
    const length = most - (2 * t * (1 - rest)) / rest;
    if (length <= 5) return 0;
    const part = ((length - 4) * (length - 2) * most) / ((most - 4) * (most - 2) * length);
    return Math.sqrt(part * rest);
  };
  return simple(
    {
      kernel: "radam",
      constants: { ...betaConstants(beta1, beta2), EPSILON: eps },
      moments: ["moment1", "moment2"],
      momentum: "BETA1",
    },
    all,
    (rate, t, momentum = beta1) => rate / oneMinusPower(momentum, t),
    (_, t) => rectification(t),
  );
}

export interface NadamOptions extends BetaOptions {
  /** How fast the momentum warms up: beta1 (1 - 0.96^(t momentumDecay) / 2). Default 4e-3. */
  readonly momentumDecay?: number;
}

/** Adam with Nesterov's momentum (Dozat 2016), as torch.optim.NAdam: lr 2e-3. */
export function nadam(options: NadamOptions = {}): Optimizer {
  const all = ruleOptions("nadam", options, { lr: 2e-3, momentumDecay: 4e-3, ...adamLike });
  const { betas, eps, momentumDecay } = all;
  const [beta1, beta2] = betas;
  const momentum = (t: number): number => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
  // products[t] is the product of the momenta of steps 1 to t: a function of t alone, kept so that no step repeats it.
  const products = [1];
  const product = (t: number): number => {
    while (products.length <= t) products.push((products.at(-1) as number) * momentum(products.length));
    return products[t] as number;
  };
  return simple(
    {
      kernel: "nadam",
      constants: { ...betaConstants(beta1, beta2), EPSILON: eps },
      moments: ["moment1", "moment2"],
      rateFields: "xz",
    },
    all,
    (rate, t) => (rate * (1 - momentum(t))) / (1 - product(t)),
    (rate, t) => (rate * momentum(t + 1)) / (1 - product(t + 1)),
    (_, t) => 1 / Math.sqrt(oneMinusPower(beta2, t)),
  );
}

/** Lion (Chen et al. 2023): lr 1e-4, betas 0.9 and 0.99, decay off the weight. */
export function lion(options: Omit<BetaOptions, "eps" | "decoupled"> = {}): Optimizer {
  const all = ruleOptions("lion", options, { lr: 1e-4, weightDecay: 0, betas: [0.9, 0.99] as Betas });
  return simple(
    { kernel: "lion", constants: betaConstants(...all.betas), moments: ["moment1"], momentum: "BETA1" },
    all,
  );
}

function checkBelowOne(place: string, name: string, value: number): void {
  if (value >= 1) throw new OptionError(`${place}: ${name} is ${value}, it must be in [0, 1).`);
}
