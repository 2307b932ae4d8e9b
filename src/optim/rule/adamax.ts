// Adamax: Adam by the infinity norm.

import text from "../../../shaders/rule/adamax.wgsl?raw";
import { adamLike, type BetaOptions, betaConstants, meanScale } from "../betas.ts";
import { type Optimizer, optimizerOf } from "../optimizer.ts";
import { ruleOptions } from "../rule-options.ts";

/** Adamax, Adam by the infinity norm (Kingma and Ba 2015), as torch.optim.Adamax: lr 2e-3. */
export function adamax(options: BetaOptions = {}): Optimizer {
  const all = ruleOptions("adamax", options, { lr: [2e-3], ...adamLike });
  const { ONE_MINUS_BETA2, ...constants } = betaConstants(all.betas, all.eps);
  const rule = {
    kernel: "adamax",
    texts: [text],
    moments: ["moment1", "moment2"],
    rooted: ["moment2"],
    momentum: "BETA1",
  } as const;
  return optimizerOf({ ...rule, constants }, all, all, [meanScale(all.betas)]);
}
