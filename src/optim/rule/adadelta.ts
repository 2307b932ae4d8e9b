// Adadelta: steps in the unit of the weights.

import text from "../../../shaders/rule/adadelta.wgsl?raw";
import { type Optimizer, optimizerOf } from "../optimizer.ts";
import { noDecay, normal, type RuleOptions, ruleOptions } from "../rule-options.ts";

/** Options of `adadelta`. */
export interface AdadeltaOptions extends RuleOptions {
  /** Decay of both running means. Default 0.9. */
  readonly rho?: number;
}

/** Adadelta (Zeiler 2012), as torch.optim.Adadelta: lr 1, eps 1e-6. */
export function adadelta(options: AdadeltaOptions = {}): Optimizer {
  const all = ruleOptions("adadelta", options, {
    lr: [1],
    eps: normal(1e-6),
    rho: [0.9, "at least 0 and below 1"],
    ...noDecay,
  });
  const { eps, rho } = all;
  const constants = { RHO: rho, ONE_MINUS_RHO: 1 - rho, EPSILON: eps };
  return optimizerOf(
    { kernel: "adadelta", texts: [text], constants, moments: ["moment1", "moment2"], rooted: ["moment1", "moment2"] },
    all,
    all,
  );
}
