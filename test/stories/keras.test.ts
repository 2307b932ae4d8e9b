// Networks that Keras and TensorFlow.js trained, on the GPU: what golden.json says, hits on their own data, and training that goes on with
// a rate for each layer.

import { expect, test } from "vitest";
import {
  adam,
  adamw,
  compile,
  crossEntropy,
  dense,
  layerDecay,
  meanSquaredError,
  replaceHead,
  sgd,
  type Trainer,
} from "../../src/index.ts";
import { type FromKeras, fromKeras } from "../../src/keras/index.ts";
import { hitsOf, kerasFigures } from "../foreign/keras.ts";
import file from "../golden/keras.h5?url";
import training from "../golden/keras-training.json" with { type: "json" };
import { type Golden, relativeError } from "../reference/golden-data.ts";
import { kerasNetworks } from "../reference/keras-networks.ts";
import { trainedTwin } from "../reference/trained-twin.ts";
import { foreignFile as get } from "./foreign.ts";
import { guarded } from "./guarded.ts";

const trainerOf = ({ model, weights, input }: FromKeras, device: GPUDevice, options = {}) =>
  compile(model, { device, input: input!, weights, loss: crossEntropy(), batch: 1, ...options });

/** Holds what the network makes of the rule's input against golden.json; the soak does so with others. */
async function holdsGolden(trainer: Trainer): Promise<void> {
  const { folder, net, inputs } = kerasNetworks.doodlenet;
  const all = JSON.parse(new TextDecoder().decode(await get(`${folder}/golden.json`))) as readonly Golden[];
  const golden = all.find((one) => one.net === net)!;
  const { data, shape } = await trainer.predict(Float32Array.from(inputs(golden.input_shape).get("")!.data));
  expect(shape).toEqual(golden.output_shape);
  expect(relativeError(data, golden.output)).toBeLessThan(1e-4);
}

test("doodlenet gives the outputs of golden.json, and hits as many of the first drawings as in f64", () =>
  guarded(async (device) => {
    const figure = kerasFigures.find(({ network }) => network === "doodlenet")!;
    const trainer = await trainerOf(await kerasNetworks.doodlenet.read(get), device, { batch: 40 });
    await holdsGolden(trainer);
    const rows = await hitsOf(figure, async (x) => (await trainer.predict(x)).data, get, 40);
    expect(rows).toEqual([
      { name: "cat", count: 40, top1: 37, top5: 38 },
      { name: "rainbow", count: 40, top1: 31, top5: 39 },
      { name: "train", count: 40, top1: 25, top5: 35 },
    ]);
    trainer.dispose();
  }));

test("a small MobileNet goes 20 steps as in TensorFlow.js, with a rate for each layer and live batch norms", () =>
  guarded(async (device) => {
    const { batch, rates, losses, after } = training;
    const source = {
      json: training.json,
      weights: Uint8Array.from(atob(training.weights), (one) => one.charCodeAt(0)),
    };
    const read = await fromKeras(source, { logits: true });
    const trainer = await trainerOf(read, device, { batch, optimizer: sgd({ lr: 1 }), rates });
    const fraction = (i: number): number => ((i * 7919) % 1009) / 1009;
    for (const [t, loss] of losses.entries()) {
      const x = Float32Array.from({ length: batch * 128 }, (_, i) => 2 * fraction(i * 31 + t * 977) - 1);
      const y = Uint8Array.from({ length: batch }, (_, i) => (i * 5 + t * 2 + ((i * t) % 2)) % 3);
      const step = await trainer.step({ x, y });
      expect(step.loss).toBeCloseTo(loss, 4);
    }
    const got = await trainer.weights();
    const names: Readonly<Record<string, string>> = {
      ...{ kernel: "weight", depthwise_kernel: "weight", bias: "bias", gamma: "gamma", beta: "beta" },
      ...{ moving_mean: "movingMean", moving_variance: "movingVariance" },
    };
    for (const [name, values] of Object.entries(after)) {
      const [layer, own] = name.split("/") as [string, string];
      const at = `${layer}.${names[own]}`;
      const start = read.weights.get(at)!.data;
      const path = Math.max(...values.map((value, i) => Math.abs(value - (start[i] as number))));
      const error = Math.max(...values.map((value, i) => Math.abs(value - (got.get(at)!.data[i] as number))));
      expect(error / path, at).toBeLessThan(1e-4);
    }
    trainer.dispose();
  }));

test("a network for doodles learns three kinds of drawings from ten of each, with low rates below a new head", () =>
  guarded(async (device) => {
    const { model, weights, input } = await kerasNetworks.doodlenet.read(get, { logits: true });
    const files = await Promise.all(["cats", "rainbows", "trains"].map((name) => get(`quickdraw/${name}1000.bin`)));
    const samplesOf = (begin: number, count: number) => ({
      x: Float32Array.from({ length: 3 * count * 784 }, (_, i) => {
        const [kind, at] = [Math.floor(i / 784) % 3, Math.floor(i / 784 / 3)];
        return (files[kind]![(begin + at) * 784 + (i % 784)] as number) / 255;
      }),
      y: Uint8Array.from({ length: 3 * count }, (_, i) => i % 3),
    });
    const trainer = await compile(replaceHead(model, [dense(3)]), {
      ...{ device, input: input!, weights, loss: crossEntropy(), batch: 30 },
      ...{ optimizer: adamw({ lr: 0.003 }), rates: layerDecay(0.5) },
    });
    await trainer.fit(samplesOf(0, 10), { epochs: 8 });
    const { accuracy } = await trainer.evaluate(samplesOf(500, 20));
    expect(accuracy).toBeGreaterThan(0.85);
    trainer.dispose();
  }));

test("Adam goes on from a Keras file as Keras' formula does in f64, 20 steps of a network with models in it", () =>
  guarded(async (device) => {
    const read = await fromKeras(new Uint8Array(await (await fetch(file)).arrayBuffer()));
    const state = read.state!;
    const { learning_rate: lr, beta_1: b1, beta_2: b2, epsilon: eps } = state.options as Record<string, number>;
    const [batch, steps, loss] = [8, 20, meanSquaredError()];
    const optimizer = adam({ lr: lr!, betas: [b1!, b2!], eps: eps!, epsFirst: true });
    const trainer = await trainerOf(read, device, { batch, loss, optimizer, state });
    expect(trainer.steps).toBe(state.iterations);
    const inputs = ["u", "v"].map((name) => ({ name, shape: [6] }));
    const twin = trainedTwin(read.model, { batch, inputs, loss });
    const copy = (from: ReadonlyMap<string, { readonly data: ArrayLike<number> }>) =>
      new Map<string, Float64Array>([...from].map(([name, { data }]) => [name, Float64Array.from(data)]));
    const [start, now] = [copy(read.weights), copy(read.weights)];
    const [m, v] = [copy(state.slots.get("m")!), copy(state.slots.get("v")!)];
    const numbers = (count: number, seed: number): Float32Array<ArrayBuffer> =>
      Float32Array.from({ length: batch * count }, (_, i) => (((i + 131 * seed) * 7919) % 1009) / 500 - 1);
    for (let t = 0; t < steps; t++) {
      const [x, y] = [{ u: numbers(6, 3 * t), v: numbers(6, 3 * t + 1) }, numbers(2, 3 * t + 2)];
      const step = await trainer.step({ x, y });
      const made = twin(now, x, y);
      expect(Math.abs(step.loss / made.loss - 1)).toBeLessThan(1e-5);
      const at = state.iterations + t + 1;
      const rate = (lr! * Math.sqrt(1 - b2! ** at)) / (1 - b1! ** at);
      for (const [name, gradient] of made.gradients) {
        const [p, first, second] = [now.get(name)!, m.get(name)!, v.get(name)!];
        for (const [i, g] of gradient.entries()) {
          first[i] = b1! * first[i]! + (1 - b1!) * g;
          second[i] = b2! * second[i]! + (1 - b2!) * g * g;
          p[i] = p[i]! - (rate * first[i]!) / (Math.sqrt(second[i]!) + eps!);
        }
      }
      for (const [name, values] of made.states) now.set(name, values);
    }
    const got = await trainer.weights();
    const away = [...now].map(([name, values]) => {
      const largest = (of: (i: number) => number): number =>
        values.reduce((most, _, i) => Math.max(most, Math.abs(of(i))), 0);
      const path = largest((i) => values[i]! - start.get(name)![i]!);
      return [name, largest((i) => values[i]! - got.get(name)!.data[i]!) / path] as const;
    });
    expect(away.filter(([, error]) => !(error < 1e-4))).toEqual([]);
    trainer.dispose();
  }));
