// A step that is bad moves nothing, whoever made it bad: the loss, or a gradient behind a finite loss.

import { expect, test } from "vitest";
import {
  type CompileOptions,
  compile,
  dense,
  meanSquaredError,
  NonFiniteError,
  relu,
  sequential,
  sgd,
  type Trainer,
} from "../../src/index.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

/** The bits of weights, moments, means and controllers by name. */
const stored = async (trainer: Trainer): Promise<Map<string, string>> =>
  new Map(
    [...decodeSafetensors(await trainer.save()).tensors].map(([name, { data }]) => [
      name,
      String(new Uint32Array(data.slice().buffer)),
    ]),
  );

test.each<[string, Partial<CompileOptions>]>([
  ["plain", {}],
  ["clipped by norm", { clip: { norm: 1 } }],
  ["clipped by value", { clip: { value: 1 } }],
  ["with means", { averaging: 0.9 }],
  ["two micro-batches", { accumulate: 2 }],
])(
  "a gradient beyond f32 behind a finite loss, %s: the step is refused, the weights are those from before",
  (_, options) =>
    guarded(async (device) => {
      const trainer = await compile(sequential({ a: dense(1, { bias: false }), r: relu(), b: dense(1) }), {
        device,
        input: [1],
        batch: 1,
        loss: meanSquaredError(),
        optimizer: sgd({ lr: 1, momentum: 0.9 }),
        ...options,
      });
      trainer.setWeights({ "a.weight": [1e-10], "b.weight": [1e15], "b.bias": [0] });
      const before = await stored(trainer);
      for (let i = 0; i < 2; i++) {
        const many = (options.accumulate as number | undefined) ?? 1;
        const data = { x: new Float32Array(many).fill(1e10), y: new Float32Array(many) };
        const error = await trainer.fit(data).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(NonFiniteError);
        expect((error as NonFiniteError).step).toBe(1);
        expect(await stored(trainer)).toEqual(before);
      }
    }),
);

test("plain divergence leaves finite weights", () =>
  guarded(async (device) => {
    let diverged = 0;
    for (let seed = 0; seed < 12; seed++) {
      const trainer = await compile(sequential([dense(8), relu(), dense(8), relu(), dense(1)]), {
        device,
        input: [4],
        batch: 8,
        loss: meanSquaredError(),
        optimizer: sgd({ lr: 10 }),
        seed,
      });
      const data = {
        x: Float32Array.from({ length: 256 }, (_, i) => (uniform(seed, i) - 0.5) * 10),
        y: Float32Array.from({ length: 64 }, (_, i) => uniform(seed + 1, i) * 10),
      };
      const error = await trainer.fit(data, { epochs: 8 }).catch((thrown: unknown) => thrown);
      if (!(error instanceof NonFiniteError)) continue;
      diverged++;
      for (const [name, { data: weights }] of await trainer.weights())
        expect(weights.every(Number.isFinite), name).toBe(true);
    }
    expect(diverged).toBeGreaterThan(3);
  }));
