// What the study of adapters compares: two networks that others trained, each on a task that is new to it, ways to train few or all of
// their weights, and the budget that all get. Plain data, for the command and for where it trains.

export const taskNames = ["digits", "shakespeare"] as const;
export type TaskName = (typeof taskNames)[number];

/** The files that a network is read from, by their paths in demo/data.json. */
export const filesOf: Readonly<Record<TaskName, readonly string[]>> = {
  digits: ["vit-mnist/vit_mnist_3class.pt"],
  shakespeare: ["tinystories-260k/stories260K.bin", "tinystories-260k/tok512.bin", "names/tinyshakespeare.txt"],
};

export interface Task {
  readonly name: TaskName;
  /** For people. */
  readonly title: string;
  readonly figure: string;
  /** Whether more is better. */
  readonly rises: boolean;
  readonly steps: number;
  readonly batch: number;
  /** Images, or pieces of text, of which the figure is. */
  readonly validation: number;
  readonly test: number;
  /** What is tried for each kind, in its middle size, with a seed of its own, on the validation part. */
  readonly rates: readonly number[];
}

export const kinds = {
  full: "full fine-tuning",
  head: "head only",
  bias: "BitFit",
  bottleneck: "bottlenecks",
  lora: "LoRA",
} as const;
export type Kind = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as readonly Kind[];

/** One point of a curve: a kind, and of those that come in sizes, units of a bottleneck or a rank. */
export interface Method {
  readonly kind: Kind;
  readonly size: number | null;
}

export interface Budget {
  readonly tasks: readonly Task[];
  readonly widths: readonly number[];
  readonly ranks: readonly number[];
  readonly sweepSeed: number;
}

export const full: Budget = {
  tasks: [
    {
      ...{ name: "digits", title: "ViT of three digits to ten, 1,000 labels", figure: "test accuracy, %", rises: true },
      ...{ steps: 60, batch: 32, validation: 1000, test: 2000, rates: [1e-3, 4e-3, 1.6e-2] },
    },
    {
      ...{ name: "shakespeare", title: "TinyStories to Shakespeare", figure: "test nats a character", rises: false },
      ...{ steps: 40, batch: 4, validation: 64, test: 128, rates: [2e-3, 1.6e-2] },
    },
  ],
  widths: [2, 8, 32],
  ranks: [1, 2, 4, 8, 16],
  sweepSeed: 1001,
};

/** To see that all of it runs. Its figures mean nothing. */
export const quick: Budget = {
  tasks: full.tasks.map((task) => ({ ...task, steps: 3, batch: 4, validation: 8, test: 8, rates: [1e-2] })),
  widths: [2],
  ranks: [1],
  sweepSeed: 1001,
};

export function methodsOf({ widths, ranks }: Budget): readonly Method[] {
  const sizes: Readonly<Record<Kind, readonly (number | null)[]>> = {
    ...{ full: [null], head: [null], bias: [null] },
    bottleneck: widths,
    lora: ranks,
  };
  return kindNames.flatMap((kind) => sizes[kind].map((size) => ({ kind, size })));
}

export const titleOf = ({ kind, size }: Method): string =>
  size === null ? kinds[kind] : `${kinds[kind]}, ${kind === "lora" ? "rank" : "units"} ${size}`;

/** One fine-tuning. */
export interface Request {
  readonly task: Task;
  readonly method: Method;
  readonly rate: number;
  readonly seed: number;
  readonly part: "validation" | "test";
}

export interface Tuned {
  /** Of the images or pieces of `part`; null where training came to numbers that are not finite. */
  readonly figure: number | null;
  /** Numbers that train. */
  readonly trained: number;
  /** Updates that were made, and how long they took. */
  readonly steps: number;
  readonly seconds: number;
  /** Of LoRA on the test part: the largest difference of an output once its weights are merged, as a part of the largest output. */
  readonly apart?: number;
}
