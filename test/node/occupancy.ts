// What a dispatch is to a GPU, as counts: how many workgroups and threads it has, over how many terms of one sum a thread loops alone,
// and of products how many bytes are loaded for a multiply-add. Read from a recording, by a row for each kernel: what its shader's
// loops do with the numbers of its command. A kernel without a row is an error, so that a new one is counted too.

import { specialise } from "../../src/op/shader.ts";
import { type Command, kernelsOf } from "../../src/step/command.ts";

export interface Occupancy {
  readonly kernel: string;
  readonly note: string;
  readonly workgroups: number;
  readonly threads: number;
  /** Workgroups that it must have; 0 where it adds nothing up. */
  readonly wanted: number;
  /** Terms of one sum that a thread adds up alone, or numbers that it makes one after the other. */
  readonly alone: number;
  /** Bytes loaded for a multiply-add of a product. */
  readonly bytes?: number;
  /** Whether a workgroup loads them once for all its threads. */
  readonly staged?: boolean;
}

/** From so many workgroups on a GPU is taken for busy. */
const BUSY = 96;

/** What a kernel does, beside `alone`: sums of so many terms; none where it only moves numbers. */
interface Counts {
  readonly results?: number;
  readonly terms?: number;
  readonly alone: number;
  readonly bytes?: number;
  readonly staged?: boolean;
}

/** The command's numbers by name, of constants and of holes. */
type Facts = (name: string) => number;

/** Numbers behind a binding. */
type Length = (name: string) => number;

const product = (of: Facts): Counts => {
  const [M, N, K, splits, rows, columns] = [of("M"), of("N"), of("K"), of("SPLITS"), of("DOWN"), of("ACROSS")] as const;
  const counts = {
    ...{ results: M * N * of("GROUPS"), terms: K },
    // Four terms at a time.
    alone: Math.ceil(K / (4 * splits * of("SHARES"))) * 4,
  };
  const lines = of("QUADS") === 1 ? rows / 4 : rows;
  if (of("STAGED") === 0) return { ...counts, bytes: (4 * (lines + columns)) / (rows * columns), staged: false };
  // A square of tiles at once, some terms at a time, and what stands beyond M, N and K is loaded too.
  const [square, step] = [rows * of("STEP"), of("STEP")];
  const loaded =
    Math.ceil(M / square) * Math.ceil(N / square) * 2 * square * splits * Math.ceil(K / splits / step) * step;
  return { ...counts, bytes: (4 * loaded) / (M * N * K), staged: true };
};

/** Threads that share a row, where a hole says whether they do. */
const sharing = (of: Facts): number => (of("SHARED") === 1 ? 64 : 1);

/** Statistics of channels over rows, which a workgroup or several share. */
const channels =
  (given: string, ofParts: string) =>
  (of: Facts, length: Length): Counts => {
    const width = of("VECTOR") === 1 ? 4 : 1;
    const results = of("CHANNELS") * width;
    const terms = of("MERGED") === 1 ? length(ofParts) / (2 * results) : length(given) / results;
    // Of parts all are there: they are added by those who share a channel.
    return { results, terms, alone: Math.ceil(terms / (of("SPLIT") === 1 ? of("SPLITS") : 1) / 64) };
  };

/** A window, of which each number is asked. */
const window = (of: Facts): Counts => ({ alone: of("KERNEL_HEIGHT") * of("KERNEL_WIDTH") });

/** A thread for four numbers at most. */
const moved = (): Counts => ({ alone: 4 });

const rows: Readonly<Record<string, (of: Facts, length: Length, command: Command) => Counts>> = {
  matmul: product,
  conv2d: product,
  "conv2d-backward-filter": product,
  "conv2d-backward-input": product,
  "softmax-cross-entropy": (of) => ({
    results: of("ROWS") * of("CLASSES"),
    terms: of("CLASSES"),
    alone: Math.ceil(of("CLASSES") / sharing(of)),
  }),
  metrics: (of) => ({ results: 4, terms: of("BATCH"), alone: Math.ceil(of("BATCH") / 64) }),
  "batch-statistics": channels("x", "x"),
  "channel-sums": channels("x", "parts"),
  mean: (of) => sums(of),
  "sum-partials": (of) => sums(of),
  "sum-rows"(_, __, { holes }) {
    const places = [...String(holes.SUMS).matchAll(/Sum\(([^)]*)\)/g)].map(([, text = ""]) =>
      text.split(", ").map((word) => Number.parseInt(word, 10)),
    );
    const terms = Math.max(...places.map(([, , , , , count = 0]) => count));
    return { results: places.reduce((sum, [, length = 0]) => sum + length, 0), terms, alone: terms };
  },
  normalize: (of) => ({
    results: of("GROUPS") * of("COUNT"),
    terms: of("COUNT"),
    alone: Math.ceil(of("COUNT") / sharing(of)),
  }),
  "normalize-backward"(of) {
    const measured = of("SHARED") === 1 ? of("HEIGHT") * Math.ceil(of("COUNT") / 64) : of("COUNT");
    const made = Math.ceil((of("HEIGHT") * of("COUNT")) / 64);
    const summed = of("SUMMED") === 1 ? (of("HEIGHT") * of("COUNT")) / of("CHANNELS") : 0;
    return { results: of("GROUPS") * of("COUNT"), terms: of("COUNT"), alone: Math.max(measured, made, summed) };
  },
  // A thread for each row of a head, which looks at all keys.
  attention: (of) => ({ results: of("ROWS") * headOf(of), terms: of("KEYS"), alone: of("KEYS") }),
  "attention-backward": (of) => ({ results: of("ROWS") * headOf(of), terms: of("QUERIES"), alone: of("QUERIES") }),
  "attention-delta": (of) => ({ results: of("ROWS"), terms: of("LANES") * 4, alone: of("LANES") }),
  "token-chains": (of) => ({ alone: of("HEIGHT") }),
  // One step: a thread for each unit, or for four of them on a CPU, and all units of the step before.
  recurrent(of, length) {
    const [results, terms] = [length("h"), length("h") / of("BATCH")];
    return { results, terms, alone: terms };
  },
  "recurrent-backward"(of, length) {
    const terms = length("gates_h") / (of("BATCH") * of("STEPS"));
    return { results: length("carried"), terms, alone: terms };
  },
  // Where tokens are spread evenly over the rows of the table.
  "embedding-backward"(of, length) {
    const terms = Math.ceil(length("next") / (of("LENGTH") / of("LANES")));
    return { results: of("LENGTH") * of("WIDTH"), terms, alone: terms };
  },
  "max-pool2d": window,
  "max-pool2d-backward": window,
  adam: moved,
  commit: moved,
  "batch-norm-backward": moved,
  elementwise: moved,
  embedding: moved,
  move: moved,
  previous: moved,
  gather: moved,
  "gather-words": moved,
  "inverse-root": moved,
  spread: moved,
};

const headOf = (of: Facts): number => of("LANES") * (of("VECTOR") === 1 ? 4 : 1);

const sums = (of: Facts): Counts => ({
  results: of("RESULTS"),
  terms: of("TERMS"),
  alone: Math.ceil(of("TERMS") / of("SPLITS") / of("THREADS")),
});

/** Of every kernel of the commands, those that stand beside each other one by one. */
export const occupancyOf = (commands: readonly Command[]): Occupancy[] => commands.flatMap(kernelsOf).map(counted);

function counted(command: Command): Occupancy {
  const { kernel, source, holes, constants, grid, bindings, note } = command;
  const row = rows[kernel];
  if (row === undefined) throw new Error(`Nobody has said what the loops of "${kernel}" do: give it a row.`);
  const code = specialise(kernel, source, holes);
  const of: Facts = (name) => {
    const value = constants[name] ?? holes[name];
    if (name === "VECTOR" && value === undefined) return Number(holes.V === "vec4f");
    if (value === undefined) throw new Error(`${kernel} has no number "${name}".`);
    return Number(value);
  };
  const length: Length = (name) => {
    const binding = bindings.find((one) => one.name === name);
    if (binding === undefined) throw new Error(`${kernel} has no binding "${name}".`);
    return binding.bytes / 4;
  };
  const size = /@workgroup_size\((\w+)\)/.exec(code)?.[1] ?? "";
  const width = Number(/^\d+$/.test(size) ? size : new RegExp(`const ${size} = (\\d+)u`).exec(code)?.[1]);
  const workgroups = grid[0] * grid[1] * grid[2];
  const { results = 0, terms = 0, alone, bytes, staged = false } = row(of, length, command);
  const needed = Math.ceil((results / 4) * Math.ceil(terms / 64));
  return {
    ...{ kernel, note, workgroups, threads: workgroups * width, alone },
    wanted: Math.min(BUSY, Math.ceil(needed / width)),
    ...(bytes !== undefined && { bytes, staged }),
  };
}
