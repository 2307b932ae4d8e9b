// A network of others, read from an ONNX file, on the f64 interpreter: what it gives for one input is what others measured.

import { expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { readModel } from "../../src/onnx/file.ts";
import { fromOnnx } from "../../src/onnx/index.ts";
import { toOnnx } from "../../src/onnx-out/index.ts";
import { relativeError } from "../reference/golden-data.ts";
import { runModel } from "../reference/run-model.ts";

test("Magika gives the shares of classes that onnxruntime gives", async () => {
  const { model, input, weights, report } = await fromOnnx(await dataFile("magika/model.onnx"));
  const [{ output: golden }] = JSON.parse(new TextDecoder().decode(await dataFile("magika/golden.json")));
  const data = Float64Array.from({ length: 2048 }, (_, i) => ((i * 7919) % 1009) % 257);
  const given = { ...(input as { shape: number[]; classes: number }), data };
  const { outputs } = runModel(model, new Map([["x", given]]), weights, 1);
  const written = await toOnnx(weights, model);
  const ends = (bytes: Uint8Array) => {
    const { graph } = readModel(bytes);
    return [...graph.input, ...graph.output].map((one) => [one.name, one.type?.tensor?.element]);
  };
  expect(ends(written)).toEqual(ends(await dataFile("magika/model.onnx")));
  const back = await fromOnnx(written);
  const again = runModel(back.model, new Map([["x", given]]), back.weights, 1).outputs.get("")?.data as Float64Array;
  expect(relativeError(again, outputs.get("")?.data as Float64Array)).toBeLessThan(1e-5);
  const made = outputs.get("")?.data as Float64Array;
  for (const [i, share] of made.entries()) expect(Math.abs(share - golden[i]) / golden[i]).toBeLessThan(1e-3);
  expect(report.batch).toBe("any");
  expect(report.recognised).toEqual({ dense: 1, embedding: 1, gelu: 2, layerNorm: 2, softmax: 1 });
  expect(input).toEqual({ shape: [2048], classes: 257 });
});
