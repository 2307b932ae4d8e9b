// The layer table on the host: what every tensor's learning rate is made of, and how rules, schedules, freezing and live
// changes act on it. All of it is data: a change costs 16 bytes on the way to the GPU, and nothing is compiled again.
//
//   lr(t) = base * multiplier * schedule(t), and 0 updates while frozen

import { checkRange, resolved } from "../option.ts";
import { placeOfPattern } from "../pattern.ts";
import type { Placed } from "../plan/layout.ts";
import { type Counts, type Rest, settled, zeroCounts } from "./counts.ts";
import { checkedChange, type Edit, rowsOf, scheduleOf, specOf } from "./edit.ts";
import { createLog } from "./log.ts";
import type { Optimizer } from "./optimizer.ts";
import {
  checkRate,
  checkRow,
  isFrozen,
  layersOf,
  phaseOf,
  picked,
  type Row,
  type RowState,
  type StepClock,
  settingKeys,
  turnsOf,
} from "./row.ts";
import { defined, type RateSpec } from "./rule.ts";
import { type Clock, constant, type Schedule } from "./schedule.ts";
import { type StartOptions, startingRows } from "./start.ts";
import { type LayerRow, layerRows, type TensorRow, tensorRows } from "./table.ts";

/** What a checkpoint keeps of the table. */
export interface TableState {
  readonly rows: Readonly<Record<string, RowState>>;
  readonly edits: readonly Edit[];
}

/** Options of `rates.scale`. */
export interface ScaleOptions {
  /** No rate falls below it. Default 0. */
  readonly floor?: number;
  /** A change of at most this is not made. Default 0. */
  readonly eps?: number;
}

export interface RateTableOptions extends StartOptions {
  /** Updates made so far. Default: those of the last `advance`. */
  readonly now?: (() => number) | undefined;
}

export type RateTable = ReturnType<typeof createRateTable>;

/** Builds the table for the tensors of a layout, in its order. */
export function createRateTable(
  tensors: readonly Placed[],
  depths: ReadonlyMap<string, number>,
  optimizer: Optimizer,
  options: RateTableOptions = {},
) {
  const { base = [] } = options;
  const rows = startingRows(tensors, depths, optimizer, options);
  const layers = layersOf(rows);
  const used = new Set(rows.map((row) => row.optimizer));
  const optimizers: readonly Optimizer[] = [...new Set([optimizer, ...used])].filter((one) => used.has(one));
  const schedules = rows.map((row) => row.schedule);
  let next = 0;
  const log = createLog(rows, base, options.now ?? (() => next));
  /** While the finder is at work: a factor in the place of the schedules of some rows. */
  let swept: { readonly rows: ReadonlySet<Row>; readonly factor: Schedule } | undefined;

  const scheduleNow = (row: Row): Schedule => (swept?.rows.has(row) === true ? swept.factor : row.schedule);

  function rateOf(row: Row, clock: Clock): number {
    const rate = row.lr * row.multiplier * scheduleNow(row)(clock);
    checkRate(row, rate, clock.step);
    return rate;
  }

  /** Rates of rows at the clock's step; undefined where a row does not train. */
  const ratesAt = (clock: StepClock, counts: Counts): (number | undefined)[] => {
    const { trained, rests } = settled(counts);
    return rows.map((row, i) =>
      phaseOf(row, clock, rests) === "active" ? rateOf(row, clockOf(clock, trained[i] as number)) : undefined,
    );
  };

  const tensorTable = (clock: StepClock, counts: Counts): TensorRow[] => {
    const rates = ratesAt(clock, counts);
    const { updates, rests } = settled(counts);
    return tensorRows(rows, (row, i) => ({
      state: phaseOf(row, clock, rests),
      lr: rates[i] ?? 0,
      updates: updates[i] as number,
    }));
  };

  return {
    rows: rows as readonly Readonly<Row>[],
    /** Names of the weights that have none. */
    base,
    /** The optimizers that rows use, the default one first. */
    optimizers,
    /** Which of `optimizers` a row uses. */
    ruleOf: (row: number): number => optimizers.indexOf((rows[row] as Row).optimizer),

    // Each change gives the names of the tensors that it hit.

    /** Changes the layers or tensors that a pattern names, from the next step on. */
    set(pattern: string, spec: RateSpec): readonly string[] {
      return log.make({ kind: "set", pattern, change: checkedChange(placeOfPattern("rates.set", pattern), spec) });
    },
    freeze: (pattern: string): readonly string[] => log.make({ kind: "freeze", pattern, change: {} }),
    /** Ends what keeps rows from training: freezing, `from` and `until`. They keep their moments and step counts. */
    unfreeze: (pattern: string): readonly string[] => log.make({ kind: "unfreeze", pattern, change: {} }),
    /**
     * Hands tensors to another layer: they take over its settings, those of its tensor of the same last name or else of
     * its first, and patterns find them below it. Step count and optimizer stay theirs.
     */
    assign: (pattern: string, layer: string): readonly string[] =>
      log.make({ kind: "assign", pattern, change: { layer } }),
    /** Scales base rates, as ReduceLROnPlateau does. */
    scale(pattern: string, factor: number, options: ScaleOptions = {}): readonly string[] {
      const { floor, eps } = resolved("rates.scale", options, { floor: [0], eps: [0] });
      checkRange(placeOfPattern("rates.scale", pattern), "a finite number of at least 0", { factor });
      // A factor of 1 only asks whether the pattern names something.
      if (factor === 1) return rowsOf("rates.scale", pattern, rows, base).map(({ name }) => name);
      return log.make({ kind: "scale", pattern, change: { factor, floor, eps } });
    },

    /** Every change since training began, in order. */
    edits: (): readonly Edit[] => log.edits(),
    /** How many changes there were, to see whether there was another one. */
    changes: log.changes,
    /** Makes the changes of a log when their steps come. All are checked first. */
    replay: log.replay,

    /** Makes the replayed changes that are due. To be called before `nextChange`, `frozenAt` and `plan` of a step. */
    advance({ step }: StepClock): void {
      next = step;
      log.settle(step);
      if (swept === undefined) log.advance(step);
    },

    /** Names of the tensors that are frozen at the clock's step. */
    frozenAt: (clock: StepClock): string[] => rows.filter((row) => isFrozen(row, clock)).map(({ name }) => name),

    /** The first step after the clock's at which the frozen set changes, or a replayed change is due; else Infinity. */
    nextChange(clock: StepClock): number {
      let next = swept === undefined ? log.due(clock.step) : Number.POSITIVE_INFINITY;
      for (const row of rows) {
        if (row.from === undefined && row.until === undefined) continue;
        for (const step of turnsOf(row, clock)) {
          if (step <= clock.step || step >= next) continue;
          if (isFrozen(row, { ...clock, step }) !== isFrozen(row, { ...clock, step: step - 1 })) next = step;
        }
      }
      return next;
    },

    /** Puts `factor` in the place of the schedules of the rows that a pattern names, or ends that. */
    sweep(pattern: string | undefined, factor: Schedule = constant()): void {
      swept = pattern === undefined ? undefined : { rows: new Set(rowsOf("findRate", pattern, rows, base)), factor };
    },

    /** A row for each layer that has tensors, as of the clock's step. */
    table: (clock: StepClock, counts: Counts): LayerRow[] => layerRows(layers, rows, tensorTable(clock, counts)),
    /** A row for each tensor. */
    tensorTable,

    /** Numbers of the rows that a pattern names. */
    find: (place: string, pattern: string): number[] => {
      const found = new Set(rowsOf(place, pattern, rows, base));
      return [...rows.keys()].filter((i) => found.has(rows[i] as Row));
    },

    ratesAt,

    /** The layers that made the tensors, each with the rows that are its own now. */
    members(): { readonly name: string; readonly rows: readonly number[] }[] {
      const found = new Map<string, number[]>(layers.map((name) => [name, []]));
      for (const [i, { layer }] of rows.entries()) found.get(layer)?.push(i);
      return [...found].map(([name, own]) => ({ name, rows: own }));
    },

    /** The counts before any step. */
    start: (): Counts => zeroCounts(rows.length),

    /**
     * Writes the rows of one step into `table`, 4 numbers each, and gives the counts after it; nothing else changes. The clock is that of
     * rows that have trained at each step, which most have.
     */
    plan(
      clock: Clock,
      counts: Counts,
      takesPart: (row: number) => boolean,
      table: Float32Array,
      momentum?: number,
    ): Counts {
      const { updates, trained, active, steps, rests } = counts;
      let own = clock;
      let schedule: Schedule | undefined;
      let factor = 0;
      let same = true;
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i] as Row;
        const last = steps * (active[i] as number);
        const had = (trained[i] as number) + last;
        const trains = phaseOf(row, clock, rests) === "active" && takesPart(i);
        if (trains !== (active[i] === 1) || (had > 0 && isFrozen(row, clock))) same = false;
        if (!trains) {
          table.fill(0, i * 4, i * 4 + 4);
          continue;
        }
        // Most rows share a schedule and have had as many: it is asked once for them.
        const isOther = own.updates !== had;
        if (isOther || schedule !== scheduleNow(row)) {
          if (isOther) own = clockOf(clock, had);
          schedule = scheduleNow(row);
          factor = schedule(own);
        }
        const rate = row.lr * row.multiplier * factor;
        checkRate(row, rate, clock.step);
        row.optimizer.writeRow(table, i * 4, rate, row.weightDecay, (updates[i] as number) + last + 1, momentum);
        checkRow(row, table, i * 4, clock.step);
      }
      if (same) return { updates, trained, active, steps: steps + 1, rests };
      const now = settled(counts);
      const kept = now.trained.map((count, i) => (isFrozen(rows[i] as Row, clock) ? 0 : count));
      const training = (row: Row, i: number): number => Number(phaseOf(row, clock, rests) === "active" && takesPart(i));
      return { ...now, trained: kept, active: Uint8Array.from(rows, training), steps: 1 };
    },

    state: (counts: Counts): TableState => ({
      rows: Object.fromEntries(rows.map((row, i) => [row.name, stateOf(row, i, schedules, rows, settled(counts))])),
      edits: log.edits(),
    }),

    /** Goes back to a state, and in a log under replay to the step at which it was taken; gives the counts of then. */
    restore(state: TableState, step: number): Counts {
      const counts = zeroCounts(rows.length);
      const rests = new Map<string, Rest>();
      for (const [i, row] of rows.entries()) {
        const {
          schedule: spec,
          scheduleOf: from,
          updates,
          trained,
          rest,
          ...settings
        } = state.rows[row.name] as RowState;
        const like = from === undefined ? i : rows.findIndex(({ name }) => name === from);
        const schedule =
          spec === undefined ? schedules[like] : (scheduleOf(`rates: "${row.name}"`, spec) ?? row.schedule);
        Object.assign(row, { from: undefined, until: undefined }, settings, { schedule });
        counts.updates[i] = updates;
        counts.trained[i] = trained;
        if (rest !== undefined) rests.set(row.layer, rest);
      }
      log.restore(state.edits, step);
      next = step;
      return { ...counts, rests };
    },
  };
}

const clockOf = ({ step, stepsPerEpoch }: StepClock, updates: number): Clock => ({ step, stepsPerEpoch, updates });

/** What a checkpoint keeps of row `i`; `compiled` are the schedules of all rows as `compile` left them. */
function stateOf(row: Row, i: number, compiled: readonly Schedule[], rows: readonly Row[], counts: Counts): RowState {
  const { layer, schedule } = row;
  const [updates, trained] = [counts.updates[i] as number, counts.trained[i] as number];
  const changed = schedule !== compiled[i];
  const giver = changed ? rows[compiled.indexOf(schedule)]?.name : undefined;
  return defined<RowState>({
    ...picked(row, settingKeys),
    ...{ layer, updates, trained },
    rest: counts.rests.get(layer),
    schedule: changed && giver === undefined ? specOf(schedule) : undefined,
    scheduleOf: giver,
  });
}
