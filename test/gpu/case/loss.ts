// Cases of gathering a batch, of losses and of their weights: full and short batches, training and evaluating.

import type { StepValues } from "../../../src/step/replay.ts";
import { apart, below, between, coarse, cycle, type Fill, holed, normals, torn } from "../../reference/numbers.ts";
import type { Case, Input } from "../case.ts";

const step = (count: number, start = 0): StepValues => ({ step: 3, start, count });

function crossEntropy(batch: number, classes: number, count: number, gradient: boolean, fill: Fill = normals): Case {
  return {
    op: "softmaxCrossEntropy",
    inputs: [
      { shape: [batch, classes], fill },
      { shape: [batch], store: "u32", fill: below(classes) },
    ],
    attributes: { gradient },
    step: step(count),
  };
}

/** Two equal largest logits a row, the label on the first, which another thread than the first has; row 1 may have a NaN elsewhere. */
function hits(classes: number, holed: boolean): Case {
  const peaks: Fill = (count, key) =>
    normals(count, key).map((value, i) => {
      if (holed && i === classes + 200) return Number.NaN;
      return [127, 128].includes(i % classes) ? 8 : value;
    });
  const one = crossEntropy(3, classes, 3, true, peaks);
  const labels: Input = { shape: [3], store: "u32", fill: (count) => new Float64Array(count).fill(127) };
  return { ...one, inputs: [one.inputs[0] as Input, labels], note: `hits${holed ? ", but where a logit is NaN" : ""}` };
}

/** The same for probabilities, the largest of which is that of the label. */
function softHits(classes: number): Case {
  const fill: Fill = (count, key) => between(0, 0.5)(count, key).map((value, i) => (i % classes === 127 ? 1 : value));
  const one = hits(classes, false);
  const inputs = [one.inputs[0] as Input, { shape: [3, classes], fill, scaled: false }];
  return { ...one, inputs, attributes: { gradient: true, soft: true } };
}

const softmaxCrossEntropy: readonly Case[] = [
  crossEntropy(1, 2, 1, true),
  crossEntropy(33, 10, 33, true),
  crossEntropy(65, 10, 31, true),
  crossEntropy(65, 10, 65, false),
  crossEntropy(3, 257, 2, true),
  crossEntropy(31, 3, 31, true, coarse),
  crossEntropy(63, 33, 63, true, between(-20, 20)),
  crossEntropy(3, 50_000, 3, true, between(-1, 1)),
  crossEntropy(3, 1023, 3, true),
  crossEntropy(5, 1024, 4, true),
  crossEntropy(2, 1025, 2, false, coarse),
  { ...crossEntropy(3, 1500, 2, true, holed()), note: "with NaN" },
  ...[300, 1500].flatMap((classes) => [hits(classes, false), hits(classes, true), softHits(classes)]),
  { ...crossEntropy(31, 3, 31, true, holed()), note: "with NaN" },
  { ...crossEntropy(31, 9, 20, true, torn(180)), note: "with NaN behind the last real row" },
];

function squaredError(shape: readonly number[], count: number, gradient: boolean): Case {
  return { op: "meanSquaredError", inputs: [{ shape }, { shape }], attributes: { gradient }, step: step(count) };
}

const meanSquaredError: readonly Case[] = [
  squaredError([1, 1], 1, true),
  squaredError([65, 3], 65, true),
  squaredError([33, 31], 3, true),
  squaredError([63, 1], 63, false),
  squaredError([3, 5, 7, 2], 2, true),
  squaredError([3, 1024], 3, true),
  squaredError([3, 1025], 2, true),
  { ...squaredError([2, 600, 601, 3], 2, true), scales: [1] },
  {
    ...squaredError([31, 5], 20, true),
    inputs: [{ shape: [31, 5], fill: torn(100) }, { shape: [31, 5] }],
    note: "NaN, masked",
  },
  {
    ...squaredError([31, 5], 31, true),
    inputs: [{ shape: [31, 5], fill: holed() }, { shape: [31, 5] }],
    note: "with NaN",
  },
];

/** Some of them 0, where a row may hold anything. */
const sparse: Fill = (count, key) => normals(count, key).map((value, i) => (i % 3 === 1 ? 0 : Math.abs(value)));

/** Targets from 0 to 1, some of them 0 or 1. */
const parts: Fill = (count, key) =>
  between(0, 1)(count, key).map((value, i) => (i % 4 === 0 ? 0 : i % 4 === 1 ? 1 : value));

const elementLoss = (op: string, shape: readonly number[], count: number, more: Partial<Case> = {}): Case => ({
  op,
  inputs: [{ shape }, { shape }],
  step: step(count),
  ...more,
  attributes: { gradient: true, ...more.attributes },
});

/** Logits that reach from one end of exp to the other, against parts of 1. */
const logits = (shape: readonly number[], fill: Fill = between(-100, 100)): readonly Input[] => [
  { shape, fill },
  { shape, fill: parts, scaled: false },
];

const elementLosses: readonly Case[] = [
  ...["meanAbsoluteError", "huber"].flatMap((op): Case[] => [
    elementLoss(op, [1, 1], 1),
    elementLoss(op, [33, 31], 30),
    elementLoss(op, [63, 3], 63, { attributes: { gradient: false } }),
    elementLoss(op, [31, 5], 31, {
      inputs: [
        { shape: [31, 5], fill: coarse },
        { shape: [31, 5], fill: coarse },
      ],
    }),
    elementLoss(op, [31, 5], 31, { inputs: [{ shape: [31, 5], fill: holed() }, { shape: [31, 5] }], note: "with NaN" }),
    elementLoss(op, [3, 1031], 2, {
      inputs: [{ shape: [3, 1031] }, { shape: [3, 1031] }, { shape: [3], fill: sparse }],
    }),
  ]),
  elementLoss("huber", [33, 31], 33, { attributes: { delta: 0.25 } }),
  elementLoss("huber", [33, 31], 33, { attributes: { delta: 3 } }),
  ...[1, 3.5, 0].flatMap((posWeight): Case[] => [
    elementLoss("binaryCrossEntropy", [33, 31], 30, { inputs: logits([33, 31]), attributes: { posWeight } }),
    elementLoss("binaryCrossEntropy", [9, 5], 9, { inputs: logits([9, 5], coarse), attributes: { posWeight } }),
  ]),
  elementLoss("binaryCrossEntropy", [1, 1], 1, { inputs: logits([1, 1]), scales: [1] }),
  elementLoss("binaryCrossEntropy", [5, 1031], 4, {
    inputs: logits([5, 1031], normals),
    attributes: { gradient: false },
  }),
  elementLoss("binaryCrossEntropy", [31, 5], 31, { inputs: logits([31, 5], holed()), note: "with NaN" }),
  elementLoss("binaryCrossEntropy", [5, 7, 2], 4, {
    inputs: [...logits([5, 7, 2], normals), { shape: [5, 7], fill: sparse }],
  }),
  ...[0, 0.5, -1.25].flatMap((logit): Case[] => {
    const attributes = { logit, gradient: false };
    return [
      elementLoss("binaryHits", [33, 31], 30, { inputs: logits([33, 31], normals), attributes }),
      elementLoss("binaryHits", [9, 5], 9, { inputs: logits([9, 5], coarse), attributes }),
      elementLoss("binaryHits", [5, 1031], 4, { inputs: logits([5, 1031], holed()), attributes, note: "with NaN" }),
    ];
  }),
  ...[[], [{ shape: [33], fill: sparse }]].map((scales) =>
    elementLoss("klDivergence", [33, 7], 31, {
      inputs: [{ shape: [33, 7], fill: between(-9, 0) }, { shape: [33, 7], fill: parts, scaled: false }, ...scales],
      ...(scales.length === 0 && { attributes: { factor: 7 } }),
    }),
  ),
  elementLoss("klDivergence", [3, 1031], 2, {
    inputs: [
      { shape: [3, 1031], fill: between(-9, 0) },
      { shape: [3, 1031], fill: parts, scaled: false },
    ],
    attributes: { gradient: false },
  }),
  elementLoss("klDivergence", [31, 5], 31, {
    inputs: [
      { shape: [31, 5], fill: holed() },
      { shape: [31, 5], fill: parts, scaled: false },
    ],
    note: "with NaN",
  }),
];

/** Values as they come, with a factor or with scales: one a sample, or one for each number. */
const meanOf: readonly Case[] = [
  { op: "meanOf", inputs: [{ shape: [33, 3] }], attributes: { gradient: true }, step: step(31) },
  { op: "meanOf", inputs: [{ shape: [65] }], attributes: { gradient: true, factor: 0.25 }, step: step(65) },
  { op: "meanOf", inputs: [{ shape: [5, 9] }, { shape: [5] }], attributes: { gradient: true }, step: step(4) },
  { op: "meanOf", inputs: [{ shape: [3, 1031] }], attributes: { gradient: false }, step: step(3) },
];

const labelsBelow = (shape: readonly number[], classes: number): Input => ({
  shape,
  store: "u32",
  fill: below(classes),
});

const weighted: readonly Case[] = [
  ...[true, false].map((gradient) => ({
    op: "softmaxCrossEntropy",
    inputs: [{ shape: [33, 10] }, labelsBelow([33], 10), { shape: [33], fill: sparse }],
    attributes: { gradient },
    step: step(31),
  })),
  // Rows of samples: several labels a sample, weighted by sample, by label, or not at all.
  ...[[], [{ shape: [7], fill: normals }], [{ shape: [7, 5], fill: sparse }]].map((scales) => ({
    op: "softmaxCrossEntropy",
    inputs: [{ shape: [7, 5, 9] }, labelsBelow([7, 5], 9), ...scales],
    attributes: { gradient: true },
    step: step(6),
  })),
  {
    op: "softmaxCrossEntropy",
    inputs: [{ shape: [3, 2, 1100] }, labelsBelow([3, 2], 1100), { shape: [3, 2], fill: sparse }],
    attributes: { gradient: true },
    step: step(2),
  },
  {
    op: "softmaxCrossEntropy",
    inputs: [{ shape: [5, 4] }, labelsBelow([5], 4)],
    attributes: { gradient: true, factor: 0.3 },
    step: step(5),
  },
  ...[[5], [5, 7], [5, 7, 2]].map((scales) => ({
    op: "meanSquaredError",
    inputs: [{ shape: [5, 7, 2] }, { shape: [5, 7, 2] }, { shape: scales, fill: sparse }],
    attributes: { gradient: true },
    step: step(4),
  })),
  {
    op: "meanSquaredError",
    inputs: [{ shape: [3, 1], fill: holed() }, { shape: [3, 1] }, { shape: [3], fill: sparse }],
    attributes: { gradient: true },
    step: step(3),
    note: "NaN where the weight is 0",
  },
  {
    op: "meanSquaredError",
    inputs: [{ shape: [9, 3] }, { shape: [9, 3] }],
    attributes: { gradient: true, factor: 3 },
    step: step(9),
  },
];

/** What classes count, one of them nothing. */
const classWeights = (classes: number): Input => ({ shape: [classes], fill: sparse, scaled: false });

/** Labels, soft or hard, in all that a cross-entropy can be asked for; scales of 0 where a label does not count. */
const classes: readonly Case[] = [
  ...[7, 1100].flatMap((most) =>
    [
      { smoothing: 0.1 },
      { soft: true },
      { soft: true, smoothing: 0.3 },
      { smoothing: 0.1, classed: true },
      { soft: true, classed: true },
      { soft: true, smoothing: 0.3, classed: true },
      { classed: true },
      { ignored: 1 },
      { ignored: 2 ** 32 - 100, smoothing: 0.1, classed: true },
      { smoothing: 1, weighted: true },
    ].map(({ classed = false, weighted = false, ...options }): Case => {
      const soft = "soft" in options;
      const ignored: number | undefined = (options as { ignored?: number }).ignored;
      const fill: Fill = (count, key) =>
        below(most)(count, key).map((label, i) => (ignored !== undefined && i % 3 === 1 ? ignored : label));
      const target: Input = soft
        ? { shape: [5, 2, most], fill: between(0, 1), scaled: false }
        : { shape: [5, 2], store: "u32", fill };
      const scales = classed || weighted || ignored !== undefined ? [{ shape: [5, 2], fill: sparse }] : [];
      return {
        op: "softmaxCrossEntropy",
        inputs: [{ shape: [5, 2, most] }, target, ...scales, ...(classed ? [classWeights(most)] : [])],
        attributes: { gradient: most < 100 || options.smoothing === 0.1 || soft, ...options },
        step: step(4),
      };
    }),
  ),
  {
    op: "softmaxCrossEntropy",
    inputs: [
      { shape: [31, 9], fill: holed() },
      { shape: [31, 9], fill: between(0, 1), scaled: false },
    ],
    attributes: { gradient: true, soft: true },
    step: step(30),
    note: "with NaN",
  },
  ...[[], [{ shape: [33], fill: sparse }]].flatMap((weights) =>
    [{ counted: false }, { counted: true }, { counted: false, ignored: 2 }, { counted: true, ignored: 2 }].map(
      (options): Case => ({
        op: "weighClasses",
        inputs: [{ shape: [33, 3], store: "u32", fill: below(5) }, classWeights(5), ...weights],
        attributes: { values: 99, factor: 0.5, ...options },
        step: step(31),
      }),
    ),
  ),
  {
    op: "weighClasses",
    inputs: [{ shape: [65, 5], fill: between(0, 1) }, classWeights(5), { shape: [65], fill: sparse }],
    attributes: { values: 65, factor: 2, counted: false, soft: true },
    step: step(63),
  },
  {
    op: "weighClasses",
    inputs: [{ shape: [2, 5], fill: between(0, 1) }, classWeights(5)],
    attributes: { values: 2, factor: 1, counted: false, soft: true },
    step: step(2),
  },
];

const weighing = (shape: readonly number[], count: number, counted: boolean, fill: Fill = sparse): Case => ({
  op: "weigh",
  inputs: [{ shape, fill }],
  attributes: { values: shape.reduce((a, b) => a * b) * 3, factor: 0.5, counted },
  step: step(count),
});

const weigh: readonly Case[] = [
  weighing([1], 1, false),
  weighing([33], 31, false),
  weighing([65, 3], 64, false),
  weighing([65, 3], 65, true, normals),
  weighing([31, 9], 3, true),
  { ...weighing([1031, 33], 1030, false), scales: [1] },
];

/** Words as they are, or bytes where a factor says what each counts. */
const words = (samples: number, batch: number, width: readonly number[], at: StepValues, factor = 0): Case => ({
  op: "gatherWords",
  inputs: [
    { shape: [samples, ...width], ...(factor > 0 ? bytesOf : { store: "u32", fill: below(1000) }) },
    { shape: [samples], store: "u32", fill: below(samples) },
  ],
  attributes: { shape: [batch, ...width], dtype: factor > 0 ? "f32" : "u32", suffix: "words", factor },
  step: at,
});

const bytesOf = { store: "bytes", fill: below(256) } as const;
/** What a byte counts that is scaled. */
const part = Math.fround(1 / 255);

const gatherWords: readonly Case[] = [
  words(1, 1, [], step(1)),
  words(65, 33, [], step(31, 31)),
  words(9, 5, [3, 7], step(5, 3)),
  words(9, 65, [257], step(9)),
  words(9, 5, [3, 7], step(5, 3), part),
  words(3, 65, [257], step(3), 1),
];

interface Gathering {
  readonly samples: number;
  readonly batch: number;
  readonly input: readonly number[];
  /** Numbers of a target; left out, there are labels. */
  readonly target?: readonly number[];
  readonly store?: "f32" | "bytes";
  /** Numbers after which scales and shifts repeat. Default 4. */
  readonly period?: number;
  /** Where the target is bytes: what each counts. */
  readonly factor?: number;
  /** Without labels and targets, as for a prediction. */
  readonly alone?: boolean;
  readonly step: StepValues;
  readonly fill?: Fill;
}

function gathering({
  samples,
  batch,
  input,
  target,
  store = "f32",
  period = 4,
  alone = false,
  factor = 0,
  step,
  fill,
}: Gathering): Case {
  const x: Input = { shape: [samples, ...input], store, fill: fill ?? (store === "bytes" ? below(256) : normals) };
  const y: Input =
    target === undefined
      ? { shape: [samples], store: "u32", fill: below(10) }
      : { shape: [samples, ...target], ...(factor > 0 ? bytesOf : { fill: normals }) };
  return {
    op: "gather",
    inputs: [
      x,
      y,
      { shape: [samples], store: "u32", fill: below(samples) },
      { shape: [2, Math.max(period, 1)], fill: between(0.5, 2), scaled: false },
    ],
    attributes: {
      input: [batch, ...input],
      target: [batch, ...(target ?? [])],
      integerTarget: target === undefined,
      targets: !alone,
      bytes: store === "bytes",
      ...{ period, factor },
    },
    step,
    ...(alone && { results: 1 }),
    ...(store === "bytes" && { scales: [1] }),
  };
}

const gather: readonly Case[] = [
  gathering({ samples: 1, batch: 1, input: [1], step: step(1) }),
  gathering({ samples: 65, batch: 33, input: [3], step: step(33, 31) }),
  gathering({ samples: 65, batch: 33, input: [7, 4], step: step(31, 34) }),
  gathering({ samples: 9, batch: 3, input: [31], store: "bytes", step: step(3, 2) }),
  gathering({ samples: 9, batch: 5, input: [4, 4, 2], store: "bytes", step: step(1, 8) }),
  gathering({ samples: 33, batch: 31, input: [5], target: [3], step: step(31) }),
  gathering({ samples: 33, batch: 3, input: [8], target: [257], step: step(2, 31) }),
  gathering({ samples: 33, batch: 31, input: [3], alone: true, step: step(31) }),
  gathering({ samples: 33, batch: 31, input: [8], store: "bytes", alone: true, step: step(30) }),
  gathering({ samples: 33, batch: 31, input: [8], target: [7], store: "bytes", factor: part, step: step(30, 2) }),
  gathering({ samples: 9, batch: 5, input: [3], target: [257], factor: 1, step: step(5, 3) }),
  // Scales and shifts by channel, and none: channels, numbers in a sample by four and not.
  gathering({ samples: 9, batch: 5, input: [2, 2, 1], period: 4, step: step(5) }),
  gathering({ samples: 9, batch: 5, input: [4, 3], period: 12, step: step(5, 3) }),
  gathering({ samples: 9, batch: 5, input: [3, 3], period: 12, step: step(4, 3) }),
  gathering({ samples: 9, batch: 5, input: [3, 3, 4], period: 4, step: step(5, 1) }),
  gathering({ samples: 9, batch: 5, input: [8, 5], period: 20, step: step(5, 2) }),
  gathering({ samples: 9, batch: 5, input: [7, 5], period: 20, target: [6], step: step(3, 2) }),
  gathering({ samples: 9, batch: 5, input: [32, 3], store: "bytes", period: 12, step: step(5) }),
  gathering({ samples: 9, batch: 5, input: [7, 3], store: "bytes", period: 12, step: step(5) }),
  gathering({ samples: 9, batch: 5, input: [12, 5], store: "bytes", period: 20, step: step(2) }),
  gathering({ samples: 9, batch: 5, input: [3, 5], store: "bytes", period: 20, alone: true, step: step(2) }),
  gathering({ samples: 9, batch: 5, input: [6], period: 0, step: step(5) }),
  gathering({ samples: 9, batch: 5, input: [8], period: 0, alone: true, step: step(5) }),
  gathering({ samples: 9, batch: 5, input: [7], store: "bytes", period: 0, step: step(5) }),
  gathering({ samples: 9, batch: 5, input: [3, 4], store: "bytes", period: 0, step: step(4) }),
  // More numbers than one axis of the grid has threads.
  gathering({
    samples: 3,
    batch: 65,
    input: [65_537],
    store: "bytes",
    fill: (count) => cycle(count, 0).map((v) => v & 255),
    step: step(3),
  }),
];

export const cases: readonly Case[] = [
  ...softmaxCrossEntropy,
  ...meanSquaredError,
  ...elementLosses,
  ...meanOf,
  ...weighted,
  ...classes,
  ...weigh,
  ...gather,
  ...gatherWords,
];

const gradient = true;
export const gradients = {
  softmaxCrossEntropy: [
    ...[{ smoothing: 0.2 }, { soft: true }, { soft: true, smoothing: 0.2 }, { ignored: 1 }].map((options) => ({
      inputs: [
        { shape: [4, 3] },
        "soft" in options
          ? { shape: [4, 3], fill: between(0, 1), wanted: false }
          : { shape: [4], fill: below(3), wanted: false },
        { shape: [4], fill: between(0, 2), wanted: false },
        { shape: [3], fill: between(0.5, 2), wanted: false },
      ],
      attributes: { gradient, ...options },
    })),
    { inputs: [{ shape: [4, 3] }, { shape: [4], fill: below(3), wanted: false }], attributes: { gradient } },
    {
      inputs: [
        { shape: [4, 2, 3] },
        { shape: [4, 2], fill: below(3), wanted: false },
        { shape: [4, 2], fill: between(0, 2), wanted: false },
      ],
      attributes: { gradient },
    },
  ],
  ...Object.fromEntries(
    [
      ["meanAbsoluteError", {}],
      ["huber", { delta: 0.5 }],
      ["binaryCrossEntropy", { posWeight: 2.5 }],
      ["klDivergence", {}],
    ].map(([op, options]) => [
      op as string,
      [
        {
          inputs: [
            { shape: [4, 3] },
            { shape: [4, 3], fill: between(0.1, 0.9), wanted: false },
            { shape: [4], fill: between(0, 2), wanted: false },
          ],
          attributes: { gradient, ...(options as object) },
        },
      ],
    ]),
  ),
  meanOf: [
    { inputs: [{ shape: [4, 3] }, { shape: [4], fill: between(-1, 1), wanted: false }], attributes: { gradient } },
  ],
  meanSquaredError: [
    [4, 3],
    [3, 2, 2],
  ].map((shape) => ({
    inputs: [
      { shape },
      { shape, fill: apart, wanted: false },
      ...(shape.length === 2 ? [] : [{ shape: [3, 2], fill: between(0, 2), wanted: false }]),
    ],
    attributes: { gradient },
  })),
};
