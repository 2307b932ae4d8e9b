// The layer table on the host: what every tensor's learning rate is made of, and how rules, schedules, freezing and live
// changes act on it. All of it is data: a change costs 16 bytes on the way to the GPU, and nothing is compiled again.
//
//   lr(t) = base * multiplier * schedule(t), and 0 updates while frozen

import { didYouMean, OptionError } from "../errors.ts";
import type { Placed } from "../plan/layout.ts";
import type { Optimizer } from "./optimizer.ts";
import { matching } from "./pattern.ts";
import { type Clock, constant, type Schedule } from "./schedule.ts";

/** A rule for some layers. A bare number is their base learning rate. */
export type RateSpec =
  | number
  | {
      /** Base learning rate; a multiplier set before is dropped. */
      readonly lr?: number;
      /** Factor on the base rate. */
      readonly multiplier?: number;
      readonly weightDecay?: number;
      readonly schedule?: Schedule;
    };

/** A layer as a predicate sees it. */
export interface LayerInfo {
  readonly name: string;
  /** Place on the longest path from the input, counted in layers with weights, from 1. */
  readonly depth: number;
  /** Depth of the deepest layer. */
  readonly maxDepth: number;
  /** Numbers in all its tensors. */
  readonly parameters: number;
}

export type RatePredicate = (layer: LayerInfo) => RateSpec | undefined;
/** Rules by pattern, a predicate, or several of them; later ones win. */
export type Rates = Readonly<Record<string, RateSpec>> | RatePredicate | readonly Rates[];

export interface LayerRow {
  readonly name: string;
  readonly parameters: number;
  readonly state: "active" | "frozen";
  /** Base learning rate, before multiplier and schedule. */
  readonly base: number;
  readonly multiplier: number;
  /** Of the next step. Before the first fit a schedule that counts epochs stands at its start. */
  readonly lr: number;
  readonly weightDecay: number;
  /** Updates that the layer has had. */
  readonly updates: number;
}

/** What a checkpoint keeps of a tensor's row. */
export interface RowState {
  lr: number;
  multiplier: number;
  weightDecay: number;
  frozen: boolean;
  updates: number;
}

interface Row extends RowState {
  readonly name: string;
  readonly layer: string;
  readonly length: number;
  schedule: Schedule;
}

const ruleKeys = ["lr", "multiplier", "weightDecay", "schedule"];

/** A rule with a misspelt key would do nothing, in silence. */
function checkedRule<T>(place: string, rule: T): T {
  if (typeof rule !== "object" || rule === null) {
    throw new OptionError(
      `${place}: the rule is ${JSON.stringify(rule)}, it must be a number or { ${ruleKeys.join(", ")} }.`,
    );
  }
  const odd = Object.keys(rule).find((key) => !ruleKeys.includes(key));
  if (odd === undefined) return rule;
  throw new OptionError(
    `${place}: a rule has no "${odd}".${didYouMean(odd, ruleKeys)} It may have ${ruleKeys.join(", ")}.`,
  );
}

export type RateTable = ReturnType<typeof createRateTable>;

/** Builds the table for the tensors of a layout, in its order. */
export function createRateTable(
  tensors: readonly Placed[],
  depths: ReadonlyMap<string, number>,
  optimizer: Optimizer,
  options: { readonly rates?: Rates | undefined; readonly schedule?: Schedule | undefined } = {},
) {
  const rows: Row[] = tensors.map(({ name, shape, layer, length }) => ({
    name,
    layer,
    length,
    lr: optimizer.lr,
    multiplier: 1,
    weightDecay: optimizer.sparesVectors && shape.length <= 1 ? 0 : optimizer.weightDecay,
    schedule: options.schedule ?? constant(),
    frozen: false,
    updates: 0,
  }));
  const layers = [...new Set(rows.map((row) => row.layer))];
  const names = rows.map((row) => row.name);
  const maxDepth = Math.max(...depths.values());
  const parametersOf = (layer: string): number =>
    rows.filter((row) => row.layer === layer).reduce((sum, row) => sum + row.length, 0);

  function rowsOf(place: string, pattern: string): Row[] {
    const found = new Set(matching(place, pattern, names, layers));
    return rows.filter((row) => found.has(row.name));
  }

  function assign(place: string, chosen: readonly Row[], spec: RateSpec): void {
    const { lr, multiplier, weightDecay, schedule } =
      typeof spec === "number" ? { lr: spec } : checkedRule(place, spec);
    for (const [name, value] of Object.entries({ lr, multiplier, weightDecay })) {
      if (value !== undefined && !(Number.isFinite(value) && value >= 0)) {
        throw new OptionError(`${place}: ${name} is ${value}, it must be a finite number of at least 0.`);
      }
    }
    for (const row of chosen) {
      if (lr !== undefined) Object.assign(row, { lr, multiplier: 1 });
      if (multiplier !== undefined) row.multiplier = multiplier;
      if (weightDecay !== undefined) row.weightDecay = weightDecay;
      if (schedule !== undefined) row.schedule = schedule;
    }
  }

  function apply(rates: Rates): void {
    if (Array.isArray(rates)) {
      for (const part of rates) apply(part as Rates);
    } else if (typeof rates === "function") {
      for (const name of layers) {
        const spec = rates({ name, depth: depths.get(name) ?? 1, maxDepth, parameters: parametersOf(name) });
        if (spec !== undefined)
          assign(
            `rates for "${name}"`,
            rows.filter((row) => row.layer === name),
            spec,
          );
      }
    } else {
      for (const [pattern, spec] of Object.entries(rates))
        assign(`rates "${pattern}"`, rowsOf("rates", pattern), spec as RateSpec);
    }
  }

  if (options.rates !== undefined) apply(options.rates);

  /** While the finder is at work: a factor in the place of the schedules of some rows. */
  let swept: { readonly rows: ReadonlySet<Row>; readonly factor: Schedule } | undefined;

  function rateOf(row: Row, clock: Clock): number {
    const schedule = swept?.rows.has(row) === true ? swept.factor : row.schedule;
    const rate = row.lr * row.multiplier * schedule({ ...clock, updates: row.updates });
    if (Number.isFinite(rate) && rate >= 0) return rate;
    throw new OptionError(
      `schedule: at step ${clock.step + 1} the rate of "${row.name}" is ${rate}, it must be a finite number of at least 0. Look at what its schedule returns.`,
    );
  }

  return {
    rows: rows as readonly Readonly<Row>[],

    /** Changes the layers or tensors that a pattern names, from the next step on. */
    set(pattern: string, spec: RateSpec): void {
      assign(`rates.set "${pattern}"`, rowsOf("rates.set", pattern), spec);
    },

    /** Freezes or thaws; a thawed tensor keeps its moments and its step count. */
    setFrozen(place: string, pattern: string, frozen: boolean): void {
      for (const row of rowsOf(place, pattern)) row.frozen = frozen;
    },

    /** Puts `factor` in the place of the schedules of the rows that a pattern names, or ends that. */
    sweep(pattern: string | undefined, factor: Schedule = constant()): void {
      swept = pattern === undefined ? undefined : { rows: new Set(rowsOf("findRate", pattern)), factor };
    },

    /** One line for each layer: the effective values of its first tensor at the clock's step. */
    table(clock: Clock): LayerRow[] {
      return layers.map((name) => {
        const own = rows.filter((row) => row.layer === name);
        const [first] = own as [Row];
        return {
          name,
          parameters: parametersOf(name),
          state: own.every((row) => row.frozen) ? "frozen" : "active",
          base: first.lr,
          multiplier: first.multiplier,
          lr: first.frozen ? 0 : rateOf(first, clock),
          weightDecay: first.weightDecay,
          updates: first.updates,
        };
      });
    },

    /** Writes the table of one step and counts it as an update of every row that takes part. */
    write(table: Float32Array, clock: Clock, takesPart: (row: number) => boolean): void {
      // All rates first: where a schedule throws, no row has counted a step that will not be.
      const rates = rows.map((row, i) => (row.frozen || !takesPart(i) ? undefined : rateOf(row, clock)));
      for (const [i, row] of rows.entries()) {
        const rate = rates[i];
        if (rate === undefined) {
          table.fill(0, i * 4, i * 4 + 4);
          continue;
        }
        row.updates++;
        optimizer.writeRow(table, i * 4, rate, row.weightDecay, row.updates);
      }
    },

    /** Counts of updates, to be given back to `restoreUpdates` when steps turn out not to have happened. */
    updates: (): number[] => rows.map((row) => row.updates),
    restoreUpdates(updates: readonly number[]): void {
      for (const [i, row] of rows.entries()) row.updates = updates[i] as number;
    },

    state: (): Record<string, RowState> =>
      Object.fromEntries(
        rows.map(({ name, lr, multiplier, weightDecay, frozen, updates }) => [
          name,
          { lr, multiplier, weightDecay, frozen, updates },
        ]),
      ),
    restore(state: Readonly<Record<string, RowState>>): void {
      for (const row of rows) Object.assign(row, state[row.name]);
    },
  };
}
