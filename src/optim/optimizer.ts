// Update rules as values: the text of a formula, its variant and constants, and how a layer's rate, decay and step count become
// the four numbers of its row. Each file of rule/ holds one rule and its factories. Names, defaults and formulas are those of
// torch.optim.

import type { UpdateRule } from "../kernels/update.ts";
import { type RuleSpec, ruleSpec } from "./rule-options.ts";

/** An update rule with its settings, such as `adamw()` gives it. */
export interface Optimizer {
  /** @internal */
  readonly rule: UpdateRule;
  /** Two optimizers of equal spec are one rule, whatever their rates and decays: those stand in each tensor's row. */
  readonly spec: RuleSpec;
  /** Base learning rate of all layers that are not given their own. */
  readonly lr: number;
  /** The decay that layers begin with. */
  readonly weightDecay: number;
  /** Whether `weightDecay` leaves out tensors of rank 1 and below. Decay that a rate rule sets is never left out. */
  readonly sparesVectors: boolean;
  /**
   * Writes a row of the layer table: `lr` and `weightDecay` of now, `t` the number of this update of the layer, from 1,
   * `momentum` where a schedule moves it. The last number must not be 0: that would mean frozen.
   */
  writeRow(table: Float32Array, at: number, lr: number, weightDecay: number, t: number, momentum?: number): void;
}

/** The decay of a tensor that no rule gives one. */
export const decayOf = ({ sparesVectors, weightDecay }: Optimizer, shape: readonly number[]): number =>
  sparesVectors && shape.length <= 1 ? 0 : weightDecay;

export type RowNumber = (rate: number, t: number, momentum?: number) => number;

/** A rule as its factory tells it: what differs from the usual. */
export type Told = Omit<UpdateRule, "name" | "variant"> & Partial<Pick<UpdateRule, "name" | "variant">>;

/** The options of a factory; what is decoupled takes its decay off the weight. Lion has no other decay. */
interface Settings {
  readonly lr: number;
  readonly weightDecay: number;
  readonly decoupled?: boolean;
}

/** A rule whose row is the rate, the decay, and two numbers of its own; `spec` are the options that tell it from others. */
export function optimizerOf(
  { name, variant, ...rule }: Told,
  spec: object,
  { lr, weightDecay, decoupled = true }: Settings,
  [first = (rate) => rate, third = () => 0, fourth = () => 1]: readonly (RowNumber | undefined)[] = [],
): Optimizer {
  const known = name ?? rule.kernel;
  return {
    rule: { ...rule, name: known, variant: { DECOUPLED: decoupled, ...variant } },
    spec: ruleSpec(known, spec),
    lr,
    weightDecay,
    sparesVectors: false,
    writeRow(table, at, rate, decay, t, momentum) {
      table[at] = first(rate, t, momentum);
      table[at + 1] = decoupled ? rate * decay : decay;
      table[at + 2] = third(rate, t, momentum);
      table[at + 3] = fourth(rate, t, momentum);
    },
  };
}
