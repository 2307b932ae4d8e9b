// Rectified Adam: plain steps until the mean of the squares can be trusted.

import mean from "../../../shaders/parts/mean.wgsl?raw";
import text from "../../../shaders/rule/radam.wgsl?raw";
import { adamLike, type BetaOptions, betaConstants, meanScale, oneMinusPower } from "../betas.ts";
import { type Optimizer, optimizerOf } from "../optimizer.ts";
import { ruleOptions } from "../rule-options.ts";

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
  const rule = {
    kernel: "radam",
    texts: [mean, text],
    moments: ["moment1", "moment2"],
    rooted: ["moment2"],
    momentum: "BETA1",
  } as const;
  return optimizerOf({ ...rule, constants: betaConstants(betas, eps) }, all, all, [
    meanScale(betas),
    (_, t) => rectification(t),
  ]);
}
