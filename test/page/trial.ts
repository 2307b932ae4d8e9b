// A training as plain data, and how a page plays it with one build of the engine: the same data trains the packed file and
// the source. What is called by name stands as { call, args }. `play` runs in the page and sees nothing of this file.

/** A call of one of the engine's functions. */
export interface Call {
  readonly call: string;
  readonly args?: readonly unknown[];
}

export interface Trial {
  readonly name: string;
  readonly model: Call;
  /** Options of `compile`, with calls in them. */
  readonly options: Readonly<Record<string, unknown>> & { readonly input: readonly number[] };
  /** The input is so many whole numbers. */
  readonly vocabulary?: number;
  /** Class numbers from 0 instead of targets in the shape of the output. */
  readonly classes?: number;
  /** Names of targets, of which the first is a class number; all are made of the same numbers. */
  readonly named?: readonly [label: string, numbers: string];
  /** Numbers in a target. Default 1. */
  readonly targets?: number;
  /** x is bytes, and so are targets that are numbers. */
  readonly bytes?: boolean;
  /** The adapter is taken for a GPU, whose variants are others. */
  readonly asGpu?: boolean;
  /** Leaves statistics in every third step. */
  readonly statistics?: boolean;
  /** Tells the loss of each sample. */
  readonly perSample?: boolean;
  /** Passes over the 24 samples. Default 6. */
  readonly epochs?: number;
}

export interface Played {
  /** Of each epoch, and of an evaluation after them. */
  readonly losses: readonly number[];
  readonly steps: number;
  /** All weights after one another, as of the end. */
  readonly weights: readonly number[];
  /** Of the steps that train, evaluate and predict: kernel, the conditions of its shader, and what it works on. */
  readonly kernels: readonly {
    readonly name: string;
    readonly conditions: Record<string, boolean>;
    readonly note: string;
  }[];
  readonly statistics: readonly number[];
  /** What an evaluation tells beside its loss. */
  readonly told: readonly number[];
  /** What the device said by itself. */
  readonly errors: readonly string[];
}

/** What a page of trials has in its global scope. */
export interface Builds {
  readonly builds: Readonly<Record<"packed" | "source", typeof import("../../src/index.ts")>>;
}

export async function play({ build, trial }: { build: keyof Builds["builds"]; trial: Trial }): Promise<Played> {
  const gradus = (globalThis as unknown as Builds).builds[build];
  type Value = import("../../src/index.ts").Value;
  type Functions = Readonly<Record<string, (...args: unknown[]) => unknown>>;
  /** A user's own layer, whose weight is added under another view: its gradient is copied. */
  const shift = (): import("../../src/index.ts").Layer => ({
    kind: "shift",
    apply: (scope, x) =>
      scope.op(gradus.ops.bias, {
        x,
        b: scope.op(
          gradus.ops.reshape,
          { x: scope.parameter("by", [1, x.shape.at(-1) ?? 1], "zeros") },
          { shape: x.shape.slice(-1) },
        ).y,
      }).z,
  });
  /** Recurrent layers that hand their states on: gradients come for outputs of every kind, and for what layers begin with. */
  const recurring = (units: number): import("../../src/index.ts").Layer => ({
    kind: "recurring",
    apply(scope, x) {
      const { gru, lstm } = gradus;
      const read = lstm(units, { returnSequences: true, returnState: true }).apply(scope.child("read"), x);
      const start = { x: read.y, h: read.h };
      const back = gru(units, { returnSequences: true, reverse: true }).apply(scope.child("back"), start);
      const given = { resetAfter: false, returnSequences: true, returnState: true } as const;
      const { y, h } = gru(units, given).apply(scope.child("next"), back);
      const again = gru(units, given).apply(scope.child("again"), { x: y, h }).y;
      return lstm(units).apply(scope.child("last"), { x: again, h: read.h, c: read.c });
    },
  });
  /** One that keeps states and draws random numbers. */
  const drawing = (kind: "uniform" | "normal"): import("../../src/index.ts").Layer => ({
    kind: "drawing",
    apply(scope, x) {
      if (scope.mode === "predict") return x;
      const sum = scope.state("sum", x.shape, "zeros");
      const noise = scope.draw("noise", kind, x.shape);
      scope.commit(sum, scope.op(gradus.ops.add, { x: sum, y: noise }).z);
      return scope.op(gradus.ops.add, { x, y: sum }).z;
    },
  });
  /** One that reckons with all operands: whole ones, repeated ones, and two of which neither is whole. */
  const reckoning = (): import("../../src/index.ts").Layer => ({
    kind: "reckoning",
    apply(scope, x) {
      const { ops } = gradus;
      type Two = typeof ops.add;
      const two = (op: Two, x: Value, y: Value): Value => scope.op(op, { x, y }).z;
      const one = (op: typeof ops.neg, x: Value): Value => scope.op(op, { x }).z;
      const row = { axes: [-1], keepDims: true };
      const by = scope.parameter("by", [x.shape.at(-1) ?? 1], "ones");
      const level = scope.op(ops.mean, { x }, row).y;
      const grid = two(ops.add, level, by);
      const safe = two(ops.add, one(ops.square, x), by);
      const near = two(ops.maximum, two(ops.minimum, x, grid), one(ops.neg, grid));
      const parts = [ops.sqrt, ops.log, ops.reciprocal].map((op) => one(op, safe));
      const whole = [...parts, one(ops.exp, one(ops.neg, one(ops.abs, x)))].reduce((a, b) => two(ops.add, a, b), near);
      const chosen = two(ops.add, two(ops.greater, x, level), two(ops.equal, two(ops.less, x, by), by));
      const bent = scope.op(ops.where, { condition: chosen, x: one(ops.sin, whole), y: whole }).z;
      const powers = [1.5, 0.3].map((exponent) => scope.op(ops.pow, { x: safe }, { exponent }).z);
      const held = scope.op(ops.clip, { x: powers.reduce((a, b) => two(ops.add, a, b), bent) }, { min: -9, max: 9 }).z;
      const y = two(ops.divide, two(ops.multiply, two(ops.subtract, held, level), by), safe);
      return two(ops.add, y, scope.op(ops.sum, { x: y }, row).y);
    },
  });
  /** One that moves numbers in every way, and goes on with as many as there were. */
  const moving = (): import("../../src/index.ts").Layer => ({
    kind: "moving",
    apply(scope, x) {
      const { ops } = gradus;
      const [batch = 1, columns = 1] = x.shape;
      const turned = scope.op(ops.permute, { x }, { axes: [1, 0] }).y;
      const back = scope.op(ops.permute, { x: turned }, { axes: [1, 0] }).y;
      const twice = scope.op(ops.tile, { x: back }, { repeats: [1, 2], each: true }).y;
      const half = scope.op(ops.slice, { x: twice }, { begin: [0, 1], stride: [1, 2] }).y;
      const wide = scope.op(ops.pad, { x: half }, { before: [0, columns], after: [0, columns], value: 0.5 }).y;
      const joined = gradus.concatenate(scope, [wide, scope.op(ops.concat, { a: x, b: half }).y, half]);
      const rows = scope.op(ops.reshape, { x: joined }, { shape: [batch, 6, columns] }).y;
      return scope.op(ops.mean, { x: rows }, { axes: [1] }).y;
    },
  });
  /** Attention to the places whose numbers have a sum above 0. */
  const looking = (): import("../../src/index.ts").Layer => ({
    kind: "looking",
    apply(scope, x) {
      const sums = scope.op(gradus.ops.sum, { x }, { axes: [-1] }).y;
      const mask = scope.op(gradus.ops.relu, { x: sums }).z;
      const inputs = { q: x, k: x, v: x, mask };
      return scope.op(gradus.ops.attention, inputs, { heads: 2, causal: true }).y;
    },
  });
  /** One weight that is used twice: the parts of its gradient are added up before they meet. */
  const twice = (): import("../../src/index.ts").Layer => ({
    kind: "twice",
    apply(scope, x) {
      const { matmul } = gradus.ops;
      const width = x.shape.at(-1) ?? 1;
      const b = scope.parameter("weight", [width, width], "glorotUniform");
      return scope.op(matmul, { a: scope.op(matmul, { a: x, b }).c, b }).c;
    },
  });
  /** The largest and the smallest number of each row, beside its shares. */
  const reaching = (): import("../../src/index.ts").Layer => ({
    kind: "reaching",
    apply(scope, x) {
      const { ops } = gradus;
      const row = { axes: [-1], keepDims: true };
      const ends = scope.op(ops.add, { x: scope.op(ops.max, { x }, row).y, y: scope.op(ops.min, { x }, row).y }).z;
      const shares = scope.op(ops.add, { x: scope.op(ops.softmax, { x }).y, y: scope.op(ops.logSoftmax, { x }).y }).z;
      return scope.op(ops.add, { x: shares, y: ends }).z;
    },
  });
  /** A loss of terms with weights of their own, and a report beside them. */
  const ownLoss = (): import("../../src/index.ts").LossFunction => (output, targets, scope) => {
    const { ops } = gradus;
    const weights = scope.op(ops.square, { x: targets.near }).z;
    const ofSamples = scope.op(ops.mean, { x: weights }, { axes: [1] }).y;
    scope.report("output", output);
    return {
      kind: gradus.crossEntropy().of(output, targets.label, ofSamples),
      near: gradus.meanSquaredError({ weight: 0.5 }).of(output, targets.near, weights),
      counted: gradus.meanSquaredError({ reduction: "count" }).of(output, targets.near, weights),
      small: { values: scope.op(ops.square, { x: output }).z, weight: 0.1 },
    };
  };
  /** Every loss that there is, of one output; targets as probabilities where a loss asks for them. */
  const everyLoss = (): import("../../src/index.ts").LossFunction => (output, targets, scope) => {
    const part = scope.op(gradus.ops.sigmoid, { x: targets.near }).z;
    const classWeights = [1, 2, 0.5];
    return {
      far: gradus.meanAbsoluteError().of(output, targets.near),
      huber: gradus.huber({ delta: 0.3 }).of(output, targets.near),
      binary: gradus.binaryCrossEntropy({ posWeight: 2 }).of(output, part),
      divergence: gradus.klDivergence({ weight: 0.1 }).of(output, part),
      soft: gradus.crossEntropy({ soft: true, labelSmoothing: 0.1, classWeights }).of(output, part),
      kind: gradus.crossEntropy({ ignoreIndex: 0, classWeights }).of(output, targets.label),
      pairs: gradus.infoNCE({ weight: 0.1 })(
        { output, near: targets.near },
        targets,
        scope,
      ) as import("../../src/index.ts").Term,
    };
  };
  type Metric = import("../../src/index.ts").MetricFunction;
  const top = (): Metric => (output, targets, scope) => gradus.topK(2)(output, targets.label, scope);
  const taken = (): Metric => (output, targets, scope) => gradus.confusionMatrix(3)(output, targets.label, scope);
  const own = {
    shift,
    recurring,
    drawing,
    reckoning,
    moving,
    looking,
    twice,
    reaching,
    ownLoss,
    everyLoss,
    top,
    taken,
  };
  const functions = { ...gradus, ...own } as unknown as Functions;
  const made = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(made);
    if (typeof value !== "object" || value === null) return value;
    const { call, args = [] } = value as Partial<Call>;
    if (call !== undefined) return functions[call]?.(...args.map(made));
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, made(entry)]));
  };
  // One device for all trials of a build: it knows what it has compiled already.
  const scope = globalThis as unknown as { devices?: Record<string, { device: GPUDevice; errors: string[] }> };
  scope.devices ??= {};
  const key = `${build} ${trial.asGpu === true}`;
  if (scope.devices[key] === undefined) {
    const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
    const requiredFeatures = (["subgroups"] as const).filter((feature) => adapter.features.has(feature));
    const made = await adapter.requestDevice({ requiredFeatures });
    const heard: string[] = [];
    made.addEventListener("uncapturederror", ({ error }) => heard.push(error.message));
    if (trial.asGpu === true) Object.defineProperty(made, "adapterInfo", { value: { vendor: "made up" } });
    scope.devices[key] = { device: made, errors: heard };
  }
  const { device, errors } = scope.devices[key];
  errors.length = 0;

  const count = 24;
  const features = trial.options.input.reduce((a, b) => a * b, 1);
  const numbers = (length: number, phase: number) =>
    Float32Array.from({ length }, (_, i) => (Math.imul(i + phase * 7919 + 1, 2654435761) >>> 8) / 2 ** 23 - 1);
  const raw = numbers(count * features, 1);
  const { vocabulary } = trial;
  const tokens = (words: number): Float32Array =>
    raw.map((value) => Math.min(words - 1, Math.floor(((value + 1) / 2) * words)));
  const given = vocabulary === undefined ? raw : tokens(vocabulary);
  const x = trial.bytes === true ? Uint8Array.from(raw, (value) => (value + 1) * 127) : given;
  const sums = Array.from({ length: count }, (_, i) =>
    Array.from(x.slice(i * features, (i + 1) * features)).reduce((a, b) => a + b),
  );
  const middle = [...sums].sort((a, b) => a - b)[count / 2] as number;
  const { classes, targets = 1, named } = trial;
  const close = Float32Array.from({ length: count * targets }, (_, i) => 0.5 * (raw[i % raw.length] as number) + 0.25);
  const near = trial.bytes === true ? Uint8Array.from(close, (value) => 255 * Math.abs(value)) : close;
  const labels = Uint8Array.from(sums, (sum) => (sum > middle && classes !== undefined ? classes - 1 : 0));
  const y = named === undefined ? (classes === undefined ? near : labels) : { [named[0]]: labels, [named[1]]: near };

  const options = made(trial.options) as Parameters<typeof gradus.compile>[1];
  const trainer = await gradus.compile(made(trial.model) as Parameters<typeof gradus.compile>[0], {
    ...options,
    ...(vocabulary !== undefined && { input: { shape: trial.options.input, classes: vocabulary } }),
    device,
  });
  const statistics: number[] = [];
  const { epochs } = await trainer.fit(
    { x, y },
    {
      epochs: trial.epochs ?? 6,
      ...(trial.statistics === true
        ? {
            statsEvery: 3,
            onStats: ({ layers }) => {
              for (const one of layers) statistics.push(one.lr, one.gradient, one.weight, one.ratio, one.nonFinite);
            },
          }
        : {}),
    },
  );
  const losses = epochs.map(({ loss }) => loss);
  const { data } = await trainer.predict(x.slice(0, features));
  if (!data.every(Number.isFinite)) errors.push(`predict gives ${data}`);
  const { loss, reports = {}, matrices = {} } = await trainer.evaluate({ x, y });
  losses.push(loss);
  const told = [...Object.values(reports), ...Object.values(matrices).flatMap(({ counts }) => counts.flat())];
  if (trial.perSample === true) told.push(...(await trainer.evaluate({ x, y }, { perSample: true })).losses);
  const recordings = [trainer.recording(), trainer.recording("evaluate"), trainer.recording("predict")];
  const played = {
    losses,
    steps: trainer.steps,
    weights: [...(await trainer.weights()).values()].flatMap((tensor) => [...tensor.data]),
    kernels: recordings.flatMap(({ commands }) =>
      commands
        .flatMap((command) => command.parts ?? [command])
        .map(({ kernel, holes, note }) => ({
          name: kernel,
          conditions: Object.fromEntries(
            Object.entries(holes).filter((entry): entry is [string, boolean] => typeof entry[1] === "boolean"),
          ),
          note,
        })),
    ),
    statistics,
    told,
    errors: [...errors],
  };
  trainer.dispose();
  return played;
}
