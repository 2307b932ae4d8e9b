// The other update rules of torch.optim, and Lion: each a variant of a shader, its constants, and its row.

import { OptionError } from "../errors.ts";
import type { UpdateRule } from "../kernels/update.ts";
import { checkRange } from "../option.ts";
import { betaConstants, checkBetas, type Optimizer, oneMinusPower } from "./optimizer.ts";

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

type RowNumber = (rate: number, t: number, momentum?: number) => number;

/** A rule whose row is a multiple of the rate, decay, one number of its own, and whether it is active. */
function simple(
  { variant = {}, ...rule }: Omit<UpdateRule, "name" | "variant"> & Partial<Pick<UpdateRule, "variant">>,
  { lr, weightDecay, decoupled = false }: { lr: number; weightDecay: number; decoupled?: boolean | undefined },
  rateAt: RowNumber = (rate) => rate,
  third: RowNumber = () => 0,
  fourth: RowNumber = () => 1,
): Optimizer {
  return {
    rule: { ...rule, variant: { ...variant, DECOUPLED: decoupled }, name: rule.kernel },
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
  const { lr = 1e-2, weightDecay = 0, eps = 1e-10, lrDecay = 0, initialAccumulator = 0 } = options;
  checkRange("adagrad", "a finite number of at least 0", { lr, weightDecay, eps, lrDecay, initialAccumulator });
  return simple(
    {
      kernel: "adagrad",
      variant: { EPS_INSIDE: options.epsInside === true },
      constants: { EPSILON: eps },
      moments: ["moment1"],
      initial: initialAccumulator,
    },
    { ...options, lr, weightDecay },
    (rate, t) => rate / (1 + (t - 1) * lrDecay),
  );
}

export interface AdadeltaOptions extends RuleOptions {
  /** Decay of both running means. Default 0.9. */
  readonly rho?: number;
}

/** Adadelta (Zeiler 2012), as torch.optim.Adadelta: lr 1, eps 1e-6. */
export function adadelta(options: AdadeltaOptions = {}): Optimizer {
  const { lr = 1, weightDecay = 0, eps = 1e-6, rho = 0.9 } = options;
  checkRange("adadelta", "a finite number of at least 0", { lr, weightDecay, eps, rho });
  checkBelowOne("adadelta", "rho", rho);
  return simple(
    {
      kernel: "adadelta",
      constants: { RHO: rho, ONE_MINUS_RHO: 1 - rho, EPSILON: eps },
      moments: ["moment1", "moment2"],
    },
    { ...options, lr, weightDecay },
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
  const { lr = 1e-2, weightDecay = 0, eps = 1e-8, alpha = 0.99, momentum = 0, centered = false } = options;
  checkRange("rmsprop", "a finite number of at least 0", { lr, weightDecay, eps, alpha, momentum });
  checkBelowOne("rmsprop", "alpha", alpha);
  return simple(
    {
      kernel: "rmsprop",
      variant: { WITH_MOMENTUM: momentum !== 0, CENTERED: centered, EPS_INSIDE: options.epsInside === true },
      constants: { ALPHA: alpha, ONE_MINUS_ALPHA: 1 - alpha, EPSILON: eps, MOMENTUM: momentum },
      moments: [
        "moment1",
        ...(momentum !== 0 ? (["moment2"] as const) : []),
        ...(centered ? (["moment3"] as const) : []),
      ],
      ...(momentum !== 0 ? { momentum: "MOMENTUM" as const } : {}),
    },
    { ...options, lr, weightDecay },
  );
}

/** Adamax, Adam by the infinity norm (Kingma and Ba 2015), as torch.optim.Adamax: lr 2e-3. */
export function adamax(options: BetaOptions = {}): Optimizer {
  const { lr = 2e-3, weightDecay = 0, eps = 1e-8, betas = [0.9, 0.999] } = options;
  checkRange("adamax", "a finite number of at least 0", { lr, weightDecay, eps });
  checkBetas("adamax", betas);
  const { BETA1, BETA2, ONE_MINUS_BETA1 } = betaConstants(...betas) as Record<string, number>;
  const constants = { BETA1, BETA2, ONE_MINUS_BETA1, EPSILON: eps } as Record<string, number>;
  return simple(
    { kernel: "adamax", constants, moments: ["moment1", "moment2"], momentum: "BETA1" },
    { ...options, lr, weightDecay },
    (rate, t, momentum = betas[0]) => rate / oneMinusPower(momentum, t),
  );
}

/** Rectified Adam (Liu et al. 2020), as torch.optim.RAdam: lr 1e-3. */
export function radam(options: BetaOptions = {}): Optimizer {
  const { lr = 1e-3, weightDecay = 0, eps = 1e-8, betas = [0.9, 0.999] } = options;
  checkRange("radam", "a finite number of at least 0", { lr, weightDecay, eps });
  checkBetas("radam", betas);
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
    { ...options, lr, weightDecay },
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
  const { lr = 2e-3, weightDecay = 0, eps = 1e-8, betas = [0.9, 0.999], momentumDecay = 4e-3 } = options;
  checkRange("nadam", "a finite number of at least 0", { lr, weightDecay, eps, momentumDecay });
  checkBetas("nadam", betas);
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
    { ...options, lr, weightDecay },
    (rate, t) => (rate * (1 - momentum(t))) / (1 - product(t)),
    (rate, t) => (rate * momentum(t + 1)) / (1 - product(t + 1)),
    (_, t) => 1 / Math.sqrt(oneMinusPower(beta2, t)),
  );
}

/** Lion (Chen et al. 2023): lr 1e-4, betas 0.9 and 0.99, decay off the weight. */
export function lion(options: Omit<BetaOptions, "eps" | "decoupled"> = {}): Optimizer {
  const { lr = 1e-4, weightDecay = 0, betas = [0.9, 0.99] } = options;
  checkRange("lion", "a finite number of at least 0", { lr, weightDecay });
  checkBetas("lion", betas);
  return simple(
    { kernel: "lion", constants: betaConstants(...betas), moments: ["moment1"], momentum: "BETA1" },
    { lr, weightDecay, decoupled: true },
  );
}

function checkBelowOne(place: string, name: string, value: number): void {
  if (value >= 1) throw new OptionError(`${place}: ${name} is ${value}, it must be in [0, 1).`);
}
