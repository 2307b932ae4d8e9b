// Networks that PyTorch trained, in models of Gradus: outputs and layers are those of golden.json, in f64, where rounding decides nothing.

import { expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { actorCritic } from "../../demo/models/actor-critic.ts";
import { resnet20 } from "../../demo/models/resnet20.ts";
import { vitMnist } from "../../demo/models/vit-mnist.ts";
import { type Model, summary } from "../../src/index.ts";
import { type LoadWeightsOptions, loadWeights } from "../../src/pytorch/index.ts";
import { type Golden, moments, relativeError, ruleInput } from "../reference/golden-data.ts";
import { type Made, runModel } from "../reference/run-model.ts";

interface Network {
  readonly folder: string;
  readonly files: readonly (readonly [name: string, options?: LoadWeightsOptions])[];
  readonly model: Model;
  /** Shape of one sample. */
  readonly input: readonly number[];
  readonly scaled: (x: number) => number;
  /** The input in the order that the model takes. */
  readonly turned?: (x: Float64Array) => Float64Array;
  /** The name of each output, by the name of the network in golden.json. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Path of the layer that golden.json calls so. */
  readonly layer: (name: string) => string;
  readonly numbers: number;
}

/** [C, H, W] as [H, W, C]. */
const channelsLast = (channels: number) => (x: Float64Array) => {
  const places = x.length / channels;
  return x.map((_, i) => x[(i % channels) * places + Math.floor(i / channels)] as number);
};

const vit = (
  name: string,
  classes: number,
  patch: number,
  layers: number,
  length: number,
  numbers: number,
): Network => ({
  folder: "vit-mnist",
  files: [[`${name}.pt`], [`${name}.safetensors`]],
  model: vitMnist({ classes, patch, layers, heads: 4, length }),
  input: [28, 28, 1],
  scaled: (x) => 3 * x - 0.4,
  outputs: { [name]: "" },
  layer: (name) => {
    const [, i, part] = /layer (\d+) after (\w+)/.exec(name) ?? [];
    return i === undefined ? "pos_embedding" : `transformer.layers.${i}.${part === "mlp" ? 1 : 0}`;
  },
  numbers,
});

const networks: Readonly<Record<string, Network>> = {
  resnet20: {
    folder: "resnet20-cifar10",
    files: [["resnet20-12fca82f.th", { part: "state_dict", rename: [["module", ""]] }], ["model.safetensors"]],
    model: resnet20(),
    input: [32, 32, 3],
    scaled: (x) => 4 * x - 2,
    turned: channelsLast(3),
    outputs: { "resnet20 cifar-10": "" },
    layer: (name) => (name.startsWith("relu") ? "relu" : name),
    numbers: 271_098,
  },
  "vit of ten digits": vit("vit_mnist_gpu", 10, 4, 6, 64, 499_722),
  "vit of three digits": vit("vit_mnist_3class", 3, 7, 4, 16, 137_795),
  "actor and critic": {
    folder: "rl-agents",
    files: [["ppo-cartpole-policy.pth"], ["ppo-cartpole-policy.safetensors"]],
    model: actorCritic(),
    input: [4],
    scaled: (x) => 0.4 * x - 0.2,
    outputs: { "ppo cartpole action logits": "action", "ppo cartpole value": "value" },
    layer: (name) => name,
    numbers: 9_155,
  },
};

test.each(Object.entries(networks))("%s gives the outputs and the layers of golden.json", async (_, network) => {
  const { folder, files, model, input, scaled, turned = (x) => x, outputs, layer, numbers } = network;
  const goldens = (JSON.parse(new TextDecoder().decode(await dataFile(`${folder}/golden.json`))) as Golden[]).filter(
    ({ net }) => net in outputs,
  );
  expect(goldens.length).toBe(Object.keys(outputs).length);
  const read = await Promise.all(
    files.map(async ([name, options]) =>
      loadWeights(summary(model, { input }), await dataFile(`${folder}/${name}`), options),
    ),
  );
  const [{ weights }, twin] = read as [(typeof read)[0], (typeof read)[0]];
  expect(twin.weights).toEqual(weights);
  expect([...weights.values()].reduce((sum, { data }) => sum + data.length, 0)).toBe(numbers);
  for (const { net, input_shape, output, output_shape, layers = [] } of goldens) {
    const data = turned(ruleInput(input_shape, scaled));
    const made = runModel(model, new Map([["", { shape: input, data }]]), weights);
    const told = made.outputs.get(outputs[net] as string) as Made;
    expect(told.shape).toEqual(output_shape);
    expect(relativeError(told.data, output)).toBeLessThan(1e-6);
    const wrong = layers.flatMap(({ name, shape, mean, std }) => {
      const found = made.layers.get(layer(name));
      if (found === undefined) return [`${name} is missing`];
      const is = moments(found.data);
      const near = (one: number, other: number) => Math.abs(one - other) <= 1e-6 * Math.max(std, Math.abs(mean));
      const isRight = String(found.shape) === String(shape) && near(is.mean, mean) && near(is.std, std);
      return isRight ? [] : [`${name} [${found.shape}] ${is.mean} ${is.std}, it should be [${shape}] ${mean} ${std}`];
    });
    expect(wrong).toEqual([]);
  }
});
