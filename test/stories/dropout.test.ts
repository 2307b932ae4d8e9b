// What drops at random: how much, by which numbers of the host, the same in runs that are repeated, resumed or computed again, and
// in training alone.

import { describe, expect, test } from "vitest";
import {
  adam,
  type CompileOptions,
  compile,
  dense,
  dropout,
  functional,
  gelu,
  type Layer,
  meanSquaredError,
  ops,
  sequential,
  spatialDropout,
  stochasticDepth,
  type Trainer,
} from "../../src/index.ts";
import { stream, uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";
import { bits } from "./small.ts";

const SEED = 5;

/** Keeps what it is given as the state `seen` in training. */
const seen: Layer = {
  kind: "seen",
  apply(scope, x) {
    if (scope.mode === "train") scope.commit(scope.state("seen", x.shape, "zeros"), x);
    return x;
  },
};

/** A weight, so that there is something to train. */
const scaled: Layer = functional((x, { add, scope }) => add(x, scope.parameter("by", [1], "zeros")));

const double: Layer = { kind: "double", apply: (scope, x) => scope.op(ops.add, { x, y: x }).z };

/** What a layer makes of ones in the first batches of a training, and in a prediction. */
async function made(device: GPUDevice, layer: Layer, input: readonly number[], batch: number, batches = 1) {
  const model = sequential({ start: scaled, own: layer, seen });
  const settings = { device, input, batch, loss: meanSquaredError(), seed: SEED };
  const trainer = await compile(model, settings);
  const x = new Float32Array(batch * input.reduce((a, b) => a * b, 1)).fill(1);
  const found: Float32Array[] = [];
  for (let i = 0; i < batches; i++) {
    // A target of what comes out leaves the weight at 0 or near it: it is put back.
    await trainer.step({ x, y: x });
    found.push((await trainer.weights()).get("seen.seen")!.data as Float32Array);
    trainer.setWeights({ "start.by": [0] });
  }
  const { data: predicted } = await trainer.predict(x);
  trainer.dispose();
  return { found, predicted };
}

/** What is kept of a share. */
const kept = (values: Float32Array): number =>
  values.reduce((sum, value) => sum + Number(value !== 0), 0) / values.length;
const factor = (rate: number): number => Math.fround(1 / (1 - rate));

describe("of a million numbers", () => {
  test.each([0.1, 0.5, 0.9])("%d are dropped, to 1 %", (rate) =>
    guarded(async (device) => {
      const { found, predicted } = await made(device, dropout(rate), [10_000], 100, 2);
      for (const values of found) {
        expect(Math.abs((1 - kept(values)) / rate - 1)).toBeLessThan(0.01);
        expect(new Set(values)).toEqual(new Set([0, factor(rate)]));
      }
      expect(found[0]).not.toEqual(found[1]);
      expect(new Set(predicted)).toEqual(new Set([1]));
    }),
  );
});

test("each number falls by the host's number for it", () =>
  guarded(async (device) => {
    const { found } = await made(device, dropout(0.3), [7], 5, 3);
    for (const [i, values] of found.entries()) {
      const key = stream(SEED, "draw own.noise", i + 1);
      expect([...values]).toEqual(
        Array.from(values, (_, at) => (Math.fround(uniform(key, at)) >= Math.fround(0.3) ? factor(0.3) : 0)),
      );
    }
  }));

test("whole channels of a sample are dropped together", () =>
  guarded(async (device) => {
    const [batch, places, channels] = [40, 6, 50];
    const { found, predicted } = await made(device, spatialDropout(0.4), [2, 3, channels], batch);
    const [values] = found as [Float32Array];
    expect(Math.abs(kept(values) - 0.6)).toBeLessThan(0.03);
    for (let b = 0; b < batch; b++) {
      for (let c = 0; c < channels; c++) {
        const own = Array.from({ length: places }, (_, p) => values[(b * places + p) * channels + c]);
        expect(new Set(own).size).toBe(1);
      }
    }
    expect(new Set(predicted)).toEqual(new Set([1]));
  }));

test("a branch is left out sample by sample, and kept ones count for those", () =>
  guarded(async (device) => {
    const [batch, length] = [2000, 6];
    const { found, predicted } = await made(device, stochasticDepth([double], { rate: 0.25 }), [2, 3], batch);
    const [values] = found as [Float32Array];
    const whole = Math.fround(2 * factor(0.25) + 1);
    const samples = Array.from({ length: batch }, (_, b) => new Set(values.subarray(b * length, (b + 1) * length)));
    expect(samples.every(({ size }) => size === 1)).toBe(true);
    const left = samples.filter((one) => one.has(1)).length;
    expect(Math.abs(left / batch - 0.25)).toBeLessThan(0.03);
    expect(samples.filter((one) => one.has(whole))).toHaveLength(batch - left);
    expect(new Set(predicted)).toEqual(new Set([3]));
  }));

const data = {
  x: Float32Array.from({ length: 22 * 5 }, (_, i) => uniform(3, i) - 0.5),
  y: Float32Array.from({ length: 22 * 2 }, (_, i) => uniform(4, i) - 0.5),
};
const model = (rate: number): Layer =>
  sequential({
    stem: [dense(8), gelu()],
    middle: [dropout(rate), stochasticDepth([dense(8), gelu(), dropout(rate), dense(8)], { rate }), dense(6)],
    head: [dropout(rate), dense(2)],
  });
const options = { input: [5], batch: 4, loss: meanSquaredError(), optimizer: adam({ lr: 0.01 }), seed: SEED };

test("the same is dropped in a run that is repeated, resumed or computed again, and behind frozen layers", () =>
  guarded(async (device) => {
    const run = async (frozen: readonly string[], more: Partial<CompileOptions> = {}, cut?: number) => {
      let trainer = await compile(model(0.3), { ...options, device, ...more });
      for (const layer of frozen) trainer.rates.freeze(layer);
      if (cut !== undefined) {
        await trainer.fit(data, { epochs: 3, steps: cut });
        const bytes = await trainer.save();
        trainer.dispose();
        trainer = await compile(model(0.3), { ...options, device, ...more });
        trainer.load(bytes);
      }
      const { epochs } = await trainer.fit(data, { epochs: 3, ...(cut !== undefined && { resume: true }) });
      const found = bits(await trainer.weights());
      trainer.dispose();
      return { found, last: epochs.at(-1)!.loss };
    };
    const first = await run([]);
    expect(await run([])).toEqual(first);
    expect(await run([], {}, 7)).toEqual(first);
    expect(await run([], { recompute: "*" })).toEqual(first);
    expect((await run([], { seed: SEED + 1 })).found).not.toEqual(first.found);
    // What is kept of frozen layers ends before what is dropped, also where what comes behind that is frozen too.
    for (const frozen of [["stem"], ["stem", "middle"]]) {
      expect(await run(frozen, { cacheFrozen: true })).toEqual(await run(frozen));
    }
  }));

test("evaluation and prediction drop nothing, and a rate of 0 is no layer at all", () =>
  guarded(async (device) => {
    const [dropping, bare] = await Promise.all([0.3, 0].map((rate) => compile(model(rate), { ...options, device })));
    const commands = (trainer: Trainer) =>
      trainer
        .recording()
        .commands.flatMap((one) => one.parts ?? [one])
        .map(({ kernel, note }) => `${kernel} ${note}`);
    expect(commands(bare!).filter((text) => /draw|drop/.test(text))).toEqual([]);
    expect(commands(dropping!).filter((text) => text.startsWith("draw"))).toHaveLength(4);
    // Each drops once on either way, at the end of a kernel that does something else.
    const drops = commands(dropping!).filter((text) => text.includes("+drop"));
    expect(drops).toHaveLength(8);
    expect(drops.filter((text) => /^elementwise \S+ \+drop$/.test(text))).toEqual([]);
    bare!.setWeights(await dropping!.weights());
    expect(await dropping!.evaluate(data)).toEqual(await bare!.evaluate(data));
    expect(await dropping!.predict(data.x)).toEqual(await bare!.predict(data.x));
    const [one, other] = [await dropping!.fit(data, { epochs: 1 }), await bare!.fit(data, { epochs: 1 })];
    expect(one.epochs[0]!.loss).not.toBe(other.epochs[0]!.loss);
    dropping!.dispose();
    bare!.dispose();
  }));
