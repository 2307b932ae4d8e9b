// Values that a place of a call must refuse, in plain JavaScript: each kind of place has a few that it may take.

/** All by name, so that a failure can say which one it was. */
const all: Readonly<Record<string, unknown>> = {
  null: null,
  NaN: Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  "-1": -1,
  "1.5": 1.5,
  "1e39": 1e39,
  text: "three",
  digits: "3",
  empty: "",
  true: true,
  record: {},
  "record of things": { a: 1, batchSize: 3 },
  list: [],
  "list of things": [null, "a"],
  function: () => 1,
  bigint: 10n,
  symbol: Symbol("odd"),
  map: new Map([["a", 1]]),
  date: new Date(0),
  promise: Promise.resolve(1),
};

/** What a kind of place may take of these, or take for nothing at all. */
const taken = {
  count: [],
  endless: ["infinity"],
  size: ["1.5"],
  number: ["1.5", "-1"],
  label: [],
  switch: ["true"],
  callback: ["function", "null"],
  samples: [],
  numbers: [],
  pattern: ["empty"],
  rule: ["1.5", "record"],
  record: ["record"],
  options: ["record"],
  bytes: [],
  log: ["list"],
  schedule: ["function"],
  signal: ["null"],
} satisfies Readonly<Record<string, readonly string[]>>;

export type Place = keyof typeof taken;

/** The odd values of a place, with their names. */
export const oddsOf = (place: Place): readonly (readonly [name: string, value: unknown])[] =>
  Object.entries(all).filter(([name]) => !(taken[place] as readonly string[]).includes(name));
