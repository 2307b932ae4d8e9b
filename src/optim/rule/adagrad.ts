// Adagrad: the step of each number shrinks by the root of its sum of squares.

import root from "../../../shaders/parts/root.wgsl?raw";
import text from "../../../shaders/rule/adagrad.wgsl?raw";
import { type Optimizer, optimizerOf } from "../optimizer.ts";
import { noDecay, normal, type RuleOptions, ruleOptions } from "../rule-options.ts";

/** Options of `adagrad`. */
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
  const table = {
    lr: [1e-2],
    eps: normal(1e-10),
    lrDecay: [0],
    initialAccumulator: [0],
    epsInside: [false],
    ...noDecay,
  } as const;
  const all = ruleOptions("adagrad", options, table);
  const { eps, lrDecay, initialAccumulator, epsInside } = all;
  const rule = {
    kernel: "adagrad",
    texts: [root, text],
    moments: ["moment1"],
    rooted: ["moment1"],
    initial: initialAccumulator,
  } as const;
  return optimizerOf({ ...rule, variant: { EPS_INSIDE: epsInside }, constants: { EPSILON: eps } }, all, all, [
    (rate, t) => rate / (1 + (t - 1) * lrDecay),
  ]);
}
