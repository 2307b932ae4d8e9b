// Every factory of the optimizers, schedules, presets and controllers, and of layers that take a rate, found at the door: whatever is no option of it is refused
// by a typed error that names it, or means what it says. Nothing passes in silence.

import { describe, expect, test } from "vitest";
import * as gradus from "../../src/index.ts";

const { GradusError, OptionError, constant } = gradus;
type Factory = (...given: unknown[]) => unknown;

const half = (): number => 0.5;
const target = { scale: () => undefined };
const span = { steps: 100 };

/** What each factory is called with, sound and whole; the last one is its options, if it has any. */
const calls: Readonly<Record<string, { readonly before?: readonly unknown[]; readonly options?: object }>> = {
  sgd: {
    options: {
      lr: 1,
      momentum: 0.9,
      dampening: 0,
      nesterov: true,
      weightDecay: 0,
      decoupled: false,
      lrInMomentum: false,
    },
  },
  lars: { options: { lr: 1, momentum: 0.9, trustCoefficient: 0.1, eps: 0.1 } },
  adam: {
    options: { lr: 1, betas: [0.9, 0.99], eps: 0.1, weightDecay: 0, amsgrad: true, epsInside: true, epsFirst: false },
  },
  adamw: {
    options: { lr: 1, betas: [0.9, 0.99], eps: 0.1, weightDecay: 0, amsgrad: true, epsInside: true, epsFirst: false },
  },
  lamb: { options: { lr: 1, betas: [0.9, 0.99], eps: 0.1, weightDecay: 0, epsInside: true, epsFirst: false } },
  adagrad: {
    options: { lr: 1, weightDecay: 0, eps: 0.1, decoupled: true, lrDecay: 0, initialAccumulator: 0, epsInside: true },
  },
  adadelta: { options: { lr: 1, weightDecay: 0, eps: 0.1, decoupled: true, rho: 0.5 } },
  rmsprop: {
    options: {
      lr: 1,
      weightDecay: 0,
      eps: 0.1,
      decoupled: true,
      alpha: 0.5,
      momentum: 0,
      centered: true,
      epsInside: true,
    },
  },
  adamax: { options: { lr: 1, weightDecay: 0, eps: 0.1, decoupled: true, betas: [0.9, 0.99] } },
  radam: { options: { lr: 1, weightDecay: 0, eps: 0.1, decoupled: true, betas: [0.9, 0.99] } },
  nadam: { options: { lr: 1, weightDecay: 0, eps: 0.1, decoupled: true, betas: [0.9, 0.99], momentumDecay: 0.1 } },
  lion: { options: { lr: 1, weightDecay: 0, betas: [0.9, 0.99] } },
  guard: { options: { layers: "head", factor: 10, decay: 0.5, warmup: 5, rest: 5, recovery: 2 } },
  updateRatio: { options: { layers: "head", target: 0.1, power: 0.1, min: 0.5, max: 2 } },
  autoRgn: { options: { layers: "head", steps: 5, min: 0.5 } },
  hypergradient: { options: { layers: "head", rate: 0.1, min: 0.5, max: 2 } },
  lossPlateau: {
    options: { layers: "head", steps: 5, patience: 5, factor: 0.5, threshold: 0.1, cooldown: 5, min: 0.5 },
  },
  layerDecay: { before: [0.5], options: { floor: 0.1, freezeBelow: 0.1 } },
  discriminative: { before: [2] },
  geometric: { before: [0.1, 1] },
  inputFirst: { before: [0.5] },
  loraPlus: { before: [16] },
  muP: { options: { base: { head: [1, 2] }, optimizer: "sgd" } },
  gradualUnfreezing: { options: { every: 5 } },
  freezeOut: { options: { steps: 100, t0: 0.5, cubic: false } },
  reduceLROnPlateau: {
    before: [target],
    options: {
      mode: "min",
      factor: 0.5,
      patience: 5,
      threshold: 0.1,
      thresholdMode: "rel",
      cooldown: 5,
      minLr: 0,
      eps: 0,
    },
  },
  constant: { options: {} },
  lambdaLR: { before: [half] },
  multiplicativeLR: { before: [half] },
  constantLR: { options: { ...span, factor: 0.5 } },
  linearLR: { options: { ...span, startFactor: 0.5, endFactor: 1 } },
  polynomialLR: { options: { ...span, power: 2 } },
  exponentialLR: { options: { ...span, gamma: 0.5 } },
  stepLR: { options: { ...span, gamma: 0.5 } },
  multiStepLR: { options: { milestones: [5, 10], gamma: 0.5 } },
  cosineAnnealingLR: { options: { ...span, etaMin: 0.5 } },
  cosineAnnealingWarmRestarts: { options: { ...span, tMult: 2, etaMin: 0.5 } },
  oneCycle: {
    options: { ...span, pctStart: 0.5, anneal: "cos", threePhase: false, divFactor: 25, finalDivFactor: 10 },
  },
  oneCycleMomentum: {
    options: { ...span, pctStart: 0.5, anneal: "cos", threePhase: false, baseMomentum: 0.5, maxMomentum: 0.9 },
  },
  cyclicLR: { options: { floor: 0.1, up: 5, down: 5, mode: "triangular", gamma: 1 } },
  cyclicMomentum: { options: { up: 5, down: 5, mode: "triangular", gamma: 1, baseMomentum: 0.5, maxMomentum: 0.9 } },
  warmupCosine: { options: { ...span, warmup: 5, floor: 0 } },
  warmupLinear: { options: { ...span, warmup: 5, floor: 0 } },
  warmupInverseSqrt: { options: { warmup: 5, timescale: 5 } },
  wsd: { options: { ...span, warmup: 5, floor: 0, decay: 0.5 } },
  slantedTriangular: { options: { ...span, cutFrac: 0.5, ratio: 32 } },
  sequence: { before: [[half, half], [5]] },
  chain: { before: [[half, half]] },
  perEpoch: { before: [half] },
  local: { before: [half] },
  preview: { before: [half, 5], options: { base: 1, stepsPerEpoch: 5 } },
  scheduleFrom: { options: { name: "oneCycle", options: span } },
  describeSchedule: { before: [constant()] },
  dropout: { before: [0.5] },
  spatialDropout: { before: [0.5] },
  stochasticDepth: { before: [[gradus.dense(1)]], options: { rate: 0.5 } },
};

/** Functions at the door that belong to other tests: those of models, data and the trainer. Layers that are one op hold it. */
const others = [
  ...["averagePool1d", "globalAveragePool1d", "globalAveragePool2d", "globalMaxPool1d", "globalMaxPool2d", "maxPool1d"],
  ...["batchNorm", "groupNorm", "layerNorm", "rmsNorm"],
  "compile",
  ...["accuracy", "binaryAccuracy", "confusionMatrix", "infoNCE", "perplexity"],
  "bidirectional",
  "binaryCrossEntropy",
  "concatenate",
  "conv1d",
  "conv2d",
  "conv2dTranspose",
  "cropping2d",
  "crossEntropy",
  "dense",
  "depthwiseConv2d",
  "depthToSpace",
  "embedding",
  "flatten",
  "functional",
  "glu",
  "gru",
  "huber",
  "inference",
  "klDivergence",
  "lstm",
  "meanAbsoluteError",
  "meanSquaredError",
  "multiHeadAttention",
  "permute",
  "positionEmbedding",
  "reshape",
  "rotary",
  "separableConv2d",
  "sinusoidalPositions",
  "spaceToDepth",
  "topK",
  "transformerBlock",
  "upSampling2d",
  "zeroPadding2d",
];
const more = [
  ...[
    "checkGradients",
    "cut",
    "decodeSafetensors",
    "defineElementwise",
    "defineOp",
    "encodeSafetensors",
    "graph",
    "prelu",
    "print",
    "replaceHead",
    "residual",
  ],
  ...["sequential", "suggestRates", "summary", "swiglu"],
];

const factories = Object.entries(gradus).flatMap(([name, value]) =>
  typeof value === "function" && /^[a-z]/.test(name) && ![...others, ...more].includes(name) && !("op" in value)
    ? [[name, value as Factory] as const]
    : [],
);

test("every factory at the door is here", () => {
  expect(factories.map(([name]) => name).sort()).toEqual(Object.keys(calls).sort());
});

/** Nothing that any option may be. */
const never = [null, Number.NaN, -1e300, "not at all", "", {}, [], Symbol("s"), 10n, () => 1];
/** No list, no number, no text may stand for a record of options. */
const noOptions = [
  null,
  0.01,
  3,
  Number.NaN,
  "0.1",
  "",
  true,
  false,
  [],
  [1],
  new Map([["lr", 1]]),
  new Date(0),
  /lr/,
  half,
  10n,
];

const told = (use: () => unknown): unknown => {
  try {
    return use();
  } catch (error) {
    return error;
  }
};

describe.each(factories.filter(([name]) => name in calls))("%s", (name, factory) => {
  const { before = [], options } = calls[name] as (typeof calls)[string];
  const withOptions = (given: unknown): unknown => told(() => factory(...before, given));
  // What a spec's own factory refuses it refuses by its name.
  const place = new RegExp(`^${name === "scheduleFrom" ? "(scheduleFrom|oneCycle)" : name}`);

  function expectRefused(outcome: unknown, about: string): void {
    expect(outcome, about).toBeInstanceOf(GradusError);
    expect((outcome as Error).message, about).toMatch(place);
    expect((outcome as Error).message, about).not.toContain("internal");
  }

  test("takes what is meant", () => {
    expect(told(() => factory(...before, ...(options === undefined ? [] : [options])))).not.toBeInstanceOf(Error);
  });

  test("refuses arguments that are none", () => {
    for (const i of before.keys()) {
      for (const odd of [null, Number.NaN, Number.POSITIVE_INFINITY, -1, "0.5", true, {}, [], [null]]) {
        const given = before.map((value, j) => (i === j ? odd : value));
        expectRefused(
          told(() => factory(...given)),
          `${i}: ${String(odd)}`,
        );
      }
    }
  });

  if (options === undefined) return;

  test("refuses what is no record of options", () => {
    for (const odd of noOptions) expectRefused(withOptions(odd), String(odd));
  });

  test("refuses an option that does not exist, and names it", () => {
    for (const odd of ["learningRate", "nonsense", "0"]) {
      const outcome = withOptions({ ...options, [odd]: 1 });
      expectRefused(outcome, odd);
      expect((outcome as Error).message).toContain(`has no "${odd}"`);
    }
  });

  test("takes undefined for an option as its default, or asks for it", () => {
    for (const key of Object.keys(options)) {
      const { [key]: _, ...without } = options as Record<string, unknown>;
      const [left, given] = [withOptions(without), withOptions({ ...options, [key]: undefined })];
      expect(given instanceof Error ? String(given) : "made", key).toBe(left instanceof Error ? String(left) : "made");
      if (left instanceof Error) expectRefused(left, key);
    }
  });

  test("refuses for each option what it cannot be", () => {
    for (const [key, value] of Object.entries(options)) {
      // A spec's options are those of its factory.
      if (name === "scheduleFrom" && key === "options") continue;
      for (const odd of never) {
        // By pattern or by tensor nothing may be named, and milestones may be none.
        const empty = typeof odd === "object" && odd !== null && Object.keys(odd).length === 0;
        if (empty && (key === "base" || (key === "milestones" && Array.isArray(odd)))) continue;
        expectRefused(withOptions({ ...options, [key]: odd }), `${key}: ${String(odd)}`);
      }
      if (typeof value !== "boolean") expectRefused(withOptions({ ...options, [key]: true }), `${key}: true`);
      else for (const odd of ["true", "false", 0, 1]) expectRefused(withOptions({ ...options, [key]: odd }), key);
      if (typeof value !== "number") continue;
      expectRefused(withOptions({ ...options, [key]: String(value) }), `${key} as text`);
      // Infinitely many steps are a schedule that stands at its start.
      if (key === "steps" && !/freezeOut|autoRgn|lossPlateau/.test(name)) continue;
      expectRefused(withOptions({ ...options, [key]: Number.POSITIVE_INFINITY }), `${key}: Infinity`);
    }
  });
});

test("betas are a pair of numbers", () => {
  for (const make of [gradus.adam, gradus.adamw, gradus.lamb, gradus.adamax, gradus.radam, gradus.nadam, gradus.lion]) {
    for (const betas of [0.9, [0.9], [0.9, 0.99, 0.999], [0.9, 1], [-0.1, 0.9], ["0.9", "0.99"], [0.9, null]])
      expect(() => make({ betas: betas as never }), String(betas)).toThrow(OptionError);
  }
});

test("messages of the commonest slips say what to write", () => {
  const {
    adam,
    adamw,
    sgd,
    guard,
    updateRatio,
    oneCycle,
    constant: hold,
  } = gradus as unknown as Record<string, Factory>;
  const slips: (() => unknown)[] = [
    () => adam?.(0.01),
    () => sgd?.("0.1"),
    () => adamw?.({ learningRate: 0.1 }),
    () => adamw?.({ epsilon: 0.1 }),
    () => adam?.({ betas: 0.9 }),
    () => adam?.({ amsgrad: "false" }),
    () => sgd?.({ nesterov: 1 }),
    () => sgd?.({ lr: 1e39 }),
    () => guard?.(5),
    () => guard?.({ layers: 3 }),
    () => updateRatio?.({ target: "x" }),
    () => oneCycle?.(3),
    () => hold?.(0.5),
  ];
  expect(slips.map((use) => String(told(use)))).toMatchInlineSnapshot(`
    [
      "OptionError: adam: its options are 0.01, they must be an object. Write adam({ lr: 0.01 }).",
      "OptionError: sgd: its options are "0.1", they must be an object. Write sgd({ lr: 0.01 }).",
      "OptionError: adamw: it has no "learningRate". Did you mean "lr"? It may have lr, betas, eps, weightDecay, amsgrad, epsInside, epsFirst.",
      "OptionError: adamw: it has no "epsilon". Did you mean "eps"? It may have lr, betas, eps, weightDecay, amsgrad, epsInside, epsFirst.",
      "OptionError: adam: betas is 0.9, it must be two numbers. Write betas: [0.9, 0.999].",
      "OptionError: adam: amsgrad is "false", it must be true or false.",
      "OptionError: sgd: nesterov is 1, it must be true or false.",
      "OptionError: sgd: lr is 1e+39, it must be a finite number of at least 0, and within f32: at most 3.4e38.",
      "OptionError: guard: its options are 5, they must be an object. It may have factor, decay, warmup, rest, recovery, layers.",
      "OptionError: guard: 3 is no pattern. Use a path such as "head", "blocks.*.norm" or "**.bias".",
      "OptionError: updateRatio: target is "x", it must be greater than 0.",
      "OptionError: oneCycle: its options are 3, they must be an object. Write oneCycle({ steps: 3 }).",
      "OptionError: constant: its options are 0.5, they must be an object. Write constant(), and the rate as lr.",
    ]
  `);
});
