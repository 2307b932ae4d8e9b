// Pictures as samples, of bytes, which every runtime has: each number against the f64 twin, in every form; the same bits twice; what is trained on them
// and predicted of them is what host-made samples give; and what is refused.

import { describe, expect, test } from "vitest";
import { type FromPixelsOptions, fromPixels, type PixelData } from "../../src/image/index.ts";
import {
  adam,
  compile,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  functional,
  inference,
  meanSquaredError,
  relu,
  sequential,
  type Trainer,
  type Value,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { resized } from "../reference/resized.ts";
import { guarded } from "./guarded.ts";
import { bits } from "./small.ts";

type Shape = readonly [height: number, width: number, channels: number];

/** A picture of random bytes, of which some pixels are transparent where `clear`. */
const picture = (width: number, height: number, salt = 1, clear = false): PixelData => ({
  ...{ width, height },
  data: Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
    i % 4 === 3 && !clear ? 255 : Math.floor(uniform(salt, i) * 256),
  ),
});

/** A trainer that gives images back as they are. */
async function mirror(device: GPUDevice, input: Shape): Promise<Trainer> {
  const channels = input[2];
  const trainer = await compile(sequential([conv2d(channels, { kernel: 1, bias: false })]), {
    ...{ device, input, batch: 2, loss: meanSquaredError(), scale: false },
  });
  trainer.setWeights({
    "0.weight": {
      shape: [1, 1, channels, channels],
      data: Float32Array.from({ length: channels * channels }, (_, i) => (i % (channels + 1) === 0 ? 1 : 0)),
    },
  });
  return trainer;
}

/** How far a byte is from a number: 0 where it is the nearest, also of two that are as near. */
const farFromByte = (byte: number, value: number): number =>
  Number.isInteger(byte) ? Math.max(0, Math.abs(byte - value) - 0.5) : Number.POSITIVE_INFINITY;

const shapes: readonly Shape[] = [
  [4, 6, 3],
  [5, 3, 1], // samples that end within a word of bytes
  [3, 3, 3],
  [12, 9, 4],
];

describe.each(shapes)("%i x %i x %i", (...shape) => {
  test.each<[string, FromPixelsOptions]>([
    ["as they are by default", {}],
    ["numbers", { dtype: "f32" }],
    ["squeezed", { dtype: "f32", centerCrop: false }],
    ["of four pixels", { dtype: "f32", antialias: false }],
    ["of four pixels, squeezed, bytes", { antialias: false, centerCrop: false }],
    ["before a colour", { dtype: "f32", background: [10, 200, 90] }],
    ["before black", { background: 0 }],
  ])("are those of the twin: %s", (_, options) =>
    guarded(async (device) => {
      const trainer = await mirror(device, shape);
      const pictures = [picture(7, 5, 1, true), picture(31, 17, 2), picture(2, 3, 3, true), picture(1, 1, 4)];
      const data = await fromPixels(trainer, pictures, options);
      expect(data.count).toBe(4);
      const { background = 255, ...how } = options;
      const shades = typeof background === "number" ? [background, background, background] : background;
      const wanted = pictures.flatMap((one) => [...resized(one, shape, { ...how, background: shades })]);
      const found = await trainer.predict(data);
      expect(found.shape).toEqual([4, ...shape]);
      for (const [i, value] of wanted.entries()) {
        const own = found.data[i] as number;
        const apart = options.dtype === "f32" ? Math.abs(own - value) : farFromByte(own, value);
        expect(apart, `number ${i}: ${own}, and ${value} in f64`).toBeLessThan(1e-3);
      }
      expect(Math.max(...wanted) - Math.min(...wanted)).toBeGreaterThan(50);
      // The same bits twice, the second time on memory that was used.
      const again = await trainer.predict(await fromPixels(trainer, pictures, options));
      expect(again.data).toEqual(found.data);
      trainer.dispose();
    }),
  );
});

test("a large picture loses no digits, and its sums are whole", () =>
  guarded(async (device) => {
    const trainer = await mirror(device, [2, 3, 3]);
    for (const large of [picture(7001, 5, 5), picture(5, 7001, 6)]) {
      const { data } = await trainer.predict(await fromPixels(trainer, large, { dtype: "f32", centerCrop: false }));
      for (const [i, value] of resized(large, [2, 3, 3], { centerCrop: false }).entries())
        expect(Math.abs((data[i] as number) - value)).toBeLessThan(1e-3);
    }
    trainer.dispose();
  }));

const model = sequential({ stem: [conv2d(4, { kernel: 3, stride: 2 }), relu(), flatten()], head: dense(2) });

const classifier = (device: GPUDevice, more: object = {}): Promise<Trainer> =>
  compile(model, {
    ...{ device, input: [9, 9, 3], batch: 4, loss: crossEntropy(), optimizer: adam({ lr: 0.01 }), seed: 3 },
    ...more,
  });

const some = [0, 1, 2, 3, 4, 5].map((i) => picture(20 + i, 30 - i, i));
const labels = Uint8Array.from(some, (_, i) => i % 2);

/** The same samples made on the host. */
const bytes = Uint8Array.from(
  some.flatMap((one) => [...resized(one, [9, 9, 3])].map((value) => Math.floor(value + 0.5))),
);

test("a fit on pictures is one on their bytes, bit by bit, with the trainer's own mean and std, and with those of the samples", () =>
  guarded(async (device) => {
    for (const [own, more] of [
      [{ mean: [0.4, 0.5, 0.6], std: 0.25 }, {}],
      [{}, { mean: 0.3, scale: false }],
    ]) {
      const [one, other] = [await classifier(device, own), await classifier(device, own)];
      const data = await fromPixels(one, { x: some, y: labels, ...more });
      await one.fit(data, { epochs: 2 });
      await other.fit({ x: bytes, y: labels, ...more }, { epochs: 2 });
      expect(bits(await one.weights())).toEqual(bits(await other.weights()));
      expect((await one.evaluate(data)).loss).toBe((await other.evaluate({ x: bytes, y: labels, ...more })).loss);
    }
  }));

test("numbers are scaled as bytes are", () =>
  guarded(async (device) => {
    const trainer = await classifier(device);
    const [coarse, fine] = await Promise.all(
      (["u8", "f32"] as const).map(async (dtype) => trainer.predict(await fromPixels(trainer, some, { dtype }))),
    );
    for (const [i, value] of coarse!.data.entries()) expect(Math.abs(value - fine!.data[i]!)).toBeLessThan(0.02);
    expect(coarse!.data).not.toEqual(fine!.data);
  }));

test("a network that only predicts takes pictures, and others in their place", () =>
  guarded(async (device) => {
    const trainer = await classifier(device);
    const network = await inference(model, await trainer.save(), { device });
    const data = await fromPixels(network, some[0] as PixelData);
    const first = await network.predict(data);
    expect(first.data).toEqual((await trainer.predict(bytes.subarray(0, 243))).data);
    expect(await fromPixels(network, some[1] as PixelData, { into: data })).toBe(data);
    expect((await network.predict(data)).data).toEqual((await trainer.predict(bytes.slice(243, 486))).data);
    network.dispose();
  }));

test("an input beside others, by name", () =>
  guarded(async (device) => {
    const both = functional(({ image, age }: Record<"image" | "age", Value>, { use, add }) =>
      add(use("seen", sequential([flatten(), dense(1)]), image), use("asked", dense(1), age)),
    );
    const trainer = await compile(both, {
      ...{ device, input: { image: [9, 9, 3], age: [1] }, batch: 4, loss: meanSquaredError() },
    });
    const age = Float32Array.from(some, (_, i) => i);
    const data = await fromPixels(trainer, { x: { image: some, age }, y: age });
    expect((await trainer.predict(data)).data).toEqual((await trainer.predict({ image: bytes, age })).data);
    await trainer.fit(data);
  }));

/** What a promise fails with. */
const message = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "it did not fail",
    (error: Error) => `${error.name}: ${error.message}`,
  );

test("what cannot be is refused, with what to do", () =>
  guarded(async (device) => {
    const [trainer, other] = [await classifier(device), await classifier(device)];
    const one = some[0] as PixelData;
    expect(await message(fromPixels(trainer, []))).toMatch(/^DataError: fromPixels: x is .*no picture/);
    expect(await message(fromPixels(trainer, [one, 3 as never]))).toMatch(/^DataError: fromPixels: x\[1\] is 3\. Give/);
    expect(await message(fromPixels(trainer, one, { dtype: "u16" as never }))).toMatch(/^OptionError: .*"u8" or "f32"/);
    expect(await message(fromPixels(trainer, one, { background: [1, 2] }))).toMatch(/^OptionError: .*background is/);
    expect(await message(fromPixels(trainer, one, { crop: true } as never))).toMatch(
      /^OptionError: .*it has no "crop"/,
    );
    expect(await message(fromPixels(trainer, { x: some, y: [0] }))).toMatch(
      /^ShapeError: fromPixels: data.y has 1 values/,
    );
    const flat = await compile(dense(2), { device, input: [12], loss: crossEntropy() });
    expect(await message(fromPixels(flat, one))).toMatch(
      /^ShapeError: fromPixels: x: the model's input has shape \[12\]/,
    );
    const two = await compile(sequential([flatten(), dense(2)]), { device, input: [3, 3, 2], loss: crossEntropy() });
    expect(await message(fromPixels(two, one))).toMatch(/^ShapeError: .*\[3,3,2\].* 1, 3 or 4 channels/);

    const data = await fromPixels(trainer, one);
    expect(await message(trainer.fit(data))).toMatch(/^DataError: fit: data.y is missing\. Give/);
    expect(await message(trainer.evaluate(data))).toMatch(/^DataError: evaluate: data.y is missing/);
    expect(await message(other.predict(data))).toMatch(/^DataError: predict: the uploaded data is another trainer's/);
    expect(await message(fromPixels(other, one, { into: data }))).toMatch(/another trainer's/);
    expect(await message(fromPixels(trainer, some, { into: data }))).toMatch(/^ShapeError: fromPixels: into holds/);
    expect(await message(fromPixels(trainer, { x: one, y: [1] }, { into: data }))).toMatch(
      /^OptionError: .* y is given/,
    );
    expect(await message(fromPixels(trainer, one, { into: trainer.upload({ x: bytes, y: labels }) }))).toMatch(
      /^OptionError: fromPixels: into is/,
    );
    data.dispose();
    expect(await message(fromPixels(trainer, one, { into: data }))).toMatch(/^DataError: .*was disposed of/);
    trainer.dispose();
    expect(await message(fromPixels(trainer, one))).toMatch(/^DeviceError: trainer: it was disposed/);
  }));

test("nothing stays of what was made on the way", () =>
  guarded(async (device) => {
    const trainer = await classifier(device);
    const made: GPUBuffer[] = [];
    const createBuffer = device.createBuffer.bind(device);
    const destroyed = new Set<GPUBuffer>();
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        destroyed.add(buffer);
        destroy();
      };
      made.push(buffer);
      return buffer;
    };
    try {
      const data = await fromPixels(trainer, { x: some, y: labels });
      expect(made.filter((one) => !destroyed.has(one)).map(({ label }) => label)).toEqual([
        "data.order",
        "data.x",
        "data.norm",
        "data.y",
      ]);
      await expect(fromPixels(trainer, { x: some, y: [0] })).rejects.toThrow("data.y has 1 values");
      data.dispose();
      expect(made.filter((one) => !destroyed.has(one))).toEqual([]);
    } finally {
      Reflect.deleteProperty(device, "createBuffer"); // the stories behind have the same device
    }
  }));
