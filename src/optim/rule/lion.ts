// Lion: the sign of a running mean.

import text from "../../../shaders/rule/lion.wgsl?raw";
import { type BetaOptions, betaConstants } from "../betas.ts";
import { type Optimizer, optimizerOf } from "../optimizer.ts";
import { decays, ruleOptions } from "../rule-options.ts";

/** Lion (Chen et al. 2023): lr 1e-4, betas 0.9 and 0.99, decay off the weight. */
export function lion(options: Omit<BetaOptions, "eps" | "decoupled"> = {}): Optimizer {
  const all = ruleOptions("lion", options, { lr: [1e-4], weightDecay: [0], betas: decays(0.9, 0.99) });
  const { EPSILON, ...constants } = betaConstants(all.betas, 0);
  return optimizerOf({ kernel: "lion", texts: [text], constants, moments: ["moment1"], momentum: "BETA1" }, all, all);
}
