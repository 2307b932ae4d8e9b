// Networks that Keras and TensorFlow.js trained, as golden.json beside them has them: outputs, and mean and deviation of each layer; in
// f64, where rounding decides nothing.

import { expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { cut } from "../../src/index.ts";
import { fromKeras } from "../../src/keras/index.ts";
import { type Golden, moments, relativeError } from "../reference/golden-data.ts";
import { type KerasNetwork, kerasNetworks } from "../reference/keras-networks.ts";
import { type Made, runModel } from "../reference/run-model.ts";

const TOLERANCE = 1e-4;

const goldenOf = async ({ folder, net }: KerasNetwork): Promise<Golden> =>
  (JSON.parse(new TextDecoder().decode(await dataFile(`${folder}/golden.json`))) as readonly Golden[]).find(
    (one) => one.net === net,
  ) as Golden;

const networks: readonly KerasNetwork[] = Object.values(kerasNetworks);

test.each(networks)("$net gives the outputs and the layers of golden.json", async (network) => {
  const golden = await goldenOf(network);
  const { model, weights, report } = await network.read(dataFile);
  const { outputs, layers } = runModel(model, network.inputs(golden.input_shape), weights);
  const [output] = [...outputs.values()] as [Made];
  expect(output.shape).toEqual(golden.output_shape);
  expect(relativeError(output.data, golden.output)).toBeLessThan(TOLERANCE);
  expect(golden.layers.length).toBeGreaterThan(6);
  const wrong = golden.layers.flatMap(({ name, shape, mean, std }) => {
    const made = layers.get(name);
    if (made === undefined) return [`${name} is missing`];
    const is = moments(made.data);
    const near = (one: number, other: number) => Math.abs(one - other) <= TOLERANCE * Math.max(std, Math.abs(mean));
    const isRight = String(made.shape) === String(shape) && near(is.mean, mean) && near(is.std, std);
    return isRight ? [] : [`${name} [${made.shape}] ${is.mean} ${is.std}, it should be [${shape}] ${mean} ${std}`];
  });
  expect(wrong).toEqual([]);
  expect([...weights.values()].reduce((sum, { data }) => sum + data.length, 0)).toBe(network.numbers);
  expect(report.layers.reduce((sum, { numbers }) => sum + numbers, 0)).toBe(network.numbers);
});

test("a body that was cut gives what its last layer gave, with the same weights", async () => {
  const network = kerasNetworks.doodlenet;
  const golden = await goldenOf(network);
  const { model, weights } = await network.read(dataFile);
  const { outputs } = runModel(cut(model, "dense"), network.inputs(golden.input_shape), weights);
  const made = outputs.get("") as Made;
  const layer = golden.layers.find(({ name }) => name === "dense");
  expect(made.shape).toEqual(layer?.shape);
  expect(moments(made.data).mean).toBeCloseTo(layer?.mean as number, 5);
});

test("logits are what the softmax at the end was made of, also where layers follow that only move numbers", async () => {
  const network = kerasNetworks.mobilenet;
  const small = network.inputs([1, 64, 64, 3]);
  const [whole, logits] = await Promise.all([network.read(dataFile), network.read(dataFile, { logits: true })]);
  const [y, z] = [whole, logits].map(({ model, weights }) => runModel(model, small, weights).outputs.get(""));
  const powers = Float64Array.from(z!.data, Math.exp);
  const sum = powers.reduce((all, one) => all + one, 0);
  expect(
    relativeError(
      powers.map((one) => one / sum),
      y!.data,
    ),
  ).toBeLessThan(1e-9);
  expect(logits.report.leftOut).toContain("softmax of act_softmax");
  expect(String(whole.report)).toContain("act_softmax: the model ends with softmax");
});

test("Magika's graph-model, whose layers are gone, is refused with what to do: its ONNX file is read", async () => {
  const json = await dataFile("magika/tfjs/model.json");
  const reading = fromKeras({ json, weights: (path) => dataFile(`magika/tfjs/${path}`) });
  await expect(reading).rejects.toThrow(
    "it is a graph-model, whose layers are gone. Give a layers-model, or the network as ONNX",
  );
});
