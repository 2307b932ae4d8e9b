// What a user's program may write, over most of the public types. Compiled against the packed file by the oldest and the
// current compiler; see test/page/consumer.test.ts.

import * as gradus from "gradus";
import {
  type CompileOptions,
  compile,
  conv2d,
  crossEntropy,
  type Data,
  dense,
  type FitOptions,
  flatten,
  functional,
  GradusError,
  geometric,
  guard,
  type Initializer,
  type Layer,
  layerDecay,
  maxPool2d,
  meanSquaredError,
  NonFiniteError,
  type Optimizer,
  oneCycle,
  oneCycleMomentum,
  print,
  type Rates,
  relu,
  residual,
  type Schedule,
  sequence,
  sequential,
  sgd,
  type Trainer,
  updateRatio,
  warmupLinear,
} from "gradus";

/** Everything that makes an optimizer without options. */
const optimizers: readonly (() => Optimizer)[] = [
  gradus.adadelta,
  gradus.adagrad,
  gradus.adam,
  gradus.adamax,
  gradus.adamw,
  gradus.lamb,
  gradus.lars,
  gradus.lion,
  gradus.nadam,
  gradus.radam,
  gradus.rmsprop,
  gradus.sgd,
];

const halves: Initializer = (shape) => new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5);

/** A layer of the user's own. */
const shift = (): Layer => ({
  kind: "shift",
  apply: (scope, x) => scope.op(gradus.ops.bias, { x, b: scope.parameter("shift", x.shape.slice(-1), halves) }).z,
});

const model = sequential({
  stem: [conv2d(8, { kernel: [3, 3], padding: "same", initializer: "heNormal" }), relu(), maxPool2d(2), flatten()],
  body: residual([dense(8, { bias: false, initializer: halves }), relu(), shift()]),
  head: functional((x, { use, add }) => add(use("a", dense(10), x), use("b", dense(10), x))),
});

const cosine: Schedule = ({ step, stepsPerEpoch = 100 }) => Math.cos(step / stepsPerEpoch);
const rates: Rates[] = [
  layerDecay(0.75),
  geometric(1e-4, 1e-2),
  { stem: 1e-4, "**.bias": { weightDecay: 0 } },
  ({ depth, maxDepth }) => ({ multiplier: depth / maxDepth, schedule: cosine }),
  { head: { optimizer: sgd({ momentum: 0.9, nesterov: true }), from: 500, until: { epochs: 2 } } },
];

/** An option that this program has or has not got. */
declare const perhaps: { readonly seed?: number | undefined; readonly signal: AbortSignal | undefined };

const options: CompileOptions = {
  input: [28, 28, 1],
  batch: 64,
  loss: crossEntropy(),
  optimizer: optimizers[0]?.() ?? gradus.adamw({ betas: [0.9, 0.99], weightDecay: undefined }),
  rates: rates[0],
  schedule: sequence([warmupLinear({ warmup: 10, steps: 100 }), oneCycle({ epochs: 3 })], [10]),
  momentum: oneCycleMomentum({ epochs: 3 }),
  clip: { norm: 1 },
  accumulate: 2,
  averaging: 0.999,
  control: [guard(), updateRatio({ layers: "head" })],
  powerPreference: "high-performance",
  seed: perhaps.seed,
};

const fitOptions: FitOptions = {
  epochs: 2,
  signal: perhaps.signal,
  onStep: ({ step, loss, accuracy, samples }) => console.log(step + loss + accuracy + samples),
  onStats: ({ layers }) => console.log(layers.map(({ name, ratio }) => `${name} ${ratio.toFixed(3)}`)),
  onEpoch: ({ epoch, validation }) => console.log(epoch, validation?.loss),
};

async function* batches(): AsyncGenerator<{ x: Float32Array; y: number[] }> {
  yield { x: new Float32Array(784), y: [1] };
}

export async function run(data: Data): Promise<Trainer> {
  const trainer = await compile(model, options);
  const { epochs, stopped } = await trainer.fit(data, fitOptions);
  if (!stopped) await trainer.fit(batches());
  const last: number | undefined = epochs.at(-1)?.loss;
  trainer.rates.set("head", { lr: 1e-3, weightDecay: 0.1 });
  trainer.rates.freeze("stem");
  trainer.rates.unfreeze("stem");
  for (const { name, lr, state } of trainer.rates.table()) console.log(name, lr, state, last);
  try {
    await trainer.step({ x: new Uint8Array(784), y: new Uint8Array(1) });
  } catch (error) {
    if (error instanceof NonFiniteError) console.log(error.step);
    else if (error instanceof GradusError) console.log(error.message);
  }
  const { data: logits, shape } = await trainer.predict(new Float32Array(784));
  const bytes = await trainer.save();
  // Parts of pages take bytes of memory that is not shared: the types say that ours is not.
  console.log(new Blob([bytes, logits]).size, shape.join());
  trainer.load(new Uint8Array(await new Response(bytes).arrayBuffer()));
  for (const [name, weight] of await trainer.weights()) console.log(name, weight.data.length);
  console.log(print(trainer.recording()), trainer.adapter, trainer.steps, trainer.memory().planned);
  trainer.dispose();
  return compile(sequential([dense(1)]), { input: [1], loss: meanSquaredError() });
}
