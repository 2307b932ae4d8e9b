// Stochastic gradient descent with momentum, and with trust ratios: sgd and lars.

import text from "../../../shaders/rule/sgd.wgsl?raw";
import { OptionError } from "../../errors.ts";
import { trustBy } from "../../kernels/trust.ts";
import { type Optimizer, optimizerOf, type Told } from "../optimizer.ts";
import { normal, ruleOptions } from "../rule-options.ts";

/** Options of `sgd`. */
export interface SgdOptions {
  /** Default 1e-3. */
  readonly lr?: number;
  /** Factor on what it keeps of earlier gradients, at least 0. Default 0. */
  readonly momentum?: number;
  /** The gradient enters that by the factor 1 - dampening. Default 0. */
  readonly dampening?: number;
  /** Nesterov's momentum: looks one step ahead. Default false. */
  readonly nesterov?: boolean;
  /** Added to the gradient. Default 0. */
  readonly weightDecay?: number;
  /** Decay is taken off the weight instead (SGDW, Loshchilov and Hutter 2019). Default false. */
  readonly decoupled?: boolean;
  /** The rate is part of what momentum keeps, as in Caffe: buffer = momentum buffer + lr g, p = p - buffer. Default false. */
  readonly lrInMomentum?: boolean;
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
    ...{ kernel: "sgd", texts: [text], name, directed: remembers, constants: { MOMENTUM: momentum } },
    variant: { WITH_MOMENTUM: remembers, RATE_IN_MOMENTUM: lrInMomentum, NESTEROV: nesterov },
    ...(remembers ? { moments: ["moment1"], momentum: "MOMENTUM" } : { moments: [] }),
  };
  return optimizerOf(told, all, all, [undefined, (_, t) => (t === 1 || !remembers ? 1 : 1 - dampening)]);
}

/** Options of `lars`. */
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
  const trust = trustBy("lars", all.trustCoefficient, all.eps);
  return { ...made, rule: { ...made.rule, trust } };
}
