// Rules for layers as a user writes them: what a rule may say, what a predicate sees, and the checks of a rule.

import { OptionError } from "../errors.ts";
import { checkKeys, checkKind, isRecord, type Kind, shown } from "../option.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Named, Pair } from "./pairs.ts";
import type { Schedule } from "./schedule.ts";

/** A point in training: a step, counted from 0, or the beginning of an epoch. */
export type When = number | { readonly epochs: number };

/** What a rule can say about its layers; what it leaves out stays as it is. */
export interface RateRule {
  /** Base learning rate; a multiplier set before is dropped. */
  readonly lr?: number;
  /** Factor on the base rate. */
  readonly multiplier?: number;
  /** Added to the gradient or taken off the weight, as the optimizer has it. */
  readonly weightDecay?: number;
  /** Factor on the rate over time, in the place of the one that all have. */
  readonly schedule?: Schedule;
  /** Nothing is read or written: no gradient, no moment, no decay, no counter. */
  readonly frozen?: boolean;
  /** Frozen before this step. */
  readonly from?: When;
  /** Frozen from this step on. */
  readonly until?: When;
  /** Decay of the running average of the weights, from 0 to 1. */
  readonly averaging?: number;
  /** An update rule of its own, with its base rate and decay. Only for the rates of `compile`. */
  readonly optimizer?: Optimizer;
}

/** A rule for some layers. A bare number is their base learning rate. */
export type RateSpec = number | RateRule;

/** A tensor as a predicate sees it. */
export interface LayerInfo {
  /** Its layer. */
  readonly name: string;
  /** Place of the layer on the longest path from the input, counted in layers with weights, from 1. */
  readonly depth: number;
  /** Depth of the deepest layer. */
  readonly maxDepth: number;
  /** Numbers in all tensors of the layer. */
  readonly parameterCount: number;
  /** Full name of the tensor. */
  readonly tensor: string;
  /** That of the tensor. */
  readonly shape: readonly number[];
  /** As the rules before this one leave it, for rules that multiply. */
  readonly multiplier: number;
  /** The optimizer's, before any rule. */
  readonly weightDecay: number;
}

/** Called once for each tensor; the rule that it gives is for that tensor. */
export interface RatePredicate {
  /** Returns the rule, or undefined where the tensor stays as it is. */
  (tensor: LayerInfo): RateSpec | undefined;
  /** What the error says where it gives no rule at all. Without it that is no error. */
  readonly unmatched?: string;
}

/**
 * Rules by pattern, as an object, a Map or a list of pairs; a predicate; or a list of all of these. Later ones win. An object must
 * have no key that looks like a whole number, since JavaScript puts those first: write [["**", 0.1], ["2", 0.01]] there.
 */
export type Rates = Named<RateSpec> | RatePredicate | readonly (Rates | Pair<RateSpec>)[];

/** The parts that are there: what is left out must not overwrite. */
export const defined = <T extends object>(parts: { readonly [Key in keyof T]: T[Key] | undefined }): T =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as T;

const isEpochs = (value: unknown): boolean => {
  const { epochs, ...rest } = Object(value);
  return Number.isFinite(epochs) && epochs >= 0 && Object.keys(rest).length === 0;
};

/** Refuses what is no point in training. */
export function checkWhen(place: string, key: string, value: unknown): void {
  if (typeof value === "number" ? Number.isSafeInteger(value) && value >= 0 : isEpochs(value)) return;
  throw new OptionError(
    `${place}: ${key} is ${shown(value)}, it must be a whole number of steps of at least 0, or { epochs } of at least 0.`,
  );
}

/** Refuses what does not come from sgd(), adamw() or the like. */
function checkOptimizer(place: string, key: string, value: unknown): void {
  const { rule, spec, writeRow } = Object(value);
  if (isRecord(rule) && isRecord(spec) && typeof writeRow === "function") return;
  throw new OptionError(`${place}: ${key} is ${shown(value)}, it must be sgd(), adamw() or the like.`);
}

const kinds: Readonly<Record<keyof RateRule, Kind>> = {
  lr: "a finite number of at least 0",
  multiplier: "a finite number of at least 0",
  weightDecay: "a finite number of at least 0",
  schedule: "a function",
  frozen: "true or false",
  from: checkWhen,
  until: checkWhen,
  averaging: "from 0 to 1",
  optimizer: checkOptimizer,
};
const ruleKeys = Object.keys(kinds);

/** The rule that a spec stands for. Throws OptionError where it is none. */
export function checkedRule(place: string, spec: RateSpec): RateRule {
  const given = typeof spec === "number" ? { lr: spec } : spec;
  if (!isRecord(given)) {
    throw new OptionError(`${place}: the rule is ${shown(given)}, it must be a number or { ${ruleKeys.join(", ")} }.`);
  }
  checkKeys(place, "a rule", given, ruleKeys);
  const rule = defined<RateRule>(given);
  for (const [key, value] of Object.entries(rule)) checkKind(place, key, value, kinds[key as keyof RateRule]);
  return rule;
}
