// A trained body under a new head: weights go over by name and shape, and the recipe trains the head first.

import { expect, test } from "vitest";
import {
  adamw,
  compile,
  crossEntropy,
  dense,
  geometric,
  oneCycle,
  relu,
  replaceHead,
  sequential,
  type Trainer,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

const samples = {
  x: Float32Array.from({ length: 64 * 6 }, (_, i) => uniform(3, i) - 0.5),
  y: Uint8Array.from({ length: 64 }, (_, i) => (uniform(3, 6 * i) > 0.5 ? 1 : 0)),
};

const trainerOn = (device: GPUDevice, classes: number, options = {}): Promise<Trainer> =>
  compile(sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(classes) }), {
    device,
    input: [6],
    batch: 8,
    loss: crossEntropy(),
    optimizer: adamw({ lr: 0.01 }),
    ...options,
  });

const bits = async (trainer: Trainer) =>
  new Map([...(await trainer.weights())].map(([name, { data }]) => [name, String(data)]));

test("a body goes over to a model with another head, as weights or as a checkpoint", () =>
  guarded(async (device) => {
    const old = await trainerOn(device, 2, { averaging: 0.9 });
    await old.fit(samples);
    const before = await bits(old);
    for (const source of [await old.weights(), await old.save()]) {
      const next = await trainerOn(device, 3, { seed: 4 });
      const fresh = await bits(next);
      const heads = ["head.weight", "head.bias"];
      const found = next.transfer(source);
      expect(found.loaded).toEqual(["stem.0.weight", "stem.0.bias", "body.0.weight", "body.0.bias"]);
      expect(found.missing).toEqual(heads);
      expect([...found.unexpected].sort().reverse()).toEqual(heads);
      for (const [name, values] of await bits(next)) {
        expect(values, name).toBe((name.startsWith("head") ? fresh : before).get(name));
      }
    }
    const other = await compile(sequential({ only: dense(5) }), { device, input: [6], loss: crossEntropy() });
    expect(() => other.transfer(new Map([["head.weight", { shape: [8, 2], data: new Float32Array(16) }]]))).toThrow(
      "transfer: no tensor fits by name and shape. It holds head.weight; this model has only.weight, only.bias.",
    );
  }));

test("a model begins with the weights that compile is given, and what they lack as it would without them", () =>
  guarded(async (device) => {
    const old = await trainerOn(device, 2);
    await old.fit(samples);
    const weights = await old.weights();
    const before = await bits(old);
    const model = replaceHead(
      sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(2) }),
      [dense(3)],
      { name: "kinds" },
    );
    const options = { device, input: [6], loss: crossEntropy(), averaging: 0.9 };
    const [next, fresh] = [await compile(model, { ...options, weights }), await compile(model, options)];
    const begun = await bits(next);
    expect([...begun.keys()].filter((name) => name.startsWith("kinds"))).toEqual(["kinds.0.weight", "kinds.0.bias"]);
    for (const [name, values] of begun) {
      expect(values, name).toBe((name.startsWith("kinds") ? await bits(fresh) : before).get(name));
    }
    expect(String((await next.averages()).get("stem.0.weight")?.data)).toBe(begun.get("stem.0.weight"));
    const other = { ...options, weights: { "stem.0.weight": new Float32Array(7) } };
    await expect(compile(model, other)).rejects.toThrow(
      'compile: weights: "stem.0.weight" of shape [6,8] has 48 numbers, 7 were given.',
    );
    await expect(compile(model, { ...options, weights: { "fc.weight": [1] } })).rejects.toThrow(
      "compile: weights: none of them is of this model. They are called fc.weight; the model has stem.0.weight,",
    );
  }));

/** A safetensors file of these tensors: type, shape, bytes. */
function fileOf(tensors: Readonly<Record<string, readonly [string, readonly number[], ArrayBufferView]>>): Uint8Array {
  let end = 0;
  const header = Object.entries(tensors).map(([name, [dtype, shape, { byteLength }]]) => {
    end += byteLength;
    return [name, { dtype, shape, data_offsets: [end - byteLength, end] }];
  });
  const head = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const data = Object.values(tensors).flatMap(([, , { buffer }]) => [...new Uint8Array(buffer)]);
  return Uint8Array.from([...new Uint8Array(BigUint64Array.of(BigInt(head.length)).buffer), ...head, ...data]);
}

test("a file of other number types gives what fits, and names what it cannot give", () =>
  guarded(async (device) => {
    const trainer = await trainerOn(device, 2);
    const file = fileOf({
      "head.bias": ["F16", [2], Uint16Array.of(0x3c00, 0xb800)],
      position_ids: ["I64", [1], BigInt64Array.of(2n ** 60n)],
      scales: ["F8_E4M3", [3], new Uint8Array(3)],
    });
    for (const source of [file, file.buffer as ArrayBuffer]) {
      await trainer.setWeights({ "head.bias": [0, 0] });
      expect(trainer.transfer(source as Uint8Array)).toMatchObject({
        loaded: ["head.bias"],
        unexpected: ["position_ids", "scales"],
      });
      expect((await trainer.weights()).get("head.bias")?.data).toEqual(Float32Array.of(1, -0.5));
    }
    const wanted = fileOf({ "head.bias": ["I64", [2], BigInt64Array.of(1n, 2n ** 60n)] });
    expect(() => trainer.transfer(wanted)).toThrow(
      /^checkpoint: "head\.bias" has 1152921504606846976 at 1, of type I64/,
    );
    expect(() => trainer.transfer(new Blob([wanted as Uint8Array<ArrayBuffer>]) as unknown as Uint8Array)).toThrow(
      /this is Blob\. Give await file\.arrayBuffer\(\)\.$/,
    );
  }));

test("fineTune is its phases by hand, and its log replays to the same bits", () =>
  guarded(async (device) => {
    const recipe = await trainerOn(device, 2);
    await recipe.fit(samples);
    const { epochs, stopped } = await recipe.fineTune(samples, { epochs: 2, headEpochs: 1, lr: 0.02, spread: 9 });
    expect([epochs.length, stopped, recipe.steps]).toEqual([3, false, 32]);

    const hand = await trainerOn(device, 2);
    await hand.fit(samples);
    hand.rates.freeze("stem");
    hand.rates.freeze("body");
    const shift = (start: number, cycle = oneCycle({ steps: 8, pctStart: 0.99 })) => ({
      schedule: (clock: Parameters<typeof cycle>[0]) => cycle({ ...clock, step: clock.step - start }),
    });
    hand.rates.set("head", { lr: 0.02, ...shift(8) });
    await hand.fit(samples);
    const rate = geometric(0.01 / 9, 0.01);
    for (const [i, name] of ["stem", "body", "head"].entries()) {
      hand.rates.unfreeze(name);
      const spec = rate({
        name,
        depth: i + 1,
        maxDepth: 3,
        parameterCount: 0,
        tensor: "",
        shape: [],
        multiplier: 1,
        weightDecay: 0,
      });
      hand.rates.set(name, { ...(spec as object), ...shift(16, oneCycle({ steps: 16, divFactor: 5 })) });
    }
    await hand.fit(samples, { epochs: 2 });
    expect(await bits(hand)).toEqual(await bits(recipe));

    const replayed = await trainerOn(device, 2);
    replayed.rates.replay(recipe.rates.edits());
    for (const count of [1, 1, 2]) await replayed.fit(samples, { epochs: count });
    expect(await bits(replayed)).toEqual(await bits(recipe));
    await expect(recipe.fineTune(samples, { spread: 0 })).rejects.toThrow("fineTune: lr is 0.01 and spread is 0.");
  }));
