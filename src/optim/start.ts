// The rows of the layer table as `compile` leaves them: each tensor with the settings of its optimizer, and the rules on top.

import { didYouMean, NameError, OptionError } from "../errors.ts";
import { checkFunction, shown } from "../option.ts";
import type { Placed } from "../plan/layout.ts";
import { applyRule, checkSomeTrain, rowsOf } from "./edit.ts";
import { decayOf, type Optimizer } from "./optimizer.ts";
import { entriesOf, isPair, type Pair } from "./pairs.ts";
import { layersOf, type Row } from "./row.ts";
import { checkedRule, type LayerInfo, type RateSpec, type Rates } from "./rule.ts";
import { constant, type Schedule } from "./schedule.ts";

export interface StartOptions {
  readonly rates?: Rates | undefined;
  readonly schedule?: Schedule | undefined;
  /** Decay of the running average of the weights, where no rule gives one. Default 0. */
  readonly averaging?: number | undefined;
  /** Names of the weights that never train, so that a rule for them alone is refused. Default: none. */
  readonly base?: readonly string[] | undefined;
}

export function startingRows(
  tensors: readonly Placed[],
  depths: ReadonlyMap<string, number>,
  optimizer: Optimizer,
  { rates, schedule = constant(), averaging = 0, base = [] }: StartOptions,
): Row[] {
  const rows = tensors.map(
    ({ name, shape, layer, length }): Row => ({
      ...{ name, home: layer, layer, shape, length, optimizer, schedule, averaging },
      ...{ lr: optimizer.lr, multiplier: 1, weightDecay: decayOf(optimizer, shape) },
      ...{ frozen: false, from: undefined, until: undefined },
    }),
  );
  applyRule("compile", rows, checkedRule("compile", { averaging }));
  checkFunction("compile", "schedule", schedule);
  if (rates !== undefined) applyRates(rates, rows, depths, base);
  // Rules are told apart by what they are made of, not by the call that made them.
  const rules = new Map([[JSON.stringify(optimizer.spec), optimizer]]);
  for (const row of rows) {
    const key = JSON.stringify(row.optimizer.spec);
    row.optimizer = rules.get(key) ?? row.optimizer;
    rules.set(key, row.optimizer);
  }
  checkSomeTrain("rates", rows, 0);
  return rows;
}

export const numbersOf = (rows: readonly Row[]): number => rows.reduce((sum, row) => sum + row.length, 0);

const presets = [
  "layerDecay",
  "discriminative",
  "geometric",
  "inputFirst",
  "loraPlus",
  "muP",
  "gradualUnfreezing",
  "freezeOut",
];

/** The rules of `compile`, on rows that have their optimizer's settings. */
function applyRates(
  rates: Rates,
  rows: readonly Row[],
  depths: ReadonlyMap<string, number>,
  base: readonly string[],
): void {
  if (typeof rates !== "function" && (typeof rates !== "object" || rates === null)) {
    throw new OptionError(
      `rates: ${shown(rates)} is no rule.${didYouMean(String(rates), presets)} Give { pattern: rule }, a list of [pattern, rule], a function, a list of all of those, or a preset that is called: ${presets.join("(), ")}().`,
    );
  }
  if (Array.isArray(rates)) {
    for (const part of rates as readonly (Rates | Pair<RateSpec>)[]) {
      if (isPair(part)) applyPairs([part], rows, base);
      else applyRates(part, rows, depths, base);
    }
  } else if (typeof rates === "function") {
    const maxDepth = Math.max(...depths.values());
    const sizes = new Map(layersOf(rows).map((name) => [name, numbersOf(rows.filter(({ home }) => home === name))]));
    let matched = false;
    for (const row of rows) {
      const { home: name, name: tensor, shape, multiplier, weightDecay } = row;
      const info: LayerInfo = {
        ...{ name, depth: depths.get(name) ?? 1, maxDepth, parameterCount: sizes.get(name) ?? 0 },
        ...{ tensor, shape, multiplier, weightDecay },
      };
      const spec = rates(info);
      if (spec === undefined) continue;
      matched = true;
      const place = `rates for "${tensor}"`;
      applyRule(place, [row], checkedRule(place, spec));
    }
    if (!matched && rates.unmatched !== undefined) throw new NameError(rates.unmatched);
  } else {
    applyPairs(rates, rows, base);
  }
}

function applyPairs(rules: unknown, rows: readonly Row[], base: readonly string[]): void {
  for (const [pattern, spec] of entriesOf<RateSpec>("rates", rules)) {
    const place = `rates "${pattern}"`;
    applyRule(place, rowsOf("rates", pattern, rows, base), checkedRule(place, spec));
  }
}
