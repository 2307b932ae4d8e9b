// The options of an update rule. What comes out is complete, so it is also what tells one rule from another.

import { OptionError } from "../errors.ts";
import { checkRange, type Resolved, resolved, shown, type Table } from "../option.ts";

/** What an update rule is made of, as plain JSON. Rate and weight decay are not part of it: they belong to each tensor. */
export interface RuleSpec {
  /** Of the factory, such as "adamw". */
  readonly name: string;
  /** All others of its options, defaults included. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What all rules take. */
export interface RuleOptions {
  /** The learning rate that all layers begin with. Default: as the rule of the same name in PyTorch has it. */
  readonly lr?: number;
  /** Added to the gradient; lion takes it off the weight. Default 0. */
  readonly weightDecay?: number;
  /** Added to what is divided by, so that it is never 0. Default: as in PyTorch. */
  readonly eps?: number;
  /** Decay is taken off the weight, lr weightDecay p, instead of added to the gradient. Default false. */
  readonly decoupled?: boolean;
}

export const noDecay = { weightDecay: [0], decoupled: [false] } as const;

export function ruleOptions<Options extends object, const Entries extends Table<Options>>(
  name: string,
  options: Options,
  table: Entries,
): Resolved<Options, Entries> {
  const lr = typeof options === "number" ? options : 0.01;
  return resolved(name, options, table, `${name}({ lr: ${lr} })`);
}

export function ruleSpec(name: string, all: object): RuleSpec {
  const { lr, weightDecay, ...options } = all as Record<string, unknown>;
  return { name, options };
}

/** The entry of an eps: a gradient of 0 must not be divided by 0. */
export const normal = /* @__NO_SIDE_EFFECTS__ */ (eps: number) => [eps, "a normal number of f32 above 0"] as const;

/** The entry of the decays of two running means. */
export const decays = /* @__NO_SIDE_EFFECTS__ */ (beta1: number, beta2: number) =>
  [[beta1, beta2], checkBetas] as const;

function checkBetas(place: string, name: string, betas: unknown): void {
  if (!Array.isArray(betas) || betas.length !== 2) {
    throw new OptionError(`${place}: ${name} is ${shown(betas)}, it must be two numbers. Write betas: [0.9, 0.999].`);
  }
  checkRange(place, "at least 0 and below 1", { "betas[0]": betas[0], "betas[1]": betas[1] });
}
