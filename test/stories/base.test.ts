// The base: weights that never train. They lie in an arena of their own, for which nothing of training is kept, and the others get the
// bits that they get beside frozen ones.

import { describe, expect, test } from "vitest";
import { charGpt } from "../../demo/models/char-gpt.ts";
import { charLstm } from "../../demo/models/char-lstm.ts";
import {
  batchNorm,
  CheckpointError,
  type CompileOptions,
  compile,
  conv2d,
  crossEntropy,
  dense,
  depthwiseConv2d,
  flatten,
  inference,
  type Layer,
  layerDecay,
  NameError,
  prelu,
  relu,
  sequential,
  sgd,
  type Trainer,
} from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, plain, samples, small } from "./small.ts";

const data = samples(44);
const model = sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(2) });
const stem = ["stem.0.weight", "stem.0.bias"];
const others = ["body.0.weight", "body.0.bias", "head.weight", "head.bias"];

/** The bits of some tensors. */
const some = async (trainer: Trainer, names: readonly string[]): Promise<(string | undefined)[]> => {
  const all = bits(await trainer.weights());
  return names.map((name) => all.get(name));
};

/** Bytes of the buffers that a story makes, by label. */
async function made(story: () => Promise<unknown>): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const create = GPUDevice.prototype.createBuffer;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    found.set(String(descriptor.label), descriptor.size);
    return create.call(this, descriptor);
  };
  try {
    await story();
  } finally {
    GPUDevice.prototype.createBuffer = create;
  }
  return found;
}

describe("training", () => {
  test.each<[what: string, options: Partial<CompileOptions>]>([
    ["with nothing around it", {}],
    ["with rates by depth and a clipped norm", { rates: layerDecay(0.5), clip: { norm: 0.05 } }],
    ["with micro-batches and means of the weights", { accumulate: 2, averaging: 0.9 }],
    ["with features that are kept", { cacheFrozen: true }],
    ["with activations that are computed again", { recompute: "body" }],
  ])("%s moves no bit of the base, and the others as beside frozen weights", (_, options) =>
    guarded(async (device) => {
      const based = await small(device, { ...options, base: "stem.**" });
      const frozen = await small(device, options);
      frozen.rates.freeze("stem");
      expect(bits(await based.weights()).size).toBe(6);
      const [first, moving] = [await some(based, stem), await some(based, others)];
      expect(first).toEqual(await some(frozen, stem));
      for (const trainer of [based, frozen]) {
        await trainer.fit(data, { epochs: 3 });
        trainer.rates.freeze("body");
        await trainer.fit(data, { epochs: 1 });
        trainer.rates.unfreeze("body");
        await trainer.fit(data, { epochs: 2 });
      }
      expect(await some(based, stem)).toEqual(first);
      for (const [i, after] of (await some(based, others)).entries()) expect(after).not.toBe(moving[i]);
      expect(await some(based, others)).toEqual(await some(frozen, others));
      expect(await based.predict(data.x)).toEqual(await frozen.predict(data.x));
      expect(await based.evaluate(data)).toEqual(await frozen.evaluate(data));
      if (options.averaging === undefined) return;
      expect([...(await based.averages()).keys()]).toEqual(others);
      expect(await based.predict(data.x, { averaged: true })).toEqual(await frozen.predict(data.x, { averaged: true }));
    }),
  );

  test("keeps gradients, moments and means for the others alone: each arena is shorter by the base's bytes", () =>
    guarded(async (device) => {
      const options = { averaging: 0.9, accumulate: 2 };
      const whole = await made(() => small(device, options));
      let stored: Readonly<Record<string, number>> = {};
      const based = await made(async () => {
        stored = (await small(device, { ...options, base: "stem.**" })).memory().stored;
      });
      // Two tensors of a block each.
      const bytes = 2 * 256 * 4;
      expect([whole.get("base"), based.get("base")]).toEqual([undefined, bytes]);
      for (const arena of ["parameters", "gradients", "moment1", "moment2", "average", "accumulated"])
        expect([arena, based.get(arena)]).toEqual([arena, (whole.get(arena) ?? 0) - bytes]);
      expect([based.get("blocks"), whole.get("blocks")]).toEqual([4 * 4, 6 * 4]);
      // What a user is told is what was made.
      expect(stored).toMatchObject({ base: bytes, moment1: based.get("moment1"), gradients: based.get("gradients") });
      for (const [name, size] of Object.entries(stored)) expect([name, size]).toEqual([name, based.get(name)]);
    }));

  test("has no row, gradient or rate of the base, and says so where one is asked for", () =>
    guarded(async (device) => {
      const trainer = await small(device, { base: "stem" });
      expect(trainer.rates.table().map(({ name }) => name)).toEqual(["body.0", "head"]);
      expect(trainer.network.parameterCount).toBe((await small(device)).network.parameterCount);
      const { gradients } = await trainer.gradients({ x: data.x.slice(0, 48), y: data.y.slice(0, 8) });
      expect([...gradients.keys()]).toEqual(others);
      const never =
        "names stem.0.weight, stem.0.bias, which are of the base and never train. Compile with another base";
      expect(() => trainer.rates.freeze("stem.0")).toThrow(`freeze: "stem.0" ${never}`);
      expect(() => trainer.rates.unfreeze("stem")).toThrow(NameError);
      await expect(small(device, { base: "stem", rates: { stem: 0.1 } })).rejects.toThrow(`rates: "stem" ${never}`);
      const given = { "stem.0.bias": new Float32Array(8) };
      await expect(trainer.applyGradients(given)).rejects.toThrow(
        'applyGradients: "stem.0.bias" is of the base and never trains. Leave it out.',
      );
      await expect(small(device, { base: "**" })).rejects.toThrow("so there is nothing to train");
    }));

  test("by the recipe for a new head sets the rates of what trains", () =>
    guarded(async (device) => {
      for (const base of ["stem", "head"]) {
        const trainer = await small(device, { base, optimizer: sgd({ lr: 0.01 }) });
        const before = await some(trainer, [...stem, ...others]);
        await trainer.fineTune(data, { epochs: 1, headEpochs: 1 });
        const after = await some(trainer, [...stem, ...others]);
        for (const [i, name] of [...stem, ...others].entries())
          expect(after[i] === before[i], name).toBe(name.startsWith(base));
      }
    }));
});

describe("a base of f16", () => {
  const others = ["body.**", "head"];
  const [f16, f32] = [{ except: others, dtype: "f16" }, { except: others }] as const;

  test("gives the bits of a base of f32 whose weights were rounded to f16, and its own are those", () =>
    guarded(async (device) => {
      const half = await small(device, { base: f16, clip: { norm: 0.05 } });
      // Beside what is drawn: the smallest of all, one below the smallest normal one, what is half way, and the largest.
      const odd = Float32Array.of(2 ** -24, 1.5 * 2 ** -16, 1 + 2 ** -11, 1 + 3 * 2 ** -11, -65504, 0.1, -0, 7);
      half.setWeights({ "stem.0.bias": odd });
      const rounded = plain(await half.weights());
      expect(rounded["stem.0.bias"]).toEqual(
        Float32Array.of(2 ** -24, 1.5 * 2 ** -16, 1, 1 + 2 ** -9, -65504, 0.0999755859375, -0, 7),
      );
      half.setWeights({ "stem.0.bias": new Float32Array(8).fill(0.1) });
      const whole = await small(device, { base: f32, clip: { norm: 0.05 } });
      const drawn = bits(await whole.weights());
      whole.setWeights(plain(await half.weights()));
      const first = bits(await whole.weights());
      expect(first.get("stem.0.weight")).not.toBe(drawn.get("stem.0.weight"));
      expect(first).toEqual(bits(await half.weights()));
      for (const trainer of [half, whole]) await trainer.fit(data, { epochs: 3 });
      expect(bits(await half.weights())).toEqual(bits(await whole.weights()));
      expect(await half.predict(data.x)).toEqual(await whole.predict(data.x));
      expect(await half.evaluate(data)).toEqual(await whole.evaluate(data));
    }));

  const text = { input: { shape: [8], classes: 11 }, x: Uint8Array.from({ length: 64 }, (_, i) => (i * 7) % 11) };
  const image = { input: [6, 6, 2], x: Float32Array.from({ length: 8 * 72 }, (_, i) => ((i * 37) % 101) / 101 - 0.5) };
  const some8 = Uint8Array.from({ length: 8 }, (_, i) => i % 2);
  const networks: readonly (readonly [name: string, model: Layer, data: typeof text | typeof image, y: Uint8Array])[] =
    [
      ["a char-GPT", charGpt({ vocabulary: 11, length: 8, units: 8, heads: 2, blocks: 1 }), text, text.x],
      ["an LSTM", charLstm(11, 8), text, text.x],
      [
        "convolutions",
        sequential({
          wide: [conv2d(8, { kernel: 3 }), batchNorm(), relu()],
          deep: [depthwiseConv2d({ kernel: 3 }), prelu()],
          odd: [conv2d(3, { kernel: 1 }), flatten()],
          head: dense(2),
        }),
        image,
        some8,
      ],
    ];

  test.each(networks)("of %s gives the bits of one of f32 whose weights were rounded", (_, model, { input, x }, y) =>
    guarded(async (device) => {
      const names = Object.keys(plain(await (await compile(model, { device, input, loss: crossEntropy() })).weights()));
      const except = names.filter((name) => name.endsWith("bias")).slice(-1);
      const make = (base: CompileOptions["base"] & object) =>
        compile(model, { device, input, batch: 8, loss: crossEntropy(), optimizer: sgd({ lr: 0.1 }), base });
      const [half, whole] = [await make({ except, dtype: "f16" }), await make({ except })];
      const before = bits(await whole.weights());
      whole.setWeights(plain(await half.weights()));
      expect(bits(await whole.weights())).not.toEqual(before);
      for (const trainer of [half, whole]) await trainer.fit({ x, y }, { epochs: 3 });
      expect(bits(await half.weights())).toEqual(bits(await whole.weights()));
      expect(await half.predict(x)).toEqual(await whole.predict(x));
      expect(await half.evaluate({ x, y })).toEqual(await whole.evaluate({ x, y }));
    }),
  );

  test("takes half of the bytes", () =>
    guarded(async (device) => {
      const trainer = await small(device, { base: f16 });
      expect(trainer.memory().stored.base).toBe((2 * 256 * 4) / 2);
    }));

  test("comes back from a checkpoint, which one of f32 does not take unasked; a number that is too large is refused", () =>
    guarded(async (device) => {
      const trainer = await small(device, { base: f16 });
      await trainer.fit(data, { epochs: 1 });
      const bytes = await trainer.save();
      const again = await small(device, { base: f16, seed: 5 });
      again.load(bytes);
      expect(await again.save()).toEqual(bytes);
      const other = await small(device, { base: f32 });
      expect(() => other.load(bytes)).toThrow('baseDtype is "f16", here nothing');
      other.load(bytes, { allow: ["baseDtype"] });
      expect(bits(await other.weights())).toEqual(bits(await trainer.weights()));
      const large = { "stem.0.bias": new Float32Array(8).fill(65505) };
      expect(() => trainer.setWeights(large)).toThrow('"stem.0.bias"');
      other.setWeights(large);
      await expect(small(device, { base: { ...f16, dtype: "f8" as "f16" } })).rejects.toThrow(
        'compile: base: dtype is "f8", it must be "f32" or "f16".',
      );
    }));
});

describe("a checkpoint", () => {
  test("holds the base, and goes on to the same bits", () =>
    guarded(async (device) => {
      const options = { base: "stem", averaging: 0.9 };
      const trainer = await small(device, options);
      trainer.setWeights({ "stem.0.bias": new Float32Array(8).fill(0.25) });
      await trainer.fit(data, { epochs: 2, steps: 8 });
      const bytes = await trainer.save();
      const again = await small(device, { ...options, seed: 5 });
      again.load(bytes);
      expect(await some(again, stem)).toEqual(await some(trainer, stem));
      for (const one of [trainer, again]) await one.fit(data, { epochs: 2, resume: true });
      expect(await again.save()).toEqual(await trainer.save());
    }));

  test("of another base, or of none, is refused by name, and nothing changes", () =>
    guarded(async (device) => {
      const [none, based] = [await small(device), await small(device, { base: "stem" })];
      for (const trainer of [none, based]) await trainer.fit(data, { epochs: 1 });
      const [ofNone, ofBased] = [await none.save(), await based.save()];
      const names = "stem.0.bias, stem.0.weight";
      expect(() => based.load(ofNone)).toThrow(CheckpointError);
      expect(() => based.load(ofNone)).toThrow(`it was made otherwise: base is nothing, here ${names}. Compile with`);
      expect(() => none.load(ofBased, { allow: ["rules"] })).toThrow(`base is ${names}, here nothing`);
      expect(await based.save()).toEqual(ofBased);
      expect(await none.save()).toEqual(ofNone);
    }));

  test("or a file of weights fills the base of a trainer, and a network that has none", () =>
    guarded(async (device) => {
      const trainer = await small(device, { base: "stem" });
      await trainer.fit(data, { epochs: 1 });
      const weights = bits(await trainer.weights());
      const predicted = await trainer.predict(data.x);
      for (const bytes of [await trainer.save(), await trainer.save({ only: "weights" })]) {
        for (const base of ["stem", "body"]) {
          const other = await small(device, { base, seed: 6 });
          expect(other.transfer(bytes).missing).toEqual([]);
          expect(new Map([...bits(await other.weights())].sort())).toEqual(new Map([...weights].sort()));
        }
        expect(await (await inference(model, bytes, { device })).predict(data.x)).toEqual(predicted);
      }
    }));
});

test("weights of the base can be set, and what was computed of them is made anew", () =>
  guarded(async (device) => {
    const [based, frozen] = [
      await small(device, { base: "stem", cacheFrozen: true }),
      await small(device, { rates: { stem: { frozen: true } } }),
    ];
    const given = plain(await (await small(device, { seed: 9 })).weights());
    const set = { "stem.0.weight": given["stem.0.weight"] as Float32Array };
    for (const trainer of [based, frozen]) {
      await trainer.fit(data, { epochs: 1 });
      trainer.setWeights(set);
      await trainer.fit(data, { epochs: 1 });
    }
    expect(await some(based, [...stem, ...others])).toEqual(await some(frozen, [...stem, ...others]));
  }));
