// What the rows of the layer table have counted, as a value that nobody changes: a step that was planned gives the counts
// after it, and whoever knows what became of the step takes them over or leaves them.

/** First step of a rest, and the first one after it. */
export type Rest = readonly [from: number, until: number];

/** Steps in which the same rows train are a number, so that a step's counts cost nothing for each row. */
export interface Counts {
  /** Updates that each row has had, but for the last `steps`, each of which was one of every row that is 1 in `active`. */
  readonly updates: Uint32Array<ArrayBuffer>;
  /** Those since it last began to train, but for the same steps. */
  readonly trained: Uint32Array<ArrayBuffer>;
  readonly active: Uint8Array<ArrayBuffer>;
  readonly steps: number;
  /** Where a guard holds a layer: in these steps its rows are written as zeros and count nothing. By layer name. */
  readonly rests: ReadonlyMap<string, Rest>;
}

export const zeroCounts = (rows: number): Counts => ({
  updates: new Uint32Array(rows),
  trained: new Uint32Array(rows),
  active: new Uint8Array(rows),
  steps: 0,
  rests: new Map(),
});

/** The same counts with all steps in them. */
export function settled(counts: Counts): Counts {
  const { updates, trained, active, steps } = counts;
  if (steps === 0) return counts;
  const all = (list: typeof updates) => list.map((count, row) => count + steps * (active[row] as number));
  return { ...counts, updates: all(updates), trained: all(trained), steps: 0 };
}

/** The counts with those of some rows as they were `before`. */
export function withRowsOf(counts: Counts, rows: readonly number[], before: Counts): Counts {
  const [now, then] = [settled(counts), settled(before)];
  const [updates, trained] = [now.updates.slice(), now.trained.slice()];
  for (const row of rows) {
    updates[row] = then.updates[row] as number;
    trained[row] = then.trained[row] as number;
  }
  return { ...now, updates, trained };
}

export const withRest = (counts: Counts, layer: string, rest: Rest): Counts => ({
  ...counts,
  rests: new Map(counts.rests).set(layer, rest),
});
