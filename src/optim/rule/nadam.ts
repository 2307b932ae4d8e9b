// Adam with Nesterov's momentum.

import mean from "../../../shaders/parts/mean.wgsl?raw";
import text from "../../../shaders/rule/nadam.wgsl?raw";
import { adamLike, type BetaOptions, betaConstants, squareScale } from "../betas.ts";
import { type Optimizer, optimizerOf } from "../optimizer.ts";
import { ruleOptions } from "../rule-options.ts";

/** Options of `nadam`. */
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
  const rule = {
    kernel: "nadam",
    texts: [mean, text],
    moments: ["moment1", "moment2"],
    rooted: ["moment2"],
    rateFields: "xz",
  } as const;
  return optimizerOf({ ...rule, constants: betaConstants(betas, eps) }, all, all, [
    (rate, t) => (rate * (1 - momentum(t))) / (1 - product(t)),
    (rate, t) => (rate * momentum(t + 1)) / (1 - product(t + 1)),
    squareScale(betas),
  ]);
}
