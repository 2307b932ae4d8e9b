// What was read of a file, what was left out, and what is worth knowing.

import type { Leaf } from "./build.ts";
import { optionOf } from "./config.ts";

/** What was read of a file of Keras, and what was left out. */
export interface KerasReport {
  /** How the file is written, with the version of Keras where it says so. */
  readonly format: string;
  /** Each layer of the file: its path in the model, Keras's class, and how many numbers were read. */
  readonly layers: readonly {
    readonly name: string;
    readonly kind: string;
    readonly numbers: number;
    /** Whether it was frozen: freeze it by `rates: { [name]: { frozen: true } }`, or train it all the same. */
    readonly frozen: boolean;
  }[];
  /** What the file has and the model has not. */
  readonly leftOut: readonly string[];
  /** Layers through which no gradient goes. */
  readonly withoutGradient: readonly string[];
  /** What to know before training. */
  readonly advice: readonly string[];
  /** A table of the layers, then what was left out and what to know. */
  toString(): string;
}

/** What of a layer's options says how it was trained. */
const trainingKeys = [
  "kernel_regularizer",
  "bias_regularizer",
  "activity_regularizer",
  "depthwise_regularizer",
  "beta_regularizer",
  "gamma_regularizer",
  "kernel_constraint",
  "bias_constraint",
  "depthwise_constraint",
];

/** `a, b, c and 4 more`. */
const few = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;

/** Options of training that the model goes without, layer by layer. */
function trainingLeftOut(leaves: readonly Leaf[]): string[] {
  return trainingKeys.flatMap((key) => {
    const names = leaves.filter(({ config }) => optionOf(config, key) !== undefined).map(({ at }) => at);
    return names.length === 0 ? [] : [`${key} of ${few(names)}`];
  });
}

const losses: Readonly<Record<string, string>> = { softmax: "crossEntropy()", sigmoid: "binaryCrossEntropy()" };

export function reportOf(given: {
  readonly format: string;
  readonly leaves: readonly Leaf[];
  readonly numbers: ReadonlyMap<Leaf, number>;
  readonly ends: readonly { readonly at: string; readonly activation: string }[];
  readonly logits: boolean;
  readonly leftOut: readonly string[];
  readonly advice: readonly string[];
}): KerasReport {
  const { leaves, ends, logits } = given;
  const layers = leaves.map((leaf) => ({
    name: leaf.at,
    kind: leaf.config.kind,
    numbers: given.numbers.get(leaf) ?? 0,
    frozen: optionOf(leaf.config, "trainable") === false,
  }));
  const regularized = trainingLeftOut(leaves);
  const advice = [
    ...ends.map(({ at, activation }) =>
      logits
        ? `${at}: its ${activation} is left out, so the model gives logits. Train with ${losses[activation]}, and predict with { activation: "${activation}" }.`
        : `${at}: the model ends with ${activation}. For training read it with { logits: true } and take ${losses[activation]}, which is made of logits.`,
    ),
    ...leaves.flatMap(({ at, made }) => (made.notes ?? []).map((note) => `${at}: ${note}.`)),
    ...(regularized.some((text) => text.includes("regularizer"))
      ? ["Regularizers are left out. The optimizer's weightDecay takes their place."]
      : []),
    ...given.advice,
  ];
  const leftOut = [
    ...(logits ? ends.map(({ at, activation }) => `${activation} of ${at}`) : []),
    ...regularized,
    ...given.leftOut,
  ];
  const report = { format: given.format, layers, leftOut, withoutGradient: [] as readonly string[], advice };
  return { ...report, toString: () => text(report) };
}

function text({ format, layers, leftOut, withoutGradient, advice }: Omit<KerasReport, "toString">): string {
  const rows = [
    ["layer", "class", "numbers", ""],
    ...layers.map(({ name, kind, numbers, frozen }) => [name, kind, String(numbers), frozen ? "frozen" : ""]),
    ["total", "", String(layers.reduce((sum, { numbers }) => sum + numbers, 0)), ""],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const table = rows.map(([name = "", kind = "", numbers = "", more]) =>
    `${name.padEnd(widths[0] as number)}  ${kind.padEnd(widths[1] as number)}  ${numbers.padStart(widths[2] as number)}  ${more}`.trimEnd(),
  );
  const list = (head: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ["", head, ...lines.map((line) => `- ${line}`)];
  return [
    format,
    ...table,
    ...list("left out", leftOut),
    ...list("without gradient", withoutGradient),
    ...list("to know", advice),
  ].join("\n");
}
