// Bad use, and what Gradus says to it. Each text is part of the product and pinned here: where, what is wrong with both
// numbers, what to do. None of these may change a weight.

import { expect, test } from "vitest";
import {
  adam,
  type CompileOptions,
  compile,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  type GradusError,
  type Layer,
  maxPool2d,
  meanSquaredError,
  oneCycle,
  relu,
  residual,
  type Samples,
  sequential,
  sgd,
  type Trainer,
} from "../../src/index.ts";
import { guarded } from "./guarded.ts";

/** The error of a piece of bad use, as "Class: text". */
async function complaint(use: () => unknown): Promise<string> {
  try {
    await use();
  } catch (error) {
    return `${(error as GradusError).name}: ${(error as GradusError).message}`;
  }
  return "nothing was thrown";
}

const options = { input: [4], batch: 2, loss: crossEntropy() };
const model = (): Layer => sequential({ stem: dense(5), mid: relu(), head: dense(3) });
const trainerOn = (device: GPUDevice, more: Partial<CompileOptions> = {}): Promise<Trainer> =>
  compile(model(), { device, ...options, ...more });

const image = { input: [8, 8, 1], loss: crossEntropy() };
const notModels: Record<string, () => unknown> = {
  "a convolution on a vector": () => compile(sequential({ conv: conv2d(3) }), options),
  "a window larger than the image": () => compile(sequential({ conv: conv2d(3, { kernel: 9 }) }), image),
  "a pool larger than the image": () => compile(sequential([conv2d(3), maxPool2d(7)]), image),
  "dense with other inputs": () => compile(sequential({ head: dense(3, { inputs: 5 }) }), options),
  "a residual that changes the shape": () => compile(sequential({ block: residual([dense(5)]) }), options),
  "a factory that was not called": () => sequential({ stem: dense(5), act: relu as unknown as Layer }),
  "no layers": () => sequential([]),
  "a name that is no path": () => sequential({ "my layer": dense(3) }),
  "zero units": () => dense(0),
  "half a filter": () => conv2d(1.5),
  "unknown padding": () => conv2d(3, { padding: "full" as "same" }),
  "an unknown initializer": () => dense(3, { initializer: "xavier" as "zeros" }),
  "a model without weights": () => compile(sequential([flatten()]), image),
};

test.each(Object.entries(notModels))("model: %s", async (name, use) => {
  await expect(complaint(use)).resolves.toMatchSnapshot(name);
});

const notOptions: Record<string, () => unknown> = {
  "no model": () => compile({} as Layer, options),
  "no input": () => compile(model(), { loss: crossEntropy() } as CompileOptions),
  "an input of length 0": () => compile(model(), { ...options, input: [0] }),
  "batch 0": () => compile(model(), { ...options, batch: 0 }),
  "no loss": () => compile(model(), { input: [4] } as unknown as CompileOptions),
  "half a seed": () => compile(model(), { ...options, seed: 0.5 }),
  "an unknown layer in rates": () => compile(model(), { ...options, rates: { haed: 1e-3 } }),
  "a negative rate": () => compile(model(), { ...options, rates: { head: -1 } }),
  "a rate that is no number": () => adam({ lr: Number.NaN }),
  "nesterov without momentum": () => sgd({ nesterov: true }),
  "a beta of 1": () => adam({ betas: [0.9, 1] }),
  "a schedule without a length": () => oneCycle({}),
};

test.each(Object.entries(notOptions))("options: %s", async (name, use) => {
  await expect(complaint(use)).resolves.toMatchSnapshot(name);
});

const notData: Record<string, (trainer: Trainer) => unknown> = {
  "empty data": (trainer) => trainer.fit({ x: [], y: [] }),
  "no labels": (trainer) => trainer.fit({ x: [1, 2, 3, 4] } as unknown as Samples),
  "half a sample": (trainer) => trainer.fit({ x: [1, 2, 3, 4, 5], y: [0] }),
  "too few labels": (trainer) => trainer.fit({ x: [1, 2, 3, 4, 5, 6, 7, 8], y: [0] }),
  "a label out of range": (trainer) => trainer.fit({ x: [1, 2, 3, 4, 5, 6, 7, 8], y: [2, 3] }),
  "a label that is no class": (trainer) => trainer.step({ x: [1, 2, 3, 4], y: [0.5] }),
  "NaN in the data": (trainer) => trainer.fit({ x: [1, 2, 3, 4, 5, Number.NaN, 7, 8], y: [0, 1] }),
  "a number beyond f32": (trainer) => trainer.predict([1, 2, 3, 1e39]),
  "a standard deviation of 0": (trainer) => trainer.evaluate({ x: [1, 2, 3, 4], y: [0], std: 0 }),
  "a batch that is too large": (trainer) => trainer.step({ x: new Float32Array(12), y: [0, 1, 2] }),
  "an iterable of nothing": (trainer) => trainer.fit([]),
  "no epoch": (trainer) => trainer.fit({ x: [1, 2, 3, 4], y: [0] }, { epochs: 0 }),
  "an unknown layer to freeze": (trainer) => trainer.rates.freeze("body"),
  "an unknown layer to set": (trainer) => trainer.rates.set("stem.wieght", 1e-3),
  "a pattern that is none": (trainer) => trainer.rates.set("stem weight", 1e-3),
  "an unknown tensor": (trainer) => trainer.setWeights({ "tail.weight": [1] }),
  "a tensor of another size": (trainer) => trainer.setWeights({ "head.bias": [1, 2] }),
  "two runs at once": (trainer) => {
    const first = trainer.fit({ x: [1, 2, 3, 4], y: [0] });
    return Promise.all([
      first.then(
        () => undefined,
        () => undefined,
      ),
      trainer.step({ x: [1, 2, 3, 4], y: [0] }),
    ]);
  },
  "an empty checkpoint": (trainer) => trainer.load(new Uint8Array(3)),
  "a truncated checkpoint": async (trainer) => trainer.load((await trainer.save()).slice(0, -4)),
};

test.each(Object.entries(notData))("data: %s", (name, use) =>
  guarded(async (device) => {
    const trainer = await trainerOn(device, { rates: { "**": 0 } });
    const before = await trainer.weights();
    await expect(complaint(() => use(trainer))).resolves.toMatchSnapshot(name);
    expect(await trainer.weights()).toEqual(before);
  }),
);

test("checkpoints of another trainer", () =>
  guarded(async (device) => {
    const trainer = await trainerOn(device);
    const others = {
      model: await compile(sequential({ stem: dense(5), top: dense(3) }), { device, ...options }),
      width: await compile(sequential({ stem: dense(6), head: dense(3) }), { device, ...options }),
      optimizer: await trainerOn(device, { optimizer: adam() }),
      moments: await trainerOn(device, { optimizer: sgd() }),
      seed: await trainerOn(device, { seed: 1 }),
    };
    for (const [name, other] of Object.entries(others)) {
      const bytes = await other.save();
      await expect(complaint(() => trainer.load(bytes))).resolves.toMatchSnapshot(name);
    }
  }));

test("a schedule in epochs on data of unknown length", () =>
  guarded(async (device) => {
    const trainer = await trainerOn(device, { schedule: oneCycle({ epochs: 2 }) });
    await expect(complaint(() => trainer.fit([{ x: [1, 2, 3, 4], y: [0] }]))).resolves.toMatchSnapshot();
  }));

test("weights over the device's limit, before anything is allocated", () =>
  guarded(async (device) => {
    const wide = sequential({ wide: dense(2 ** 16), head: dense(3) });
    await expect(
      complaint(() => compile(wide, { device, input: [1024], loss: crossEntropy() })),
    ).resolves.toMatchSnapshot();
  }));

test("targets that are not finite", () =>
  guarded(async (device) => {
    const trainer = await compile(sequential([dense(2)]), { device, input: [4], loss: meanSquaredError() });
    const data = { x: [1, 2, 3, 4], y: [1, Number.POSITIVE_INFINITY] };
    await expect(complaint(() => trainer.fit(data))).resolves.toMatchSnapshot();
  }));

test("no WebGPU, and no adapter", async () => {
  const { gpu } = navigator;
  const pretend = (value: unknown): void => {
    Object.defineProperty(navigator, "gpu", { value, configurable: true });
  };
  try {
    pretend(undefined);
    await expect(complaint(() => compile(model(), options))).resolves.toMatchSnapshot("no WebGPU");
    pretend({ requestAdapter: async () => null });
    await expect(complaint(() => compile(model(), options))).resolves.toMatchSnapshot("no adapter");
  } finally {
    pretend(gpu);
  }
});

test("a lost device, in the midst of training and after it, and a disposed trainer", async () => {
  const device = await (await navigator.gpu.requestAdapter())?.requestDevice();
  const trainer = await trainerOn(device as GPUDevice);
  const data = { x: new Float32Array(400), y: new Uint8Array(100) };
  const training = complaint(() =>
    trainer.fit(data, { epochs: 100, onStep: ({ step }) => step === 9 && device?.destroy() }),
  );
  await expect(training).resolves.toMatchSnapshot("in the midst");
  await expect(complaint(() => trainer.evaluate(data))).resolves.toMatchSnapshot("after it");
  const other = await compile(model(), options);
  other.dispose();
  await expect(complaint(() => other.fit(data))).resolves.toMatchSnapshot("disposed");
});

test("a device that goes while something waits for it is told by name, whoever waits", async () => {
  const data = { x: new Float32Array(400), y: new Uint8Array(100) };
  const waits: readonly ((trainer: Trainer, go: () => void) => Promise<unknown>)[] = [
    (trainer, go) => trainer.fit(data, { epochs: 100, onStep: ({ step }) => step === 9 && go() }),
    (trainer, go) =>
      trainer.fit(data, {
        epochs: 100,
        statsEvery: 1,
        onStats: () => undefined,
        onStep: ({ step }) => step === 9 && go(),
      }),
    (trainer, go) => [trainer.predict(data.x), go()][0] as Promise<unknown>,
    (trainer, go) => [trainer.evaluate(data), queueMicrotask(go)][0] as Promise<unknown>,
    (trainer, go) => [trainer.save(), queueMicrotask(go)][0] as Promise<unknown>,
    (trainer, go) => [trainer.weights(), setTimeout(go)][0] as Promise<unknown>,
  ];
  for (const wait of waits) {
    const device = (await (await navigator.gpu.requestAdapter())?.requestDevice()) as GPUDevice;
    const trainer = await trainerOn(device);
    const said = await complaint(() => wait(trainer, () => device.destroy()));
    // What was there before the device went is there.
    expect(said).toMatch(/^(DeviceError: device: it was destroyed|nothing was thrown$)/);
    trainer.dispose();
    device.destroy();
  }
});

test("what no message can print, what was not awaited, and batches that there are none of", () =>
  guarded(async (device) => {
    const trainer = await trainerOn(device, { averaging: 0.9 });
    const symbol = Symbol("of another kind") as unknown as string;
    const bad: readonly (() => unknown)[] = [
      () => trainer.rates.set(symbol, { lr: 1 }),
      () => trainer.rates.set("head", { averaging: symbol as unknown as number }),
      () => trainer.rates.scale(symbol, 2),
      () => trainer.rates.freeze(symbol),
      () => trainer.rates.unfreeze(symbol),
      () => trainer.setWeights(trainer.weights() as never),
      () => trainer.applyGradients(Promise.resolve({}) as never),
      () => trainer.fit({ x: new Float32Array(16), y: [0, 1, 2, 0] }, { validation: [] }),
    ];
    for (const use of bad) expect(await complaint(use)).toMatch(/^(Option|Name|Data)Error: /);
    expect(trainer.steps).toBe(0);
  }));
