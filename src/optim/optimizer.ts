// Update rules as data: which variant of which shader, its constants, and how a layer's rate, decay and step count become
// the four numbers of its row. Names, defaults and formulas are those of torch.optim.

import { OptionError } from "../errors.ts";
import type { UpdateRule } from "../kernels/update.ts";

export interface Optimizer {
  readonly rule: UpdateRule;
  /** Base learning rate of all layers that are not given their own. */
  readonly lr: number;
  readonly weightDecay: number;
  /** Whether `weightDecay` leaves out tensors of rank 1 and below. Decay that a rate rule sets is never left out. */
  readonly sparesVectors: boolean;
  /**
   * Writes a row of the layer table: `lr` and `weightDecay` of now, `t` the number of this update of the layer, from 1.
   * The last number must not be 0: that would mean frozen.
   */
  writeRow(table: Float32Array, at: number, lr: number, weightDecay: number, t: number): void;
}

/** The decay of a tensor that no rule gives one. */
export const decayOf = ({ sparesVectors, weightDecay }: Optimizer, shape: readonly number[]): number =>
  sparesVectors && shape.length <= 1 ? 0 : weightDecay;

export interface SgdOptions {
  /** Default 1e-3. */
  readonly lr?: number;
  readonly momentum?: number;
  readonly dampening?: number;
  readonly nesterov?: boolean;
  /** Added to the gradient. Default 0. */
  readonly weightDecay?: number;
}

export interface AdamOptions {
  /** Divide by the largest second moment so far (Reddi et al. 2018). Default false. */
  readonly amsgrad?: boolean;
  /** Default 1e-3. */
  readonly lr?: number;
  /** Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** adam: added to the gradient, default 0. adamw: taken off the weight, default 0.01, rank <= 1 left out. */
  readonly weightDecay?: number;
}

/** Stochastic gradient descent with momentum, as torch.optim.SGD: the rate stays outside the momentum buffer. */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { lr = 1e-3, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 } = options;
  check("sgd", { lr, momentum, dampening, weightDecay });
  if (nesterov && (momentum <= 0 || dampening !== 0)) {
    throw new OptionError(
      `sgd: nesterov needs momentum above 0 and dampening 0, they are ${momentum} and ${dampening}. Set momentum to 0.9, say.`,
    );
  }
  return {
    rule: {
      kernel: "sgd",
      name: "sgd",
      variant: { WITH_MOMENTUM: momentum !== 0, NESTEROV: nesterov },
      constants: { MOMENTUM: momentum },
      moments: momentum !== 0 ? ["moment1"] : [],
    },
    lr,
    weightDecay,
    sparesVectors: false,
    writeRow(table, at, rate, decay, t) {
      table[at] = rate;
      table[at + 1] = decay;
      table[at + 2] = t === 1 ? 1 : 1 - dampening;
      table[at + 3] = 1;
    },
  };
}

/** Adam (Kingma and Ba 2015), as torch.optim.Adam: decay is part of the gradient. */
export const adam = (options: AdamOptions = {}): Optimizer => adamFamily("adam", options, 0, false);

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019), as torch.optim.AdamW. */
export const adamw = (options: AdamOptions = {}): Optimizer => adamFamily("adamw", options, 0.01, true);

function adamFamily(name: string, options: AdamOptions, defaultDecay: number, decoupled: boolean): Optimizer {
  const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = defaultDecay, amsgrad = false } = options;
  const [beta1, beta2] = betas;
  check(name, { lr, weightDecay, eps });
  checkBetas(name, [beta1, beta2]);
  return {
    rule: {
      kernel: "adam",
      name,
      variant: { DECOUPLED: decoupled, AMSGRAD: amsgrad },
      constants: { ...betaConstants(beta1, beta2), EPSILON: eps },
      moments: amsgrad ? ["moment1", "moment2", "moment3"] : ["moment1", "moment2"],
    },
    lr,
    weightDecay,
    sparesVectors: decoupled,
    writeRow(table, at, rate, decay, t) {
      table[at] = rate;
      table[at + 1] = decay;
      table[at + 2] = rate / oneMinusPower(beta1, t);
      table[at + 3] = 1 / Math.sqrt(oneMinusPower(beta2, t));
    },
  };
}

/** 1 - beta^t from the integer t in f64: the same bits after a resume, and exact at t = 1. */
export const oneMinusPower = (beta: number, t: number): number => -Math.expm1(t * Math.log(beta));

/** The decays of two running means; 1 - beta comes from f64, since 1 - 0.999 in f32 is off by 1e-5. */
export const betaConstants = (beta1: number, beta2: number): Record<string, number> => ({
  BETA1: beta1,
  BETA2: beta2,
  ONE_MINUS_BETA1: 1 - beta1,
  ONE_MINUS_BETA2: 1 - beta2,
});

export function checkBetas(name: string, betas: readonly number[]): void {
  for (const [i, beta] of betas.entries()) {
    if (!(beta >= 0 && beta < 1)) throw new OptionError(`${name}: betas[${i}] is ${beta}, it must be in [0, 1).`);
  }
}

/** Refuses what is no finite number of at least 0. */
export function check(place: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(Number.isFinite(value) && value >= 0)) {
      throw new OptionError(`${place}: ${name} is ${value}, it must be a finite number of at least 0.`);
    }
  }
}
