// Ways to teach a trained network, on a residual network with batch normalization: what is frozen keeps its bits, running statistics too, and
// what is not moves. Half of the samples would do for the network; none of it is about how well it learns.

import { expect, test } from "vitest";
import { fitWith, headOnly, headThenAll } from "../../src/callbacks/index.ts";
import {
  adamw,
  batchNorm,
  type CompileOptions,
  conv2d,
  crossEntropy,
  dense,
  globalAveragePool2d,
  gradualUnfreezing,
  layerDecay,
  NameError,
  relu,
  residual,
  sequential,
  type Trainer,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { compile } from "./compile-here.ts";
import { bits } from "./small.ts";

const images = {
  x: Float32Array.from({ length: 20 * 64 }, (_, i) => uniform(7, i) - 0.5),
  y: Uint8Array.from({ length: 20 }, (_, i) => i % 3),
};

const normed = sequential({ conv: conv2d(4, { padding: "same", bias: false }), norm: batchNorm() });
/** Two layers of weights, which count as one block. */
const stage = sequential([residual([normed, relu(), normed]), relu()]);
const model = sequential({
  ...{ stem: [normed, relu()], stage1: stage, stage2: stage, stage3: stage },
  ...{ pool: globalAveragePool2d(), head: dense(3) },
});

const network = (options: Partial<CompileOptions> = {}): Promise<Trainer> =>
  compile(model, {
    ...{ input: [8, 8, 1], batch: 8, loss: crossEntropy(), optimizer: adamw({ lr: 0.01 }), blocks: "stage*" },
    ...options,
  });

/** Names of the parts of which something has moved. */
async function moved(trainer: Trainer, before: ReadonlyMap<string, string>): Promise<string[]> {
  const after = bits(await trainer.weights());
  const names = [...after]
    .filter(([name, value]) => before.get(name) !== value)
    .map(([name]) => name.split(".")[0] as string);
  return [...new Set(names)];
}

const parts = ["stem", "stage1", "stage2", "stage3", "head"];

test("headOnly moves the head alone, keeps features where it may with the same bits, and lets all go in the end", async () => {
  const ends = [];
  for (const cacheFrozen of [false, true]) {
    const trainer = await network({ cacheFrozen });
    const before = bits(await trainer.weights());
    const dispatches: number[] = [];
    const { history } = await headOnly(trainer, images, {
      ...{ epochs: 2, headLr: 0.05 },
      callbacks: [{ onEpoch: () => void dispatches.push(trainer.recording().commands.length) }],
    });
    expect(history.loss).toHaveLength(2);
    expect(await moved(trainer, before)).toEqual(["head"]);
    expect(trainer.recording().commands.length).toBeGreaterThan(2 * (dispatches[0] as number));
    expect(new Set(trainer.rates.table().map(({ state }) => state))).toEqual(new Set(["active"]));
    expect(trainer.rates.table().at(-1)?.base).toBe(0.05);
    ends.push(bits(await trainer.weights()));
  }
  expect(ends[1]).toEqual(ends[0]);
});

test("headOnly lets go what it froze where a fit fails, keeps frozen what was, and refuses a head that is not there", async () => {
  const trainer = await network();
  trainer.rates.freeze("stem");
  const fail = () => {
    throw new Error("enough");
  };
  await expect(headOnly(trainer, images, { callbacks: [{ onStep: fail }] })).rejects.toThrow("enough");
  const states = trainer.rates.table().map(({ name, state }) => [name.split(".")[0], state]);
  expect(states.filter(([, state]) => state === "frozen").map(([part]) => part)).toEqual(["stem", "stem"]);
  await expect(headOnly(trainer, images, { head: "haed" })).rejects.toThrow(NameError);
  await expect(headOnly(trainer, images, { headLr: 0 })).rejects.toThrow(
    "headLr is 0, it must be a finite number above 0",
  );
});

test("headThenAll fits the head first, then moves all at the rate that it is told", async () => {
  const trainer = await network();
  const before = bits(await trainer.weights());
  const seen: string[][] = [];
  const { head, all } = await headThenAll(trainer, images, {
    ...{ headEpochs: 1, epochs: 2, lr: 1e-3 },
    callbacks: [{ onEpoch: async () => void seen.push(await moved(trainer, before)) }],
  });
  expect([head.epochs.length, all?.epochs.length]).toEqual([1, 2]);
  expect(seen).toEqual([["head"], expect.arrayContaining(parts), expect.arrayContaining(parts)]);
  expect(new Set(trainer.rates.table().map(({ base }) => base))).toEqual(new Set([1e-3]));
  const stopped = await headThenAll(trainer, images, { callbacks: [{ onEpoch: () => trainer.stop() }], headEpochs: 2 });
  expect([stopped.head.stopped, stopped.all]).toEqual([true, undefined]);
});

test("gradual unfreezing lets one block more train in each epoch", async () => {
  const trainer = await network({ rates: gradualUnfreezing({ every: { epochs: 1 } }) });
  const before = bits(await trainer.weights());
  const seen: string[][] = [];
  await fitWith(trainer, images, {
    epochs: 5,
    callbacks: [{ onEpoch: async () => void seen.push(await moved(trainer, before)) }],
  });
  expect(seen.map((names) => names.toSorted())).toEqual([1, 2, 3, 4, 5].map((count) => parts.slice(-count).toSorted()));
});

test("layer decay by blocks gives a block one rate, and what falls below the least is frozen", async () => {
  const trainer = await network({ rates: layerDecay(0.5, { freezeBelow: 0.2 }) });
  const before = bits(await trainer.weights());
  await fitWith(trainer, images);
  const rates = new Map(trainer.rates.table().map(({ name, multiplier }) => [name.split(".")[0], multiplier]));
  expect(Object.fromEntries(rates)).toEqual({ stem: 0.0625, stage1: 0.125, stage2: 0.25, stage3: 0.5, head: 1 });
  expect((await moved(trainer, before)).toSorted()).toEqual(["head", "stage2", "stage3"]);
});
