// The options of an update rule: numbers, switches and a pair of decays. What comes out is complete, so it is also what tells
// one rule from another.

import { OptionError } from "../errors.ts";
import { checkRange, shown } from "../option.ts";
import { type Defaults, type Resolved, resolved } from "./resolved.ts";

/** What an update rule is made of, as plain JSON. Rate and weight decay are not part of it: they belong to each tensor. */
export interface RuleSpec {
  /** Of the factory, such as "adamw". */
  readonly name: string;
  /** All others of its options, defaults included. */
  readonly options: Readonly<Record<string, unknown>>;
}

export type Betas = readonly [number, number];

/** The options of an update rule, all of whose numbers are finite in f32 and at least 0. */
export function ruleOptions<Options extends object, Table extends Defaults<Options>>(
  name: string,
  options: Options,
  table: Table,
): Resolved<Options, Table> {
  const lr = typeof options === "number" ? options : 0.01;
  const all = resolved(name, options, table, `${name}({ lr: ${lr} })`);
  for (const [key, value] of Object.entries(all)) {
    if (key === "betas") checkBetas(name, value);
    // A gradient of 0 must not be divided by 0.
    else if (key === "eps") checkRange(name, "a normal number of f32 above 0", { eps: value as number });
    else if (typeof table[key as keyof Table] !== "boolean")
      checkRange(name, "a finite number of at least 0", { [key]: value as number });
  }
  return all;
}

export function ruleSpec(name: string, all: object): RuleSpec {
  const { lr, weightDecay, ...options } = all as Record<string, unknown>;
  return { name, options };
}

function checkBetas(name: string, betas: unknown): void {
  if (!Array.isArray(betas) || betas.length !== 2) {
    throw new OptionError(`${name}: betas is ${shown(betas)}, it must be two numbers. Write betas: [0.9, 0.999].`);
  }
  for (const [i, beta] of betas.entries()) {
    if (Number.isFinite(beta) && beta >= 0 && beta < 1) continue;
    throw new OptionError(`${name}: betas[${i}] is ${shown(beta)}, it must be in [0, 1).`);
  }
}
