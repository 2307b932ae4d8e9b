// Rules side by side: each layer goes the way of its own rule, to the bit, and all of them in one dispatch.

import { expect, test } from "vitest";
import { adagrad, adamw, guard, lion, type Optimizer, sgd, type Trainer } from "../../src/index.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { guarded } from "./guarded.ts";
import { bits, gradientsOf, samples, small } from "./small.ts";

const momentum = sgd({ momentum: 0.9, lr: 0.03, weightDecay: 0.02 });
const base = adamw({ lr: 0.01 });
const sign = lion({ lr: 0.002, weightDecay: 0.1 });

const updates = (trainer: Trainer): string[] =>
  trainer
    .recording()
    .commands.map(({ kernel }) => kernel)
    .filter((kernel) => /sgd|adam|lion|adagrad/.test(kernel));

/** Ten updates from outside. */
async function driven(device: GPUDevice, options: object): Promise<Map<string, string>> {
  const trainer = await small(device, options);
  const start = await trainer.weights();
  for (let step = 0; step < 10; step++) await trainer.applyGradients(gradientsOf(start, step));
  return bits(await trainer.weights());
}

const mixes: Record<string, { rates: Record<string, { optimizer: Optimizer }>; of: Record<string, Optimizer> }> = {
  two: { rates: { head: { optimizer: momentum } }, of: { stem: base, body: base, head: momentum } },
  three: {
    rates: { head: { optimizer: momentum }, stem: { optimizer: sign } },
    of: { stem: sign, body: base, head: momentum },
  },
  "none of the default": {
    rates: { "**": { optimizer: adagrad() }, head: { optimizer: momentum } },
    of: { stem: adagrad(), body: adagrad(), head: momentum },
  },
};

test.each(Object.entries(mixes))("%s: every layer has the bits of a run with its rule alone", (_, { rates, of }) =>
  guarded(async (device) => {
    const trainer = await small(device, { rates });
    expect(updates(trainer)).toHaveLength(1);
    expect(trainer.rates.table().map(({ optimizer }) => optimizer)).toEqual(
      Object.values(of).map(({ rule }) => rule.name),
    );
    const together = await driven(device, { rates });
    const alone = new Map<Optimizer, Map<string, string>>();
    for (const [layer, optimizer] of Object.entries(of)) {
      const run = alone.get(optimizer) ?? (await driven(device, { optimizer }));
      alone.set(optimizer, run);
      const names = [...together.keys()].filter((name) => name.startsWith(`${layer}.`));
      expect(names).toHaveLength(2);
      for (const name of names) expect(together.get(name), name).toBe(run.get(name));
    }
  }),
);

test("mixed rules stopped, saved, loaded and continued: the bytes of never stopping", () =>
  guarded(async (device) => {
    const { rates } = mixes.three as (typeof mixes)[string];
    const data = samples(60);
    const whole = await small(device, { rates });
    await whole.fit(data, { epochs: 3 });
    const first = await small(device, { rates });
    await first.fit(data, { epochs: 3, steps: 11 });
    const second = await small(device, { rates });
    second.load(await first.save());
    await second.fit(data, { epochs: 3, resume: true });
    expect(await second.save()).toEqual(await whole.save());
  }));

test("a checkpoint belongs to the rule of each layer, not to a set of names", () =>
  guarded(async (device) => {
    const [head, stem] = await Promise.all(
      ["head", "stem"].map((layer) => small(device, { rates: { [layer]: { optimizer: momentum } } })),
    );
    const bytes = (await head?.save()) as Uint8Array;
    expect(() => stem?.load(bytes)).toThrow(/^checkpoint: it was made otherwise: rules head\.bias, head\.weight is /);
    expect(() => stem?.load(bytes)).toThrow(/; rules stem\.0\.bias, stem\.0\.weight is /);
  }));

test("a checkpoint of other rules is refused", () =>
  guarded(async (device) => {
    const mixed = await small(device, { rates: { head: { optimizer: momentum } } });
    const plainOne = await small(device);
    expect(() => plainOne.load(new Uint8Array())).toThrow();
    const bytes = await mixed.save();
    expect(() => plainOne.load(bytes)).toThrow(
      /^checkpoint: it was made otherwise: rules head\.bias, head\.weight is \{"name":"sgd",.*, here \{"name":"adamw",/,
    );
  }));

test("a rule that is allowed to differ begins anew at its own rate, and the others go on", () =>
  guarded(async (device) => {
    const mixed = await small(device, { rates: { head: { optimizer: momentum } } });
    await mixed.fit(samples(40));
    const all = await small(device, { rates: { "**": { optimizer: adagrad({ initialAccumulator: 0.5 }) } } });
    const one = await small(device, {
      rates: { head: { optimizer: adagrad({ lr: 0.07, initialAccumulator: 0.5 }) } },
    });
    const bytes = await mixed.save();
    one.load(bytes, { allow: ["rules"] });
    expect(await bitsOf(one)).toEqual(await bitsOf(mixed));
    expect(one.rates.table().map(({ updates: count, lr }) => [count, lr])).toEqual([
      [5, 0.01],
      [5, 0.01],
      [0, 0.07],
    ]);
    const { tensors } = decodeSafetensors(await one.save());
    expect(tensors.get("moment1/head.bias")?.data).toEqual(Float32Array.of(0.5, 0.5));
    expect(tensors.get("moment2/stem.0.bias")?.data).toEqual(
      decodeSafetensors(bytes).tensors.get("moment2/stem.0.bias")?.data,
    );
    all.load(bytes, { allow: ["rules"] });
    expect(all.rates.table().map(({ updates: count }) => count)).toEqual([0, 0, 0]);
    await all.step(samples(8));
  }));

test("controllers that are allowed to differ begin anew", () =>
  guarded(async (device) => {
    const alone = await small(device);
    await alone.fit(samples(40));
    const watched = await small(device, { control: [guard()] });
    watched.load(await alone.save(), { allow: ["control"] });
    await watched.step(samples(8));
    await alone.step(samples(8));
    expect(await bitsOf(watched)).toEqual(await bitsOf(alone));
  }));

const bitsOf = async (trainer: Trainer): Promise<Map<string, string>> => bits(await trainer.weights());
