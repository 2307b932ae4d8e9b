// Which trainings together use every variant of what ships. Nothing of it is a list of variants: rules, controllers and layers
// without arguments are found at the door, their options in their spec, and the tests hold what was seen
// against the conditions in the shaders' texts. So what is added later is tried too, or missed by name.

import * as door from "../../src/index.ts";
import type { UpdateRule } from "../../src/kernels/update.ts";
import type { Optimizer } from "../../src/optim/optimizer.ts";
import type { Call, Trial } from "./trial.ts";

type Options = Readonly<Record<string, unknown>>;
type Maker = (options?: Options) => unknown;

const makers = Object.entries(door as unknown as Record<string, Maker>).filter(
  ([, value]) => typeof value === "function",
);

/** What a function of the door makes; undefined where it refuses. */
function made(maker: Maker, options?: Options): unknown {
  try {
    const value = options === undefined ? maker() : maker(options);
    if (value instanceof Promise) value.catch(() => undefined);
    return value;
  } catch {
    return undefined;
  }
}

const isOptimizer = (value: unknown): value is Optimizer =>
  typeof value === "object" && value !== null && "writeRow" in value;
const isLayer = (value: unknown): boolean => typeof value === "object" && value !== null && "apply" in value;

const isController = (value: unknown): boolean => typeof value === "object" && value !== null && "part" in value;

/** Names of the controllers. */
export const controllers = makers.filter(([, maker]) => isController(made(maker))).map(([name]) => name);

const optimizerMakers = makers.filter(([, maker]) => isOptimizer(made(maker)));

/** Whether a layer goes behind a dense one of any width. */
const takesRows = (layer: unknown): boolean =>
  made(() => door.summary(door.sequential([door.dense(3), layer as door.Layer]), { input: [4] })) !== undefined;

/** The layers that take nothing and rows of numbers: activations and flatten. */
export const plainLayers = makers
  .filter(([, maker]) => maker.length === 0 && isLayer(made(maker)) && takesRows(made(maker)))
  .map(([name]) => name);

/** The layers that are one op and take a size: poolings. */
const poolings = makers.filter(([name, maker]) => "op" in maker && !plainLayers.includes(name)).map(([name]) => name);

/** Names of the options of a rule. A rate changes no variant, and a large one ends a training. */
const optionNames = (maker: Maker): string[] => [
  ...Object.keys((made(maker) as Optimizer).spec.options),
  "weightDecay",
];

/** Values that one option or another can have. */
const values: readonly unknown[] = [true, 0.5, 0, [0.8, 0.95]];

/** All choices of at most `most` options, smaller ones first. */
function* choices(names: readonly string[], most: number): Generator<Options> {
  yield {};
  if (most === 0) return;
  let before: { options: Options; next: number }[] = [{ options: {}, next: 0 }];
  for (let size = 1; size <= most; size++) {
    const here: typeof before = [];
    for (const { options, next } of before) {
      for (let i = next; i < names.length; i++) {
        for (const value of values) here.push({ options: { ...options, [names[i] as string]: value }, next: i + 1 });
      }
    }
    for (const { options } of here) yield options;
    before = here;
  }
}

export interface Variant {
  readonly maker: Call;
  readonly optimizer: Optimizer;
}

/** What tells one shader from another. */
const shapeOf = ({ kernel, variant, moments, trust }: UpdateRule): string =>
  JSON.stringify([kernel, variant, moments, trust?.kind]);

const isPlain = ({ variant }: UpdateRule): boolean =>
  Object.values(variant).every((value) => typeof value === "boolean");

/** Every shader that the options of a rule reach, each by as few options as it takes. */
export const ruleVariants: readonly Variant[] = optimizerMakers.flatMap(([call, maker]) => {
  // An option is of this rule if it changes anything, alone or beside a momentum.
  const own = optionNames(maker).filter((name) =>
    values.some((value) =>
      [{}, { momentum: 0.5 }].some((beside) => {
        const [bare, given] = [made(maker, beside), made(maker, { ...beside, [name]: value })];
        return (
          isOptimizer(bare) && isOptimizer(given) && isPlain(given.rule) && shapeOf(given.rule) !== shapeOf(bare.rule)
        );
      }),
    ),
  );
  const found = new Map<string, Variant>();
  for (const options of choices(own, own.length)) {
    const optimizer = made(maker, options);
    if (!isOptimizer(optimizer) || !isPlain(optimizer.rule)) continue;
    const shape = shapeOf(optimizer.rule);
    const args = Object.keys(options).length === 0 ? [] : [options];
    if (!found.has(shape)) found.set(shape, { maker: { call, args }, optimizer });
  }
  return [...found.values()];
});

/** Every option of every rule by itself, whatever it changes: a constant, a row, a start. */
export const optionVariants: readonly Variant[] = optimizerMakers.flatMap(([call, maker]) =>
  optionNames(maker).flatMap((name) =>
    values.flatMap((value): Variant[] => {
      const options = { [name]: value };
      const [bare, optimizer] = [made(maker), made(maker, options)];
      if (!isOptimizer(bare) || !isOptimizer(optimizer) || !isPlain(optimizer.rule)) return [];
      return differs(optimizer, bare) ? [{ maker: { call, args: [options] }, optimizer }] : [];
    }),
  ),
);

function differs(one: Optimizer, other: Optimizer): boolean {
  const told = ({ rule, weightDecay, writeRow }: Optimizer): string => {
    const rows = [1, 2].map((t) => {
      const row = new Float32Array(4);
      writeRow(row, 0, 0.1, 0.1, t);
      return [...row];
    });
    return JSON.stringify([rule, weightDecay, rows]);
  };
  return told(one) !== told(other);
}

const small = { input: [3], batch: 8, loss: { call: "meanSquaredError" } };
const line: Call = { call: "sequential", args: [[{ call: "dense", args: [1] }]] };
const curve: Call = {
  call: "sequential",
  args: [{ body: [{ call: "dense", args: [5] }, { call: "tanh" }], head: { call: "dense", args: [1] } }],
};
const say = ({ call, args = [] }: Call): string => `${call}(${args.map((one) => JSON.stringify(one)).join(", ")})`;

/** Each rule in each variant, alone. */
const alone: readonly Trial[] = ruleVariants.map(({ maker }) => ({
  name: say(maker),
  model: line,
  options: { ...small, optimizer: maker },
}));

/** Of each rule the plain one and the one with all that its options can add. */
const ends: readonly Variant[] = optimizerMakers.flatMap(([name]) => {
  const own = ruleVariants.filter(({ maker }) => maker.call === name);
  return [...new Set([own[0] as Variant, own.at(-1) as Variant])];
});

/** Few rules a shader: a compiler for CPUs takes long over many. */
const SIDE_BY_SIDE = 4;

/** Rules side by side, each on a layer of its own. */
function mixed(name: string, variants: readonly Variant[], more: Options = {}): Trial[] {
  return Array.from({ length: Math.ceil(variants.length / SIDE_BY_SIDE) }, (_, part): Trial => {
    const own = variants.slice(part * SIDE_BY_SIDE, (part + 1) * SIDE_BY_SIDE);
    const layers = own.map((_, i) => [
      `l${i}`,
      { call: "residual", args: [[{ call: "dense", args: [3, { bias: i % 2 === 0 }] }]] },
    ]);
    // Slower than the rules' own rates: some options make them fast.
    const rates = own.map(({ maker }, i) => [`l${i}`, { optimizer: maker, multiplier: 0.1 }]);
    return {
      name: `${name} ${part}`,
      model: { call: "sequential", args: [{ ...Object.fromEntries(layers), head: { call: "dense", args: [1] } }] },
      options: { ...small, rates: Object.fromEntries(rates), ...more },
    };
  });
}

const moving = { momentum: { call: "cyclicMomentum", args: [{ up: 4 }] } };
const isMoved = ({ optimizer }: Variant): boolean => optimizer.rule.momentum !== undefined;
const clips: readonly Options[] = [{ norm: 0.5 }, { layerNorm: 0.5 }, { value: 0.1 }];
const controls = controllers.map((call) => ({ call }));
const rulesAround = [{ call: "adamw" }, { call: "sgd", args: [{ momentum: 0.9, lr: 0.05 }] }];

/** What stands around the update. */
const passes: readonly (readonly [name: string, more: Options])[] = [
  ["nothing", {}],
  ...controls.map((one) => [one.call, { control: [one] }] as const),
  ...clips.map((clip) => [`clip ${JSON.stringify(clip)}`, { clip }] as const),
  ["micro-batches", { accumulate: 2 }],
  ["running means", { averaging: 0.9 }],
  ["running means of guarded layers", { averaging: 0.9, control: [{ call: "guard" }] }],
  ["a clip by value under a guard", { control: [{ call: "guard" }], clip: clips[2] }],
  ["biases alone", { rates: { "**.weight": { frozen: true } } }],
  ["sums in parts", { batch: 512, optimizer: { call: "adam", args: [{ lr: 0.01 }] } }],
  [
    "a direction beside a third moment",
    { optimizer: { call: "adam", args: [{ amsgrad: true }] }, control: [{ call: "hypergradient" }] },
  ],
  ["lamb, clipped", { optimizer: { call: "lamb" }, clip: clips[0] }],
  ["everything", { accumulate: 3, averaging: 0.9, control: controls, clip: clips[1], ...moving }],
];

/** The sum of a gradient has a weight for each of so many tiles that it is not cut, and more samples than one block. */
const long: Trial = {
  name: "a sum longer than a block",
  model: {
    call: "sequential",
    args: [[{ call: "dense", args: [136] }, { call: "tanh" }, { call: "dense", args: [1] }]],
  },
  options: { ...small, input: [64], batch: 1100, optimizer: { call: "adam", args: [{ lr: 1e-3 }] } },
};

const own: Trial = {
  name: "a layer of one's own",
  model: {
    call: "sequential",
    args: [[{ call: "dense", args: [4] }, { call: "shift" }, { call: "dense", args: [1] }]],
  },
  options: { ...small, optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
};

const twice: Trial = {
  name: "a weight that is used twice",
  model: {
    call: "sequential",
    args: [[{ call: "dense", args: [4] }, { call: "twice" }, { call: "dense", args: [1] }]],
  },
  options: { ...small, batch: 512, optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
};

/** States and random numbers, where an update has one batch and where it has several. */
const drawn = (["uniform", "normal"] as const).map(
  (kind, i): Trial => ({
    name: `states and ${kind} numbers`,
    model: {
      call: "sequential",
      args: [
        [
          { call: "dense", args: [4] },
          { call: "drawing", args: [kind] },
          { call: "dense", args: [1] },
        ],
      ],
    },
    options: { ...small, accumulate: 1 + i, optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
  }),
);

/** What is dropped, by number, by channel and by sample, beside activations with options and gates. */
const dropping: Trial = {
  name: "dropping",
  model: {
    call: "sequential",
    args: [
      [
        { call: "dense", args: [8] },
        { call: "dropout", args: [0.1] },
        { call: "spatialDropout", args: [0.1] },
        {
          call: "stochasticDepth",
          args: [[{ call: "swiglu" }, { call: "gelu", args: [{ approximate: true }] }], { rate: 0.1 }],
        },
        { call: "flatten" },
        { call: "leakyRelu", args: [{ slope: 0.2 }] },
        { call: "dense", args: [1] },
      ],
    ],
  },
  options: { ...small, input: [2, 3], optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
};
/** Sequences: less work than a workgroup has threads for, and more. */
const sequences = [3, 20].map(
  (units): Trial => ({
    name: `sequences, ${units} units`,
    model: {
      call: "sequential",
      args: [
        [
          { call: "recurring", args: [units] },
          { call: "dense", args: [1] },
        ],
      ],
    },
    options: { ...small, input: [5, 3], optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
  }),
);

/** What normalizes: by fours and one by one, in groups that a thread takes and that a workgroup shares, with and without its weights. */
const normed: readonly Trial[] = [3, 8, 130].flatMap((width): Trial[] => {
  const rest = { ...small, optimizer: { call: "adam", args: [{ lr: 0.01 }] } };
  const chain = (...layers: Call[]): Call => ({ call: "sequential", args: [layers] });
  const call = (name: string, ...args: unknown[]): Call => ({ call: name, args });
  const bare = [{}, { scale: false }, { offset: false }, { scale: false, offset: false }];
  const rows = chain(
    ...[
      call("dense", width),
      call("layerNorm"),
      call("layerNorm", { scale: false }),
      call("layerNorm", { offset: false }),
    ],
    ...[call("rmsNorm"), call("groupNorm", 1), call("reaching"), call("flatten"), call("dense", 1)],
  );
  const images = chain(
    ...[call("conv2d", width, { padding: "same" }), call("depthwiseConv2d", { padding: "same" })],
    ...bare.flatMap((options) => [call("batchNorm", options), call("tanh")]),
    ...[call("globalAveragePool2d"), call("dense", 1)],
  );
  return [
    { name: `norms of rows, ${width} wide`, model: rows, options: { ...rest, input: [2, 3] } },
    ...(width > 8
      ? [
          {
            name: `norms of rows, ${width} wide, as on a GPU`,
            model: rows,
            options: { ...rest, input: [2, 3] },
            asGpu: true,
          },
        ]
      : [{ name: `norms of images, ${width} wide`, model: images, options: { ...rest, input: [4, 5, 1] } }]),
  ];
});

/** So many rows that their sums are cut, and a norm that rests. */
const longNorm: Trial = {
  name: "norms of many rows, and at rest",
  model: {
    call: "sequential",
    args: [
      {
        first: { call: "dense", args: [3] },
        norm: { call: "batchNorm" },
        rested: { call: "batchNorm" },
        pool: { call: "globalAveragePool1d" },
        head: { call: "dense", args: [1] },
      },
    ],
  },
  options: { ...small, input: [9000, 1], base: "rested.**", optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
};

/** Operands that are repeated, and a loss of terms. */
const reckoned: readonly Trial[] = [
  {
    name: "arithmetic",
    model: {
      call: "sequential",
      args: [[{ call: "dense", args: [4] }, { call: "reckoning" }, { call: "dense", args: [1] }]],
    },
    options: { ...small, optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
  },
  {
    name: "a loss of one's own",
    model: { call: "sequential", args: [[{ call: "dense", args: [3] }]] },
    options: {
      ...{ ...small, loss: { call: "ownLoss" }, optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
      target: { label: { shape: [], classes: 3 }, near: [3] },
    },
    ...{ classes: 3, targets: 3, named: ["label", "near"], bytes: true },
  },
  {
    name: "every loss, and a metric",
    model: { call: "sequential", args: [[{ call: "dense", args: [3] }]] },
    options: {
      ...{ ...small, loss: { call: "everyLoss" }, optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
      ...{
        target: { label: { shape: [], classes: 3 }, near: [3] },
        metrics: { top: { call: "top" }, taken: { call: "taken" } },
      },
    },
    ...{ classes: 3, targets: 3, named: ["label", "near"], perSample: true },
  },
  {
    name: "metrics of classes",
    model: { call: "sequential", args: [[{ call: "dense", args: [3] }]] },
    options: {
      ...{ ...small, loss: { call: "crossEntropy" }, optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
      metrics: {
        ...{ accuracy: { call: "accuracy" }, perplexity: { call: "perplexity" } },
        taken: { call: "confusionMatrix", args: [3] },
      },
    },
    classes: 3,
  },
  {
    name: "metrics of numbers",
    model: { call: "sequential", args: [[{ call: "dense", args: [3] }]] },
    options: {
      ...{ ...small, optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
      metrics: {
        ...{ right: { call: "binaryAccuracy" }, far: { call: "meanAbsoluteError" } },
        taken: { call: "confusionMatrix", args: [2] },
      },
    },
    targets: 3,
  },
];

/** Numbers that move, by fours and one by one; images between pixels; tokens and places. */
const moved: readonly Trial[] = [3, 8].flatMap((width): Trial[] => {
  const adam = { optimizer: { call: "adam", args: [{ lr: 0.01 }] } };
  const dense: Call = { call: "dense", args: [width] };
  const chain = (...layers: Call[]): Call => ({ call: "sequential", args: [layers] });
  return [
    {
      name: `moves, ${width} wide`,
      model: chain(dense, { call: "moving" }, { call: "dense", args: [1] }),
      options: { ...small, ...adam },
    },
    {
      name: `larger images, ${width} wide`,
      model: chain(
        { call: "conv2d", args: [width] },
        { call: "upSampling2d", args: [{ interpolation: "bilinear" }] },
        { call: "tanh" },
        { call: "flatten" },
        { call: "dense", args: [1] },
      ),
      options: { ...small, ...adam, input: [4, 5, 1] },
    },
    {
      name: `tokens, ${width} wide`,
      model: chain(
        { call: "embedding", args: [3, width] },
        { call: "positionEmbedding", args: [30] },
        { call: "sinusoidalPositions" },
        { call: "flatten" },
        { call: "dense", args: [1] },
      ),
      options: { ...small, ...adam, input: [26] },
      vocabulary: 3,
    },
  ];
});
/** Heads that are read in fours and others, with positions and with a mask. */
const attending: Trial = {
  name: "attention",
  model: {
    call: "sequential",
    args: [
      [
        { call: "dense", args: [8] },
        { call: "multiHeadAttention", args: [{ heads: 2, keyHeads: 1, positions: { call: "rotary" } }] },
        { call: "looking" },
        { call: "multiHeadAttention", args: [{ heads: 2, units: 6, causal: true }] },
        { call: "flatten" },
        { call: "dense", args: [1] },
      ],
    ],
  },
  options: { ...small, input: [5, 3], optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
};

/** A product so large that a GPU stages its operands. */
const wide: Trial = {
  name: "staged, as on a GPU",
  model: {
    call: "sequential",
    args: [[{ call: "dense", args: [256] }, { call: "globalAveragePool1d" }, { call: "dense", args: [1] }]],
  },
  options: { ...small, input: [48, 9], optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
  asGpu: true,
};

/** So many that a workgroup of a GPU takes each row of the loss. */
const manyClasses: Trial = {
  name: "many classes",
  model: { call: "sequential", args: [[{ call: "dense", args: [1030] }]] },
  options: { ...small, loss: { call: "crossEntropy" }, optimizer: { call: "adam", args: [{ lr: 0.01 }] } },
  classes: 1030,
  asGpu: true,
};

const around: readonly Trial[] = [false, true].flatMap((asGpu) =>
  passes
    .filter(([name]) => !asGpu || ["nothing", "guard", "updateRatio", "everything"].includes(name))
    .map(
      ([name, more]): Trial => ({
        name: `${name}${asGpu ? ", as on a GPU" : ""}`,
        model: curve,
        options: { ...small, optimizer: rulesAround[asGpu ? 1 : 0], ...more },
        statistics: true,
        asGpu,
      }),
    ),
);

/** Layers and losses, on sizes that fill vectors of four and on others. */
const layers: readonly Trial[] = [false, true].flatMap((asGpu) =>
  [3, 8].flatMap((width) => {
    const end = asGpu ? ", as on a GPU" : "";
    const images = {
      batch: 6,
      input: [6, 7, width === 3 ? 1 : 4],
      loss: { call: "crossEntropy" },
      optimizer: { call: "adam", args: [{ lr: 0.01 }] },
    };
    const padding = width === 3 ? "same" : "valid";
    const image: Call = {
      call: "sequential",
      args: [
        [
          { call: "conv2d", args: [width, { kernel: [3, 2], padding, stride: width === 8 ? [1, 2] : 1 }] },
          { call: "relu" },
          ...poolings.map((call) => ({ call, args: [2, { stride: 1, padding: "same" }] })),
          {
            call: "conv2d",
            args: [width, { kernel: 2, padding: "same", bias: false, stride: width === 8 ? [2, 1] : 1 }],
          },
          { call: "sigmoid" },
          { call: "maxPool2d", args: [2] },
          { call: "flatten" },
          { call: "dense", args: [width] },
        ],
      ],
    };
    const chain = plainLayers.flatMap((call) => [{ call: "dense", args: [width] }, { call }]);
    const block = {
      call: "residual",
      args: [[...chain, { call: "dense", args: [width, { bias: false }] }]],
    };
    const flat: Call = {
      call: "sequential",
      args: [[{ call: "dense", args: [width] }, ...plainLayers.map((call) => ({ call })), block, block]],
    };
    const wide = {
      input: [width],
      batch: 6,
      loss: { call: "meanSquaredError" },
      optimizer: { call: "adam", args: [{ lr: 0.01 }] },
    };
    return [
      { name: `images, ${width} filters${end}`, model: image, options: images, classes: width, asGpu },
      {
        name: `images of bytes, ${width} filters${end}`,
        model: image,
        options: images,
        classes: width,
        bytes: true,
        asGpu,
      },
      // Which tile a product has and whether its numbers come by four are tried by the images too: two of the four ways do here.
      ...(asGpu === (width === 8)
        ? [
            { name: `every activation, ${width} wide${end}`, model: flat, options: wide, targets: width, asGpu },
            {
              name: `bytes to numbers, ${width} wide${end}`,
              model: flat,
              options: wide,
              targets: width,
              bytes: true,
              asGpu,
            },
          ]
        : []),
    ];
  }),
);

export const trials: readonly Trial[] = [
  ...alone,
  ...mixed("rules side by side", ends),
  ...mixed("options side by side", optionVariants),
  ...mixed("rules with a schedule of their momentum", ends.filter(isMoved), moving),
  ...around,
  own,
  twice,
  ...drawn,
  dropping,
  ...sequences,
  ...normed,
  longNorm,
  long,
  wide,
  manyClasses,
  attending,
  ...reckoned,
  ...moved,
  ...layers,
];
