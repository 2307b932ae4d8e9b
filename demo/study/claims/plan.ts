// What textbooks say of learning rates, as questions that a training answers: plain data, for the command and for its page. Each question has
// settings, and each setting a row of rates, which are trained at once, as the copies of a cohort.

import type { MethodName, Task } from "../plan.ts";
import { tasks } from "../plan.ts";

/** Hidden layers of equal width before the head. */
export interface Network {
  readonly hidden: number;
  readonly width: number;
  readonly activation: Activation;
  readonly batchNorm?: boolean;
}

export const activations = ["sigmoid", "tanh", "relu", "leakyRelu", "elu", "selu", "gelu", "silu", "mish"] as const;
export type Activation = (typeof activations)[number];

/** A training from nothing on digits, at each of several rates. */
export interface Sweep {
  readonly kind: "sweep";
  readonly network: Network;
  readonly optimizer: "sgd" | "adam";
  readonly batch: number;
  readonly rates: readonly number[];
  /** Width of the narrow network whose rates are handed on, by muP. */
  readonly muP?: number;
}

/** A fine-tuning of the study's network by one of its ways, at each of several rates. */
export interface Tuning {
  readonly kind: "tuning";
  readonly task: Task;
  readonly way: MethodName;
  readonly rates: readonly number[];
}

/** Norms of gradients by layer before the first step. */
export interface Norms {
  readonly kind: "norms";
  readonly network: Network;
}

export interface Setting {
  readonly name: string;
  readonly ask: Sweep | Tuning | Norms;
}

export interface Question {
  readonly name: string;
  readonly title: string;
  readonly settings: readonly Setting[];
}

export interface Budget {
  /** Images of a sweep, passes over them, and images that a network is judged by. */
  readonly images: number;
  readonly epochs: number;
  readonly test: number;
  readonly seeds: number;
}

export const full: Budget = { images: 4096, epochs: 4, test: 2000, seeds: 3 };
export const quick: Budget = { images: 256, epochs: 1, test: 100, seeds: 1 };

/** Powers of two. */
const powers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => 2 ** (from + i));

const small: Network = { hidden: 1, width: 64, activation: "relu" };
const sweep = (ask: Omit<Sweep, "kind" | "network" | "batch"> & Partial<Sweep>): Sweep => ({
  ...{ kind: "sweep", network: small, batch: 32 },
  ...ask,
});

const ways: readonly MethodName[] = ["one-rate", "head-only", "layer-decay", "gradual", "input-first"];
export const WIDTHS = [32, 64, 128, 256, 512] as const;
export const BATCHES = [8, 16, 32, 64, 128, 256, 512] as const;

export const questions: readonly Question[] = [
  {
    name: "batch",
    title: "Which rate for which batch?",
    settings: (["sgd", "adam"] as const).flatMap((optimizer) =>
      BATCHES.map((batch) => ({
        name: `${optimizer}, batch ${batch}`,
        ask: sweep({ optimizer, batch, rates: optimizer === "sgd" ? powers(-11, 2) : powers(-13, -3) }),
      })),
    ),
  },
  {
    name: "batch-norm",
    title: "Does batch normalization make rates easier?",
    settings: [2, 8].flatMap((hidden) =>
      [false, true].map((batchNorm) => ({
        name: `${hidden} hidden layers${batchNorm ? ", batch norm" : ""}`,
        ask: sweep({ optimizer: "sgd", network: { ...small, hidden, batchNorm }, rates: powers(-9, 3) }),
      })),
    ),
  },
  {
    name: "overfitting",
    title: "Do rates by layer prevent overfitting?",
    settings: ["new-10", "noise"].flatMap((name) => {
      const task = tasks.find((one) => one.name === name) as Task;
      return ways.map((way) => ({
        name: `${name}, ${way}`,
        ask: { kind: "tuning", task, way, rates: powers(-12, -3) } as const,
      }));
    }),
  },
  {
    name: "activations",
    title: "What reaches the first of twenty layers?",
    settings: activations.map((activation) => ({
      name: activation,
      ask: { kind: "norms", network: { hidden: 19, width: 32, activation } } as const,
    })),
  },
  {
    name: "width",
    title: "Does a rate found on a narrow network hold on a wide one?",
    settings: (["standard", "muP"] as const).flatMap((by) =>
      WIDTHS.map((width) => ({
        name: `${by}, width ${width}`,
        ask: sweep({
          ...{ optimizer: "adam", batch: 64, network: { ...small, hidden: 2, width }, rates: powers(-13, -4) },
          ...(by === "muP" && { muP: WIDTHS[0] }),
        }),
      })),
    ),
  },
];

/** One setting with one seed. */
export interface Asked {
  readonly setting: Setting;
  readonly seed: number;
  readonly budget: Budget;
}

/** What came of it: of each rate, or of each layer from the input on. */
export type Answer =
  | {
      /** Mean loss of the last epoch; null where it was no number. */
      readonly loss: readonly (number | null)[];
      /** Parts of the training and of the test images that are known in the end. */
      readonly train: readonly number[];
      readonly test: readonly number[];
    }
  | { readonly norms: readonly number[] };
