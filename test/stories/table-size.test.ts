// The layer table and the arenas at the sizes where something changes: the last table that fits a uniform, tensors of every
// length, the last arena that fits a binding, and what no device of this size can hold.

import { expect, test } from "vitest";
import {
  adamw,
  compile,
  dense,
  type Layer,
  type LayerInfo,
  LimitError,
  meanSquaredError,
  print,
  sgd,
  type Trainer,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

/** Tensors of these lengths, named t0, t1, ..., that no loss depends on; number i of each starts at `first(i)`. */
const bag = (
  lengths: readonly number[],
  first: (tensor: number, length: number) => Float32Array<ArrayBuffer>,
): Layer => ({
  kind: "bag",
  apply(scope, x) {
    for (const [i, length] of lengths.entries()) scope.parameter(`t${i}`, [length], () => first(i, length));
    return dense(1).apply(scope.child("head"), x);
  },
});

const trained = (device: GPUDevice, model: Layer, options = {}): Promise<Trainer> =>
  compile(model, { device, input: [1], batch: 1, loss: meanSquaredError(), optimizer: sgd({ lr: 0.5 }), ...options });

const updates = (trainer: Trainer): string[] =>
  print(trainer.recording())
    .split("\n")
    .filter((line) => line.includes(" rows"));

// The head has two rows more.
test.each([4094, 4095])("%i tensors and a head: the table fits a uniform up to 4,096 rows", (count) =>
  guarded(async (device) => {
    const lengths = Array.from({ length: count }, (_, i) => (i < 514 ? 1 + (i % 257) : 1 + (i % 3)));
    const values = (tensor: number, length: number) =>
      Float32Array.from({ length }, (_, i) => uniform(tensor, i) - 0.5);
    const rule = (tensor: number) => ({ lr: 1 / (1 + (tensor % 64)), weightDecay: (tensor % 3) / 4 });
    const rates = ({ tensor }: LayerInfo) => (tensor.startsWith("t") ? rule(Number(tensor.slice(1))) : undefined);
    const trainer = await trained(device, bag(lengths, values), { rates });
    const found = updates(trainer);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`sgd: ${count + 2} rows${count + 2 > 4096 ? " in storage" : ""}, `);
    const given = lengths.map((length, i) => [`t${i}`, values(i + 10_000, length)] as const);
    await trainer.applyGradients(Object.fromEntries(given));
    await trainer.step({ x: [1], y: [2] });
    await trainer.applyGradients(Object.fromEntries(given));
    const weights = await trainer.weights();
    const wrong = given.filter(([name, gradient], tensor) => {
      const start = values(tensor, gradient.length);
      const { lr, weightDecay } = rule(tensor);
      return !gradient.every((g, i) => {
        let p = start[i] as number;
        for (let step = 0; step < 2; step++) p -= lr * (g + weightDecay * p);
        return Math.abs((weights.get(name)?.data[i] as number) - p) < 1e-6;
      });
    });
    expect(wrong.map(([name]) => name)).toEqual([]);
    expect(weights.get("head.bias")?.data[0]).not.toBe(0);
  }),
);

/** Numbers of f32 in the 128 MiB that every device allows a binding. */
const MOST = 2 ** 25;

test.each([
  [0, ["131072 blocks"]],
  [1, ["131072 blocks", "1 blocks"]],
] as const)("an arena of the binding limit and %i blocks takes as few dispatches as it can", (more, parts) =>
  guarded(async (device) => {
    expect(device.limits.maxStorageBufferBindingSize).toBe(4 * MOST);
    // The head's weight and bias have a block each.
    const rest = (more - 2) * 256;
    const lengths = [1, 2 ** 23, 2 ** 24 - 256 - 77, 2 ** 23 + rest];
    const trainer = await trained(
      device,
      bag(lengths, (tensor, length) => new Float32Array(length).fill(tensor + 1)),
      { rates: Object.fromEntries(lengths.map((_, i) => [`t${i}`, { lr: 1 / 2 ** i }])) },
    );
    const found = updates(trainer).map((line) => /(\d+ blocks)/.exec(line)?.[1]);
    expect(found).toEqual(parts);

    // A gradient that differs from number to number and is cheap to make and to check: a ramp over and over.
    const ramp = Float32Array.from({ length: 2 ** 16 + 1 }, (_, i) => i);
    const gradients = lengths.map((length, i) => {
      const gradient = new Float32Array(length);
      for (let at = 0; at < length; at += ramp.length) gradient.set(ramp.subarray(0, length - at), at);
      return [`t${i}`, gradient] as const;
    });
    await trainer.applyGradients(Object.fromEntries(gradients));
    // Output 1/4, target 0: the gradient of the bias is 1/2.
    trainer.setWeights({ "head.weight": [0.25] });
    await trainer.step({ x: [1], y: [0] });
    const weights = await trainer.weights();
    expect(weights.get("head.bias")?.data[0]).toBe(-0.25);
    for (const [i, length] of lengths.entries()) {
      const { data } = weights.get(`t${i}`) as { data: Float32Array };
      expect(data).toHaveLength(length);
      const places = Array.from({ length: 2000 }, (_, at) => Math.floor(uniform(i, at) * length));
      for (const at of [0, 1, 255, 256, length - 257, length - 256, length - 1, ...places]) {
        if (at < 0 || at >= length) continue;
        const wanted = i + 1 - (at % ramp.length) / 2 ** i;
        if (data[at] !== wanted) expect(data[at], `t${i}[${at}]`).toBe(wanted);
      }
    }
  }),
);

test("what the device cannot hold is refused with both numbers", () =>
  guarded(async (device) => {
    const none = () => new Float32Array();
    const tries: readonly (readonly [lengths: readonly number[], words: string])[] = [
      [[MOST + 1], 'model: "t0" needs one binding of 128.1 MB, this device allows 128.0 MB'],
      [[MOST, MOST], "model: the arena of its weights needs one buffer of 256.1 MB, this device allows 256.0 MB"],
    ];
    for (const [lengths, words] of tries) {
      const failure = await trained(device, bag(lengths, none), { optimizer: adamw() }).catch(
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(LimitError);
      expect(String(failure)).toContain(words);
    }
  }));
