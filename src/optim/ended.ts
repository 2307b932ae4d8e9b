// A schedule that has run out leaves a rate of next to nothing, and whoever fits again, or sets a base rate, learns nothing, in
// silence. Here the rates of the steps to come are looked at beforehand.

import { listed } from "../errors.ts";
import { isFrozen, type Row, type StepClock, stepOf } from "./row.ts";
import { describeSchedule } from "./schedule.ts";

export interface EndedRates {
  readonly layers: readonly string[];
  /** For the user: what is wrong, with both numbers, and what to do. */
  readonly message: string;
}

export interface Lookout {
  /** Who asks, as messages begin: `fit`, `rates.set "head"`. */
  readonly place: string;
  readonly clock: StepClock;
  /** Updates that each row has had since it last began to train. */
  readonly trained: ArrayLike<number>;
  /** The first step after the fit; left out where there is none, or none is known. */
  readonly until?: number | undefined;
  /** Only these tensors; default all. */
  readonly among?: readonly string[] | undefined;
}

/** A part of the base rate that teaches nothing. */
const NOTHING = 1e-4;
/** Steps that are looked at where no end is known. */
const AHEAD = 100;
/** Of a long span the first steps are looked at one by one, and then this many more. */
const CLOSE = 256;
const FAR = 200;

/**
 * The layers that train in these steps where not one of them has a rate above 1e-4 of its base (lr times multiplier); undefined
 * where one has. A rate of 0 on purpose is no cause, nor one that only rises, nor a schedule that cannot be asked.
 */
export function endedRates(rows: readonly Row[], lookout: Lookout): EndedRates | undefined {
  const { place, clock, trained, among } = lookout;
  const end = lookout.until ?? clock.step + AHEAD;
  const known = new Map<unknown, Map<string, number>>();
  const ended: { readonly row: Row; readonly peak: number }[] = [];
  for (const [i, row] of rows.entries()) {
    if (row.lr * row.multiplier === 0 || (among !== undefined && !among.includes(row.name))) continue;
    try {
      const span = spanOf(row, trained[i] ?? 0, clock, end);
      if (span === undefined) continue;
      // Most rows share a schedule and have trained as long.
      const peaks = known.get(row.schedule) ?? new Map<string, number>();
      known.set(row.schedule, peaks);
      const peak = peaks.get(`${span}`) ?? peakOf(row, span, clock);
      peaks.set(`${span}`, peak);
      if (peak > NOTHING) return undefined;
      ended.push({ row, peak });
    } catch {
      // It asks for the length of an epoch, or is broken; a step will tell.
      return undefined;
    }
  }
  const [first] = ended;
  if (first === undefined) return undefined;
  const layers = [...new Set(ended.map(({ row }) => row.layer))];
  return { layers, message: `${place}: ${tell(first.row, first.peak, layers, lookout)}` };
}

type Span = readonly [from: number, end: number, updates: number];

/** The steps to come in which a row trains, and the updates it will have had at the first. */
function spanOf(row: Row, trained: number, clock: StepClock, end: number): Span | undefined {
  const from = row.from === undefined ? clock.step : Math.max(clock.step, stepOf(row, row.from, clock));
  const last = row.until === undefined ? end : Math.min(end, stepOf(row, row.until, clock));
  if (from >= last || isFrozen(row, { ...clock, step: from })) return undefined;
  return [from, last, from === clock.step ? trained : 0];
}

/** The highest factor in a span, as far as it is looked at; infinite for a warm-up, whose factors only rise. */
function peakOf({ schedule }: Row, [from, end, updates]: Span, { stepsPerEpoch }: StepClock): number {
  let peak = 0;
  let first: number | undefined;
  let last = 0;
  let rises = true;
  for (const step of stepsOf(from, end)) {
    const factor = schedule({ step, stepsPerEpoch, updates: updates + step - from });
    // Whatever is no rate is for the step to refuse.
    if (!(factor <= NOTHING && factor >= 0)) return Number.POSITIVE_INFINITY;
    if (factor < last) rises = false;
    first ??= factor;
    last = factor;
    peak = Math.max(peak, factor);
  }
  return rises && last > (first ?? 0) ? Number.POSITIVE_INFINITY : peak;
}

/** In rising order, the first and the last among them. Uneven in the distance: even ones could all meet the lows of a cycle. */
function* stepsOf(from: number, end: number): Iterable<number> {
  const near = Math.min(end, from + CLOSE);
  for (let step = from; step < near; step++) yield step;
  const width = (end - 1 - near) / FAR;
  let before = near - 1;
  for (let i = 0; i < FAR; i++) {
    const step = near + Math.floor((i + ((i * 0.618) % 1)) * width);
    if (step > before && step < end - 1) yield step;
    before = Math.max(before, step);
  }
  if (end - 1 >= near) yield end - 1;
}

function tell(row: Row, peak: number, layers: readonly string[], { clock, until, among }: Lookout): string {
  // Without the digits that only f64 has.
  const base = Number((row.lr * row.multiplier).toPrecision(6));
  const rate = Number((peak * base).toPrecision(2));
  const time = until === undefined ? `in the next ${AHEAD} steps` : `to the end, step ${until}`;
  const { name = "a function", options = {} } = describeSchedule(row.schedule) ?? {};
  const { steps, epochs = Number.NaN } = options as { readonly steps?: number; readonly epochs?: number };
  const length = steps ?? epochs * (clock.stepsPerEpoch ?? Number.NaN);
  const over = length <= clock.step ? `ended at step ${length}` : "has run down";
  const pattern = layers.length > 1 && among === undefined ? "**" : row.layer || row.name;
  return `the rate of ${listed(layers.map((name) => name || "the model"))} stays at ${rate} of ${base} ${time}: its schedule, ${name}, ${over}. Give it another: rates.set("${pattern}", { schedule: constant() }).`;
}
