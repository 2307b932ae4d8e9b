// Images that are changed at random: each as the host's numbers say, to the bit; not at all outside of training; the same in runs that
// are resumed, computed again or one of many; and gradients that go back to where the pixels came from.

import { describe, expect, test } from "vitest";
import { compileCohort } from "../../src/cohort/index.ts";
import {
  arrays,
  batch,
  cutout,
  randomBrightness,
  randomCrop,
  randomFlip,
  randomTranslation,
} from "../../src/dataset/index.ts";
import {
  type CompileOptions,
  compile,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  functional,
  type Layer,
  meanSquaredError,
  relu,
  sequential,
  zeroPadding2d,
} from "../../src/index.ts";
import { stream, uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";
import { bits } from "./small.ts";

const SEED = 5;
const [BATCH, HEIGHT, WIDTH, CHANNELS] = [16, 5, 7, 3] as const;
const input = [HEIGHT, WIDTH, CHANNELS] as const;
const x = Float32Array.from({ length: BATCH * HEIGHT * WIDTH * CHANNELS }, (_, i) => i + 1);

/** Keeps what it is given as the state `seen` in training. */
const seen: Layer = {
  kind: "seen",
  apply(scope, value) {
    if (scope.mode === "train") scope.commit(scope.state("seen", value.shape, "zeros"), value);
    return value;
  },
};
/** A weight, so that there is something to train; it stays at 0. */
const scaled: Layer = functional((value, { add, scope }) => add(value, scope.parameter("by", [1], "zeros")));

/** What a layer makes of the images in the first batches of a training, and in a prediction. */
async function made(device: GPUDevice, layer: Layer, batches: number, size: readonly number[] = input) {
  const model = sequential({ start: scaled, own: layer, seen });
  const trainer = await compile(model, { device, input, batch: BATCH, loss: meanSquaredError(), seed: SEED });
  const y = new Float32Array(BATCH * size.reduce((a, b) => a * b, 1));
  const found: Float32Array[] = [];
  for (let i = 0; i < batches; i++) {
    await trainer.step({ x, y });
    found.push((await trainer.weights()).get("seen.seen")!.data as Float32Array);
    trainer.setWeights({ "start.by": [0] });
  }
  const { data: predicted, shape } = await trainer.predict(x);
  trainer.dispose();
  return { found, predicted, shape };
}

/** The gradient of the mean of squares behind a layer for each number of the images, twice. */
async function slopes(device: GPUDevice, layer: Layer, size: readonly number[]): Promise<number[][]> {
  const pixels: Layer = functional((value, { add, scope }) =>
    add(value, scope.parameter("images", value.shape, "zeros")),
  );
  const trainer = await compile(sequential({ start: pixels, own: layer }), {
    ...{ device, input, batch: BATCH, loss: meanSquaredError(), seed: SEED },
  });
  const samples = { x, y: new Float32Array(BATCH * CHANNELS * size[0]! * size[1]!) };
  const all = [await trainer.gradients(samples), await trainer.gradients(samples)];
  trainer.dispose();
  return all.map(({ gradients }) => [...gradients.get("start.images")!.data]);
}

type Pixel = (row: number, column: number) => readonly [number, number] | undefined;

/** Images whose pixels come from others, or from none. */
const twin = (pixels: readonly Pixel[], [height, width]: readonly number[], fill: number): number[] =>
  pixels.flatMap((pixel, image) =>
    Array.from({ length: height! * width! }, (_, i) => {
      const from = pixel(Math.floor(i / width!), i % width!);
      const [row, column] = from ?? [-1, -1];
      const inside = from !== undefined && row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH;
      return Array.from({ length: CHANNELS }, (_, c) =>
        inside ? x[((image * HEIGHT + row) * WIDTH + column) * CHANNELS + c]! : fill,
      );
    }).flat(),
  );

/** For each number that comes out the place of the one it was, or -1. */
const placesOf = (pixels: readonly Pixel[], size: readonly number[]): number[] =>
  twin(pixels, size, 0).map((value) => value - 1);

/** The numbers of an image in a batch. */
const numbersOf = (name: string, draw: number, many: number, image: number): number[] =>
  Array.from({ length: many }, (_, i) => uniform(stream(SEED, `draw own.${name}`, draw), many * image + i));
const images = Array.from({ length: BATCH }, (_, i) => i);
const whole = (u: number, many: number): number => Math.floor(Math.fround(u * many));

/** What is asked of a layer, and what it is to do with the numbers of an image. */
const layers: readonly (readonly [
  name: string,
  layer: () => Layer,
  size: readonly [number, number],
  fill: number,
  pixel: (numbers: readonly number[]) => Pixel,
])[] = [
  ...(["horizontal", "vertical", "horizontal_and_vertical"] as const).map(
    (mode) =>
      [
        `randomFlip("${mode}")`,
        () => randomFlip(mode),
        [HEIGHT, WIDTH],
        0,
        ([v, h]: readonly number[]) =>
          (row: number, column: number) =>
            [
              mode !== "horizontal" && v! < 0.5 ? HEIGHT - 1 - row : row,
              mode !== "vertical" && h! < 0.5 ? WIDTH - 1 - column : column,
            ] as const,
      ] as const,
  ),
  [
    "randomTranslation",
    () => randomTranslation({ height: 0.5, width: 0.3, fill: -3 }),
    [HEIGHT, WIDTH],
    -3,
    ([, , down, across]) =>
      (row, column) => [row - 2 + whole(down!, 5), column - 2 + whole(across!, 5)],
  ],
  [
    "randomCrop",
    () => randomCrop(3, 6),
    [3, 6],
    0,
    ([, , down, across]) =>
      (row, column) => [row + whole(down!, 3), column + whole(across!, 2)],
  ],
  [
    "cutout",
    () => cutout(4, { fill: 9 }),
    [HEIGHT, WIDTH],
    9,
    ([down, across]) =>
      (row, column) => {
        const [top, left] = [whole(down!, HEIGHT) - 2, whole(across!, WIDTH) - 2];
        const inside = row >= top && row < top + 4 && column >= left && column < left + 4;
        return inside ? undefined : [row, column];
      },
  ],
];

describe.each(layers)("%s", (name, layer, size, fill, pixel) => {
  test("puts each pixel where the host's numbers say, another place in each batch, and rests outside of training", () =>
    guarded(async (device) => {
      const { found, predicted, shape } = await made(device, layer(), 3, [...size, CHANNELS]);
      for (const [i, values] of found.entries()) {
        const many = name === "cutout" ? 2 : 4;
        const pixels = images.map((image) => pixel(numbersOf("place", i + 1, many, image)));
        expect([...values]).toEqual(twin(pixels, size, fill));
      }
      expect(found[0]).not.toEqual(found[1]);
      expect(shape).toEqual([BATCH, ...size, CHANNELS]);
      const still = twin(
        images.map(() => (row, column) => (name === "randomCrop" ? [row + 1, column] : [row, column])),
        size,
        fill,
      );
      expect([...predicted]).toEqual(still);
    }));

  test("hands gradients back to where the pixels came from, with equal bits each time", () =>
    guarded(async (device) => {
      const [first, second] = await slopes(device, layer(), size);
      expect(second).toEqual(first);
      const many = name === "cutout" ? 2 : 4;
      const pixels = images.map((image) => pixel(numbersOf("place", 0, many, image)));
      const out = twin(pixels, size, fill);
      const expected = new Array(x.length).fill(0);
      // The images hold their places, and one more.
      const places = placesOf(pixels, size);
      for (const [i, from] of places.entries()) if (from >= 0) expected[from] += (2 * out[i]!) / out.length;
      expect(expected.filter((slope) => slope === 0).length > 0).toBe(!name.startsWith("randomFlip"));
      for (const [i, slope] of first!.entries())
        expect(Math.abs(slope - expected[i]!)).toBeLessThanOrEqual(1e-6 * expected[i]!);
    }));
});

test("brightness adds to all numbers of an image what its number says, and gradients pass it by", () =>
  guarded(async (device) => {
    const { found, predicted } = await made(device, randomBrightness(0.25), 2);
    for (const [i, values] of found.entries()) {
      for (const image of images) {
        const [u] = numbersOf("by", i + 1, 1, image) as [number];
        for (let at = image * 105; at < (image + 1) * 105; at++)
          expect(Math.abs(values[at]! - (x[at]! + 0.25 * (2 * u - 1)))).toBeLessThanOrEqual(
            2 ** -24 * x[at]! + 2 ** -25,
          );
      }
    }
    expect(predicted).toEqual(x);
    const [first, second] = await slopes(device, randomBrightness(0.25), [HEIGHT, WIDTH]);
    expect(second).toEqual(first);
    for (const [i, slope] of first!.entries()) {
      const [u] = numbersOf("by", 0, 1, Math.floor(i / 105)) as [number];
      const expected = (2 * (x[i]! + 0.25 * (2 * u - 1))) / x.length;
      expect(Math.abs(slope - expected)).toBeLessThanOrEqual(1e-6 * expected);
    }
  }));

const model = sequential({
  bend: [zeroPadding2d(1), randomCrop(5, 7), randomFlip(), randomTranslation(), randomBrightness(0.2), cutout(2)],
  stem: [conv2d(4, { kernel: 3 }), relu(), flatten()],
  head: dense(3),
});
const COUNT = 22;
const data = {
  x: Uint8Array.from({ length: COUNT * 105 }, (_, i) => 255 * uniform(3, i)),
  y: Uint8Array.from({ length: COUNT }, (_, i) => i % 3),
};
const options = { input, batch: 4, loss: crossEntropy(), seed: SEED };

test("the same is drawn in a run that is repeated, resumed, streamed and resumed, or computed again", () =>
  guarded(async (device) => {
    const run = async (
      given: () => Parameters<Awaited<ReturnType<typeof compile>>["fit"]>[0],
      cut?: number,
      more: Partial<CompileOptions> = {},
    ) => {
      let trainer = await compile(model, { ...options, device, ...more });
      if (cut !== undefined) {
        await trainer.fit(given(), { epochs: 2, steps: cut });
        const bytes = await trainer.save();
        trainer.dispose();
        trainer = await compile(model, { ...options, device, ...more });
        trainer.load(bytes);
      }
      await trainer.fit(given(), { epochs: 2, ...(cut !== undefined && { resume: true }) });
      const found = bits(await trainer.weights());
      trainer.dispose();
      return found;
    };
    const first = await run(() => data);
    expect(await run(() => data)).toEqual(first);
    expect(await run(() => data, 8)).toEqual(first);
    expect(await run(() => data, undefined, { recompute: "*" })).toEqual(first);
    expect(await run(() => data, undefined, { seed: SEED + 1 })).not.toEqual(first);
    const streamed = () => batch(arrays(data, { input }), 4, { shuffle: true, seed: 1 });
    expect(await run(streamed, 8)).toEqual(await run(streamed));
  }));

test("each copy of a cohort sees the images of its own seed, as alone", () =>
  guarded(async (device) => {
    const seeds = [SEED, SEED + 1];
    const settings = { input, batch: 4, loss: crossEntropy() };
    const cohort = await compileCohort(model, { ...settings, device, copies: 2, seed: (k) => seeds[k]! });
    await cohort.fit(data, { epochs: 1, shuffle: false });
    const all: ReturnType<typeof bits>[] = [];
    for (const [k, seed] of seeds.entries()) {
      const alone = await compile(model, { ...settings, device, seed });
      await alone.fit(data, { epochs: 1, shuffle: false });
      const own = bits(await alone.weights());
      expect(bits(await cohort.extract(k)), `copy ${k}`).toEqual(own);
      all.push(own);
      alone.dispose();
    }
    expect(all[0]).not.toEqual(all[1]);
    cohort.dispose();
  }));

test("what does not fit is refused by name", () => {
  const bad = (value: unknown) => value as never;
  expect(() => randomFlip(bad("diagonal"))).toThrow(
    'randomFlip: mode is "diagonal", it must be one of horizontal, vertical, horizontal_and_vertical.',
  );
  expect(() => randomTranslation({ height: 2 })).toThrow(
    "randomTranslation: height is 2, it must be a number from 0 to 1.",
  );
  expect(() => randomTranslation(bad(0.1))).toThrow("randomTranslation: its options are 0.1, they must be an object.");
  expect(() => randomCrop(0, 5)).toThrow("randomCrop: height is 0, it must be a whole number of at least 1.");
  expect(() => randomBrightness(-1)).toThrow(
    "randomBrightness: factor is -1, it must be a finite number of at least 0.",
  );
  expect(() => cutout(1.5)).toThrow("cutout: size is 1.5, it must be a whole number of at least 1.");
  expect(() => cutout(2, bad({ size: 3 }))).toThrow('cutout: it has no "size". It may have fill.');
});

test("what is no image, or too small, is refused with its layer", () =>
  guarded(async (device) => {
    const tried = (layer: Layer, shape: readonly number[]) =>
      compile(sequential({ own: layer, flat: flatten(), head: dense(2) }), {
        ...{ device, loss: crossEntropy() },
        input: shape,
        batch: 2,
      });
    await expect(tried(randomFlip(), [4])).rejects.toThrow(
      'randomFlip "own": input has shape [2,4], it must be images [batch, height, width, channels].',
    );
    await expect(tried(randomCrop(5, 5), [4, 8, 1])).rejects.toThrow(
      'randomCrop "own": input has shape [2,4,8,1], of which it cuts 5 x 5. Cut less.',
    );
  }));
