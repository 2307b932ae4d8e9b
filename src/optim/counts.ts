// What the rows of the layer table have counted, as a value that nobody changes: a step that was planned gives the counts
// after it, and whoever knows what became of the step takes them over or leaves them.

/** First step of a rest, and the first one after it. */
export type Rest = readonly [from: number, until: number];

export interface Counts {
  /** Updates that each row has had. */
  readonly updates: Uint32Array<ArrayBuffer>;
  /** Those since it last began to train. */
  readonly trained: Uint32Array<ArrayBuffer>;
  /** Where a guard holds a layer: in these steps its rows are written as zeros and count nothing. By layer name. */
  readonly rests: ReadonlyMap<string, Rest>;
}

export const zeroCounts = (rows: number): Counts => ({
  updates: new Uint32Array(rows),
  trained: new Uint32Array(rows),
  rests: new Map(),
});

/** The counts with those of some rows as they were `before`. */
export function withRowsOf(counts: Counts, rows: readonly number[], before: Counts): Counts {
  const [updates, trained] = [counts.updates.slice(), counts.trained.slice()];
  for (const row of rows) {
    updates[row] = before.updates[row] as number;
    trained[row] = before.trained[row] as number;
  }
  return { ...counts, updates, trained };
}

export const withRest = (counts: Counts, layer: string, rest: Rest): Counts => ({
  ...counts,
  rests: new Map(counts.rests).set(layer, rest),
});
