// States and random numbers: what lives on from step to step without being trained, and what is drawn anew in each. A refused step moves
// nothing, who only looks moves nothing, and a run that is resumed or repeated draws the same.

import { describe, expect, test } from "vitest";
import {
  type CompileOptions,
  compile,
  dense,
  functional,
  inference,
  type Layer,
  meanSquaredError,
  NonFiniteError,
  ops,
  sequential,
  sgd,
  type Trainer,
} from "../../src/index.ts";
import { normal, stream, uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";
import { bits } from "./small.ts";

const BATCH = 4;
const SEED = 7;

/** Adds up the batches that it sees in training, into `sum`. */
const adding: Layer = {
  kind: "adding",
  apply(scope, x) {
    const scale = scope.parameter("shift", [3], "zeros");
    if (scope.mode === "train") {
      const sum = scope.state("sum", x.shape, "zeros");
      scope.commit(sum, scope.op(ops.add, { x: sum, y: x }).z);
    }
    return scope.op(ops.bias, { x, b: scale }).z;
  },
};

/** Adds random numbers in training, and keeps the last ones in `last`. */
const noisy = (kind: "uniform" | "normal" = "uniform"): Layer => ({
  kind: "noisy",
  apply(scope, x) {
    if (scope.mode === "predict") return x;
    const last = scope.state("last", x.shape, "zeros");
    const noise = scope.draw("noise", kind, x.shape);
    scope.commit(last, noise);
    return scope.op(ops.add, { x, y: noise }).z;
  },
});

const numbers = (count: number, from = 0) =>
  Float32Array.from({ length: count }, (_, i) => Math.fround(uniform(3, from + i) - 0.5));
const data = (samples: number) => ({ x: numbers(samples * 3), y: numbers(samples * 2, 1000) });

const trainerOf = (device: GPUDevice, model: Layer, options: Partial<CompileOptions> = {}): Promise<Trainer> =>
  compile(sequential({ part: model, head: dense(2) }), {
    ...{ device, input: [3], batch: BATCH, loss: meanSquaredError(), optimizer: sgd({ lr: 0.1 }), seed: SEED },
    ...options,
  });

const whole = { shuffle: false } as const;

/** The sum of the first batches of 12 numbers, each addition rounded. */
const sumOf = ({ x }: { readonly x: Float32Array }, batches: number): number[] =>
  Array.from({ length: BATCH * 3 }, (_, i) =>
    Array.from({ length: batches }, (_unused, b) => x[b * BATCH * 3 + i] as number).reduce(
      (a, b) => Math.fround(a + b),
      0,
    ),
  );

const stateOf = async (trainer: Trainer, name: string): Promise<number[]> => [
  ...((await trainer.weights()).get(name)?.data ?? []),
];

describe("a state", () => {
  test("moves with each batch, is among the weights and in a checkpoint, and can be set", () =>
    guarded(async (device) => {
      const samples = data(20);
      const trainer = await trainerOf(device, adding);
      expect(await stateOf(trainer, "part.sum")).toEqual(sumOf(samples, 0));
      await trainer.fit(samples, { ...whole, steps: 3 });
      expect(await stateOf(trainer, "part.sum")).toEqual(sumOf(samples, 3));
      const bytes = await trainer.save();
      await trainer.fit(samples, { ...whole, resume: true });
      const again = await trainerOf(device, adding);
      again.load(bytes);
      expect(await stateOf(again, "part.sum")).toEqual(sumOf(samples, 3));
      await again.fit(samples, { ...whole, resume: true });
      expect(await again.save()).toEqual(await trainer.save());
      trainer.network.setWeights({ "part.sum": new Float32Array(12).fill(2) });
      expect(await stateOf(trainer, "part.sum")).toEqual(Array.from({ length: 12 }, () => 2));
      expect([...(await again.network.weights()).keys()]).toEqual([
        "part.shift",
        "head.weight",
        "head.bias",
        "part.sum",
      ]);
    }));

  test("is moved by no refused step, whatever was refused, and by nobody who only looks", () =>
    guarded(async (device) => {
      const samples = data(20);
      const trainer = await trainerOf(device, adding);
      await trainer.fit(samples, { ...whole, steps: 2 });
      const before = bits(await trainer.weights());
      await trainer.gradients({ x: samples.x.slice(0, 12), y: samples.y.slice(0, 8) });
      await trainer.evaluate(samples);
      await trainer.predict(samples.x);
      await trainer.findRate(samples, { steps: 4 });
      expect(bits(await trainer.weights())).toEqual(before);
      const bad = { x: samples.x.slice(0, 12), y: samples.y.slice(0, 8).fill(3e38) };
      await expect(trainer.step(bad)).rejects.toThrow(NonFiniteError);
      expect(bits(await trainer.weights())).toEqual(before);
      await trainer.step({ x: samples.x.slice(24, 36), y: samples.y.slice(16, 24) });
      expect(await stateOf(trainer, "part.sum")).toEqual(sumOf(samples, 3));
    }));

  test("moves with each batch of an update, and goes back to where the update began when one of them is refused", () =>
    guarded(async (device) => {
      const samples = data(24);
      const trainer = await trainerOf(device, adding, { accumulate: 3 });
      await trainer.fit(samples, { ...whole, steps: 1 });
      expect(await stateOf(trainer, "part.sum")).toEqual(sumOf(samples, 3));
      const before = bits(await trainer.weights());
      for (const at of [0, 1, 2]) {
        const y = samples.y.slice();
        y[at * 8] = 3e38;
        await expect(trainer.fit({ x: samples.x, y }, { ...whole, epochs: 2 })).rejects.toThrow(NonFiniteError);
        expect(bits(await trainer.weights()), `batch ${at}`).toEqual(before);
      }
    }));

  test("of a layer that is used twice goes on from the first use in the second", () =>
    guarded(async (device) => {
      const samples = data(8);
      const twice = functional((x, { use }) => use("a", adding, use("a", adding, x)));
      const trainer = await trainerOf(device, twice);
      await trainer.fit(samples, { ...whole, steps: 1 });
      expect(await stateOf(trainer, "part.a.sum")).toEqual(sumOf(samples, 1).map((value) => 2 * value));
    }));

  test("comes with the weights of a file", () =>
    guarded(async (device) => {
      const shifting: Layer = {
        kind: "shifting",
        apply: (scope, x) => scope.op(ops.bias, { x, b: scope.state("by", [3], "zeros") }).z,
      };
      const trainer = await trainerOf(device, shifting);
      trainer.network.setWeights({ "part.by": [1, 2, 3] });
      const { data: predicted } = await trainer.predict(numbers(12));
      for (const bytes of [await trainer.save(), await trainer.save({ only: "weights" })]) {
        const network = await inference(sequential({ part: shifting, head: dense(2) }), bytes, { device });
        expect((await network.predict(numbers(12))).data).toEqual(predicted);
        const other = await trainerOf(device, shifting, { seed: SEED + 1 });
        expect(other.network.transfer(bytes).missing).toEqual([]);
        expect(bits(await other.weights())).toEqual(bits(await trainer.weights()));
      }
    }));

  test("of a frozen layer rests, which is then in the mode of predictions", () =>
    guarded(async (device) => {
      const samples = data(20);
      const trainer = await trainerOf(device, adding);
      trainer.rates.freeze("part");
      await trainer.fit(samples, { ...whole, steps: 2 });
      expect(await stateOf(trainer, "part.sum")).toEqual(sumOf(samples, 0));
      trainer.rates.unfreeze("part");
      await trainer.fit(samples, { ...whole, steps: 3 });
      expect(await stateOf(trainer, "part.sum")).toEqual(sumOf(samples, 3));
    }));
});

test("states lie where they lay when a layer before them rests, and one whose shape depends on the batch is refused", () =>
  guarded(async (device) => {
    const samples = data(20);
    const trainer = await trainerOf(device, sequential({ a: adding, b: noisy() }));
    trainer.rates.freeze("part.a");
    await trainer.fit(samples, { ...whole, steps: 2 });
    expect(await stateOf(trainer, "part.a.sum")).toEqual(sumOf(samples, 0));
    const noise = Array.from({ length: 12 }, (_, i) => Math.fround(uniform(stream(SEED, "draw part.b.noise", 2), i)));
    expect(await stateOf(trainer, "part.b.last")).toEqual(noise);
    const model: Layer = {
      kind: "batchwise",
      apply: (scope, x) => scope.op(ops.add, { x, y: scope.state("by", x.shape, "zeros") }).z,
    };
    const batchwise = await trainerOf(device, model);
    await expect(batchwise.predict(samples.x)).rejects.toThrow(
      'layer "part": "part.by" is [32,3] in one program, where another has "part.by" as [4,3].',
    );
  }));

describe("random numbers", () => {
  const expected = (batch: number, path = "part.noise", one = uniform) =>
    Array.from({ length: 12 }, (_, i) => Math.fround(one(stream(SEED, `draw ${path}`, batch), i)));

  test("are those of the host, others in each batch of an update", () =>
    guarded(async (device) => {
      const samples = data(24);
      const trainer = await trainerOf(device, noisy());
      for (const batch of [1, 2, 3]) {
        await trainer.step({ x: samples.x.slice(0, 12), y: samples.y.slice(0, 8) });
        expect(await stateOf(trainer, "part.last")).toEqual(expected(batch));
      }
      const parts = await trainerOf(device, noisy(), { accumulate: 2 });
      await parts.fit(samples, { ...whole, steps: 2 });
      expect(await stateOf(parts, "part.last")).toEqual(expected(4));
      const normals = await trainerOf(device, noisy("normal"));
      await normals.fit(samples, { ...whole, steps: 2 });
      const host = expected(2, "part.noise", normal);
      for (const [i, value] of (await stateOf(normals, "part.last")).entries())
        expect(Math.abs(value - host[i]!)).toBeLessThan(1e-6);
    }));

  test("of two layers differ, and those who only look draw none", () =>
    guarded(async (device) => {
      const samples = data(20);
      const trainer = await trainerOf(device, sequential({ a: noisy(), b: noisy() }));
      await trainer.fit(samples, { ...whole, steps: 2 });
      await trainer.evaluate(samples);
      await trainer.gradients({ x: samples.x.slice(0, 12), y: samples.y.slice(0, 8) });
      await trainer.findRate(samples, { steps: 3 });
      await trainer.fit(samples, { ...whole, steps: 1 });
      expect(await stateOf(trainer, "part.a.last")).toEqual(expected(3, "part.a.noise"));
      expect(await stateOf(trainer, "part.b.last")).toEqual(expected(3, "part.b.noise"));
    }));

  test("are a layer's own whatever else draws, and those of a layer that is used twice differ", () =>
    guarded(async (device) => {
      const samples = data(20);
      /** Draws no more once it is frozen. */
      const frozen: Layer = {
        kind: "frozen",
        apply(scope, x) {
          const shift = scope.op(ops.bias, { x, b: scope.parameter("shift", [3], "zeros") }).z;
          return scope.mode === "predict"
            ? shift
            : scope.op(ops.add, { x: shift, y: scope.draw("noise", "uniform", x.shape) }).z;
        },
      };
      const trainer = await trainerOf(device, sequential({ a: frozen, b: noisy() }));
      trainer.rates.freeze("part.a");
      await trainer.fit(samples, { ...whole, steps: 1 });
      expect(await stateOf(trainer, "part.b.last")).toEqual(expected(1, "part.b.noise"));
      const twice = functional((x, { use }) => use("a", noisy(), use("a", noisy(), x)));
      const shared = await trainerOf(device, twice);
      await shared.fit(samples, { ...whole, steps: 1 });
      expect(await stateOf(shared, "part.a.last")).toEqual(expected(1, "part.a.noise 2"));
    }));

  test("are the same in a run that is repeated, resumed, or begins at features of frozen layers", () =>
    guarded(async (device) => {
      const samples = data(20);
      const model = sequential({ stem: dense(3), body: noisy(), neck: dense(3) });
      const run = async (options: Partial<CompileOptions>, cut?: number) => {
        let trainer = await trainerOf(device, model, options);
        trainer.rates.freeze("part.stem");
        if (cut !== undefined) {
          await trainer.fit(samples, { epochs: 3, steps: cut });
          const bytes = await trainer.save();
          trainer = await trainerOf(device, model, options);
          trainer.load(bytes);
        }
        await trainer.fit(samples, { epochs: 3, ...(cut !== undefined && { resume: true }) });
        return bits(await trainer.weights());
      };
      const first = await run({});
      expect(await run({})).toEqual(first);
      expect(await run({}, 7)).toEqual(first);
      expect(await run({ cacheFrozen: true })).toEqual(first);
      expect(await run({ seed: SEED + 1 })).not.toEqual(first);
    }));
});
