// Twenty steps of the networks of demo/models against PyTorch in f64: losses, weights, moments and running statistics, with a rate for
// each layer and a short last batch. test/golden/README.md says how the file was made.

import { expect, test } from "vitest";
import { autoencoder } from "../../demo/models/autoencoder.ts";
import { charGpt } from "../../demo/models/char-gpt.ts";
import { charLstm } from "../../demo/models/char-lstm.ts";
import { mobilenet } from "../../demo/models/mobilenet.ts";
import { resnet8 } from "../../demo/models/resnet8.ts";
import { vae, loss as vaeLoss } from "../../demo/models/vae.ts";
import {
  adam,
  adamw,
  binaryCrossEntropy,
  type CompileOptions,
  compile,
  crossEntropy,
  type Model,
} from "../../src/index.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { goldenNetworks, labels, startOf, uniform } from "../golden/networks.ts";
import { guarded } from "./guarded.ts";

/** Numbers of all samples, by the names of the model's inputs; "" where there is one alone. */
type Rows = Readonly<Record<string, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>>;

interface Network {
  readonly model: Model;
  readonly options: Pick<CompileOptions, "input" | "target" | "loss">;
  readonly x: (seed: number, samples: number) => Rows;
  readonly y: (seed: number, samples: number) => Rows[string];
}

const first = (seed: number): number => 1000 * seed + 500;
const second = (seed: number): number => 1000 * seed + 501;

const image = (...input: readonly [number, number, number]) => ({
  options: { input, loss: crossEntropy() },
  x: (seed: number, samples: number) => ({ "": uniform(first(seed), samples, ...input) }),
  y: (seed: number, samples: number) => labels(second(seed), 3, samples),
});

const text = {
  options: { input: { shape: [7], classes: 11 }, loss: crossEntropy() },
  x: (seed: number, samples: number) => ({ "": labels(first(seed), 11, samples, 7) }),
  y: (seed: number, samples: number) => labels(second(seed), 11, samples, 7),
};

const pictures = (seed: number, samples: number) => uniform(first(seed), samples, 28, 28, 1);

const networks: Readonly<Record<string, Network>> = {
  resnet8: { model: resnet8(3, 4), ...image(9, 9, 1) },
  mobilenet: { model: mobilenet(3), ...image(10, 10, 1) },
  autoencoder: {
    model: autoencoder(4),
    options: { input: [28, 28, 1], loss: binaryCrossEntropy() },
    x: (seed, samples) => ({ "": pictures(seed, samples) }),
    y: pictures,
  },
  vae: {
    model: vae(4),
    options: { input: { image: [28, 28, 1], noise: [5] }, target: [28, 28, 1], loss: vaeLoss },
    x: (seed, samples) => ({
      image: pictures(seed, samples),
      noise: uniform(second(seed), samples, 5).map((u) => 4 * u - 2),
    }),
    y: pictures,
  },
  "char-lstm": { model: charLstm(11, 6), ...text },
  "char-gpt": { model: charGpt({ vocabulary: 11, length: 7, units: 12, heads: 3, blocks: 2 }), ...text },
};

const norm = (values: readonly number[]): number => Math.hypot(...values);

test.each(Object.entries(networks))("%s follows PyTorch for twenty steps", (name, { model, options, ...data }) =>
  guarded(async (device) => {
    const { samples, batch, of } = await goldenNetworks();
    const golden = of(name);
    const { lr, weight_decay: weightDecay, eps = 1e-8 } = golden.options;
    const trainer = await compile(model, {
      ...{ device, batch, ...options },
      optimizer: { adam, adamw }[golden.rule]({ lr, eps, ...(weightDecay && { weightDecay }) }),
      rates: Object.fromEntries(Object.entries(golden.rates).map(([layer, multiplier]) => [layer, { multiplier }])),
    });
    const start = startOf(golden);
    trainer.setWeights(start);
    const x = data.x(golden.seed, samples);
    const y = data.y(golden.seed, samples);
    const part = (from: number, to: number) => {
      const cut = (all: Rows[string]) => all.slice((from * all.length) / samples, (to * all.length) / samples);
      const inputs = Object.fromEntries(Object.entries(x).map(([key, all]) => [key, cut(all)]));
      return { x: inputs[""] ?? inputs, y: cut(y) };
    };

    for (const [step, expected] of golden.losses.entries()) {
      const from = (step * batch) % (Math.ceil(samples / batch) * batch);
      const { loss } = await trainer.step(part(from, Math.min(from + batch, samples)));
      expect(Math.abs(loss / expected - 1), `loss of step ${step}: ${loss}, PyTorch ${expected}`).toBeLessThan(1e-5);
    }
    const { loss } = await trainer.evaluate(part(0, samples));
    expect(Math.abs(loss / golden.evaluated - 1), "loss of all samples in the end").toBeLessThan(1e-5);

    const weights = await trainer.weights();
    const shapes = [...weights].map(([tensor, { shape }]) => [tensor, shape]);
    const theirs = Object.entries(golden.tensors).map(([tensor, { shape }]) => [tensor, shape]);
    expect(Object.fromEntries(shapes)).toEqual(Object.fromEntries(theirs));
    const { tensors } = decodeSafetensors(await trainer.save());
    for (const [tensor, rows] of golden.rows) {
      const every = golden.tensors[tensor]!.every;
      const from = start[tensor] ?? weights.get(tensor)!.data.map(() => (tensor.endsWith("Variance") ? 1 : 0));
      const moments = rows.slice(1).map((_, i) => tensors.get(`moment${i + 1}/${tensor}`)!.data);
      const ours = [weights.get(tensor)!.data.map((value, i) => value - from[i]!), ...moments];
      const kept = ours.map((values) => [...values].filter((_, i) => i % every === 0));
      if (golden.still.includes(tensor)) {
        expect(Math.max(...kept[0]!.map(Math.abs)), tensor).toBeLessThan(1e-2 * lr * golden.losses.length);
        continue;
      }
      for (const [i, row] of rows.entries()) {
        const what = `${tensor}, ${["path", "first moment", "second moment"][i]}: distance from PyTorch, relative`;
        expect(norm(row.map((value, at) => kept[i]![at]! - value)) / norm(row), what).toBeLessThan(1e-4);
      }
    }
    trainer.dispose();
  }),
);
