// Adam, with decoupled decay, and with trust ratios: adam, adamw and lamb.

import mean from "../../../shaders/parts/mean.wgsl?raw";
import text from "../../../shaders/rule/adam.wgsl?raw";
import { trustBy } from "../../kernels/trust.ts";
import { betaConstants, meanScale, squareScale } from "../betas.ts";
import { type Optimizer, optimizerOf, type Told } from "../optimizer.ts";
import { decays, normal, ruleOptions } from "../rule-options.ts";

/** Options of `adam`, `adamw` and `lamb`. */
export interface AdamOptions {
  /** Divide by the largest second moment so far (Reddi et al. 2018). Default false. */
  readonly amsgrad?: boolean;
  /** Default 1e-3. */
  readonly lr?: number;
  /** Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** eps stands under the root, sqrt(v + eps), as in optax's eps_root. Default false. */
  readonly epsInside?: boolean;
  /** eps is added before the bias correction, as in TensorFlow ("epsilon hat"). Default false. */
  readonly epsFirst?: boolean;
  /** adam: added to the gradient, default 0. adamw: taken off the weight, default 0.01, rank <= 1 left out. */
  readonly weightDecay?: number;
}

const adamTable = {
  ...{ lr: [1e-3], betas: decays(0.9, 0.999), eps: normal(1e-8) },
  ...{ weightDecay: [0], amsgrad: [false], epsInside: [false], epsFirst: [false] },
} as const;

/**
 * Adam (Kingma and Ba 2015), as torch.optim.Adam: decay is part of the gradient.
 * Throws OptionError for what is no option, negative numbers, and betas outside [0, 1).
 */
export const adam = (options: AdamOptions = {}): Optimizer =>
  adamFamily("adam", ruleOptions("adam", options, adamTable), false);

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019), as torch.optim.AdamW. Throws OptionError as adam.
 */
export const adamw = (options: AdamOptions = {}): Optimizer =>
  adamFamily("adamw", ruleOptions("adamw", options, { ...adamTable, weightDecay: [0.01] }), true);

/**
 * AdamW whose steps are scaled tensor by tensor to the length of the weight, R = |p| / |step|, and 1 where a norm is 0 (LAMB,
 * You et al. 2020): eps 1e-6, decay 0.01 on all tensors. Norms need passes of their own before the update.
 * Throws OptionError as adam.
 */
export function lamb(options: Omit<AdamOptions, "amsgrad"> = {}): Optimizer {
  const { amsgrad, ...table } = adamTable;
  const all = ruleOptions("lamb", options, { ...table, eps: normal(1e-6), weightDecay: [0.01] });
  const made = adamFamily("lamb", all, true);
  const trust = trustBy("lamb", 1, 0);
  const variant = { ...made.rule.variant, TRUSTED: true };
  return { ...made, rule: { ...made.rule, variant, trust, directed: false }, sparesVectors: false };
}

type AdamSettings = Omit<Required<AdamOptions>, "amsgrad"> & Pick<AdamOptions, "amsgrad">;

function adamFamily(name: string, all: AdamSettings, decoupled: boolean): Optimizer {
  const { betas, eps, amsgrad = false, epsInside, epsFirst } = all;
  const told: Told = {
    ...{ kernel: "adam", texts: [mean, text], name, directed: true, momentum: "BETA1", rateFields: "xz" },
    variant: { AMSGRAD: amsgrad, EPS_INSIDE: epsInside, EPS_FIRST: epsFirst, TRUSTED: false },
    constants: betaConstants(betas, eps),
    moments: ["moment1", "moment2", ...(amsgrad ? (["moment3"] as const) : [])],
    rooted: ["moment2", "moment3"],
  };
  const made = optimizerOf(told, all, { ...all, decoupled }, [undefined, meanScale(betas), squareScale(betas)]);
  return { ...made, sparesVectors: decoupled };
}
