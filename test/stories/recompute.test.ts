// Activations that are computed again: the same weights to the last bit as with all of them kept, whatever else a trainer does.

import { expect, test } from "vitest";
import {
  adamw,
  type CompileOptions,
  compile,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  functional,
  gelu,
  type Layer,
  maxPool2d,
  ops,
  relu,
  residual,
  sequential,
  type Trainer,
  tanh,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

const images = {
  x: Uint8Array.from({ length: 21 * 64 }, (_, i) => 256 * uniform(3, i)),
  y: Uint8Array.from({ length: 21 }, (_, i) => i % 3),
};

const same = (filters: number) => conv2d(filters, { padding: "same" });
const block = () => residual([same(8), gelu(), same(8), relu()]);
const shared = sequential([dense(16), tanh(), dense(16), relu()]);

/** Adds noise, and keeps what it made last as a state. */
const noise = (): Layer => ({
  kind: "noise",
  apply(scope, x) {
    const noise = scope.draw("noise", "normal", x.shape);
    const { z } = scope.op(ops.add, { x, y: noise });
    scope.commit(scope.state("last", x.shape, "zeros"), z);
    return scope.op(ops.tanh, { x: z }).z;
  },
});

/** Pooling, residual blocks, a change of view, and layers that share weights, draw and keep states. */
const model = functional((x, { use }) => {
  const stem = use("stem", sequential([same(8), relu(), maxPool2d(2)]), x);
  const blocks = use("blocks", sequential([block(), sequential([block(), noise(), same(8)]), block()]), stem);
  const rows = use("rows", sequential([maxPool2d(2), flatten(), dense(16), relu()]), blocks);
  return use("head", dense(3), use("shared", shared, use("bend", gelu(), use("shared", shared, rows))));
});

const weightsAfter = async (
  device: GPUDevice,
  options: Partial<CompileOptions>,
  story: (trainer: Trainer) => Promise<unknown>,
): Promise<Map<string, number[]>> => {
  const settings = { device, input: [8, 8, 1], batch: 4, loss: crossEntropy(), optimizer: adamw({ lr: 0.01 }) };
  const trainer = await compile(model, { ...settings, ...options });
  await story(trainer);
  const weights = await trainer.weights();
  trainer.dispose();
  return new Map([...weights].map(([name, { data }]) => [name, [...new Uint32Array(data.buffer)]]));
};

const train = (trainer: Trainer) => trainer.fit(images, { epochs: 3 });

test.each(["blocks.*", "blocks", "**", "shared", "bend", "auto"])(
  "of %s leave the weights of keeping them",
  (recompute) =>
    guarded(async (device) => {
      const kept = await weightsAfter(device, {}, train);
      expect(await weightsAfter(device, { recompute }, train)).toEqual(kept);
    }),
);

test("go with a frozen stem whose features are kept, with micro-batches, and with layers that freeze on the way", () =>
  guarded(async (device) => {
    const options = { rates: { stem: { frozen: true } }, cacheFrozen: true, accumulate: 2 } as const;
    const story = async (trainer: Trainer): Promise<void> => {
      await train(trainer);
      trainer.rates.freeze("blocks.0");
      await train(trainer);
      trainer.rates.unfreeze("stem");
      await train(trainer);
    };
    const kept = await weightsAfter(device, options, story);
    for (const recompute of ["**", "auto"])
      expect(await weightsAfter(device, { ...options, recompute }, story)).toEqual(kept);
  }));

test("give the gradients of keeping them", () =>
  guarded(async (device) => {
    const found: unknown[] = [];
    for (const recompute of [undefined, "blocks.*", "auto"]) {
      await weightsAfter(device, { ...(recompute && { recompute }) }, async (trainer) => {
        found.push((await trainer.gradients({ x: images.x.slice(0, 256), y: images.y.slice(0, 4) })).gradients);
      });
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  }));
