// The networks of demo/models learn: on one batch that comes again and again, the loss falls.

import { expect, test } from "vitest";
import { gan, losses } from "../../demo/models/gan.ts";
import { decoder, vae, loss as vaeLoss } from "../../demo/models/vae.ts";
import { adam, binaryCrossEntropy, compile, sequential } from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { BATCH, numbers, pictures, stories } from "./pupils.ts";

test.each(Object.entries(stories))("%s", (_, { model, options, data }) =>
  guarded(async (device) => {
    const trainer = await compile(model, { device, seed: 1, optimizer: adam({ lr: 0.02 }), ...options });
    const told: number[] = [];
    await trainer.fit(data, { epochs: 12, onStep: ({ loss }) => told.push(loss) });
    expect(told).toHaveLength(12);
    expect(told.at(-1)).toBeLessThan(0.9 * (told[0] as number));
  }),
);

test("gan: each of two losses moves its own network, and both go on from where the other left", () =>
  guarded(async (device) => {
    const trainer = await compile(gan(), {
      ...{ device, batch: BATCH, seed: 1, losses, optimizer: adam({ lr: 1e-3, betas: [0.5, 0.999] }) },
      ...{ input: { image: [28, 28, 1], noise: [16] }, target: { one: [1], zero: [1] } },
    });
    const x = { image: pictures.map((value) => 2 * value - 1), noise: numbers(BATCH * 16, 6) };
    const y = { one: new Float32Array(BATCH).fill(1), zero: new Float32Array(BATCH) };
    const told: number[] = [];
    for (let round = 0; round < 6; round++) {
      told.push((await trainer.step({ x, y }, { loss: "critic", train: "critic.**" })).loss);
      await trainer.step({ x, y }, { loss: "artist", train: "artist.**" });
    }
    expect(told.every(Number.isFinite)).toBe(true);
    const { shape, data } = await trainer.predict(x, { output: "picture" });
    expect(shape).toEqual([BATCH, 28, 28, 1]);
    expect(data.every((value) => Math.abs(value) <= 1)).toBe(true);
  }));

test("vae: both parts of its loss are right, it learns, and its decoder alone makes the same images", () =>
  guarded(async (device) => {
    const trainer = await compile(vae(4), {
      ...{ device, batch: BATCH, seed: 1, loss: vaeLoss, optimizer: adam({ lr: 0.01 }) },
      ...{ input: { image: [28, 28, 1], noise: [8] }, target: [28, 28, 1] },
    });
    const noise = numbers(BATCH * 8, 7).map((value) => 4 * value - 2);
    const x = { image: pictures, noise };
    const [logits, mean, logVariance] = await Promise.all(
      ["image", "mean", "logVariance"].map(async (output) => (await trainer.predict(x, { output })).data),
    );
    const cross = pictures.map((t, i) => Math.log1p(Math.exp(logits![i]!)) - t * logits![i]!);
    const apart = mean!.map((m, i) => (m ** 2 + Math.exp(logVariance![i]!) - 1 - logVariance![i]!) / 2);
    const ofSample = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / BATCH;
    const { loss, reports = {} } = await trainer.evaluate({ x, y: pictures });
    expect(reports.reconstruction! / ofSample(cross)).toBeCloseTo(1, 5);
    expect(reports.divergence! / ofSample(apart)).toBeCloseTo(1, 4);
    expect(loss).toBeCloseTo(reports.reconstruction! + reports.divergence!, 3);

    await trainer.fit({ x, y: pictures }, { epochs: 12 });
    expect((await trainer.evaluate({ x, y: pictures })).loss).toBeLessThan(0.9 * loss);

    const sampler = await compile(sequential({ decoder: decoder(4) }), {
      ...{ device, batch: BATCH, input: [8], loss: binaryCrossEntropy(), optimizer: adam() },
    });
    const { missing } = sampler.transfer(await trainer.weights());
    expect(missing).toEqual([]);
    const still = { image: pictures, noise: new Float32Array(BATCH * 8) };
    const codes = (await trainer.predict(still, { output: "mean" })).data;
    const { data } = await sampler.predict(codes, { activation: "sigmoid" });
    expect(data).toEqual((await trainer.predict(still, { output: "image", activation: "sigmoid" })).data);
  }));
