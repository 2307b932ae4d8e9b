// RMSprop: steps over the root of a mean of squares, plain, centred, and with momentum.

import root from "../../../shaders/parts/root.wgsl?raw";
import text from "../../../shaders/rule/rmsprop.wgsl?raw";
import { type Optimizer, optimizerOf } from "../optimizer.ts";
import { noDecay, normal, type RuleOptions, ruleOptions } from "../rule-options.ts";

/** Options of `rmsprop`. */
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
    ...{
      lr: [1e-2],
      eps: normal(1e-8),
      alpha: [0.99, "at least 0 and below 1"],
      momentum: [0],
      centered: [false],
      epsInside: [false],
    },
    ...noDecay,
  } as const);
  const { eps, alpha, momentum, centered, epsInside } = all;
  const rolls = momentum !== 0;
  const second = rolls ? (["moment2"] as const) : [];
  const third = centered ? (["moment3"] as const) : [];
  return optimizerOf(
    {
      kernel: "rmsprop",
      texts: [root, text],
      variant: { WITH_MOMENTUM: rolls, CENTERED: centered, EPS_INSIDE: epsInside },
      constants: { ALPHA: alpha, ONE_MINUS_ALPHA: 1 - alpha, EPSILON: eps, MOMENTUM: momentum },
      moments: ["moment1", ...second, ...third],
      rooted: ["moment1"],
      ...(rolls ? { momentum: "MOMENTUM" } : {}),
    },
    all,
    all,
  );
}
