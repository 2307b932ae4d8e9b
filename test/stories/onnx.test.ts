// A network of others from an ONNX file on the GPU: Magika knows the files that it is tried with, and goes on training, each layer at
// a rate of its own.

import { expect, test } from "vitest";
import { adam, compile, crossEntropy, cut } from "../../src/index.ts";
import { fromOnnx } from "../../src/onnx/index.ts";
import { foreignFile as bytesOf } from "./foreign.ts";

/** All 76 are tried in the soak. */
const FILES = 4;

test(`Magika knows ${FILES} of ${FILES} files, and learns with a rate for each layer`, async () => {
  const { model, input, weights } = await fromOnnx(await bytesOf("magika/model.onnx"));
  // Without the softmax at its end, so that it may learn by the cross-entropy.
  const trainer = await compile(cut(model, "Dense_1"), {
    ...{ input, weights, loss: crossEntropy(), optimizer: adam({ lr: 1e-3 }), batch: 4 },
    rates: { "*": 0, Dense_1: 1, LayerNorm_1: 0.1 },
  });
  const samples = Uint32Array.from(new Uint16Array((await bytesOf("magika/samples.u16")).buffer));
  const labels = new Uint16Array((await bytesOf("magika/sample-labels.u16")).buffer);
  const { data } = await trainer.predict(samples.subarray(0, FILES * 2048), { argmax: true });
  expect(labels.subarray(0, FILES).reduce((hits, label, i) => hits + (data[i] === label ? 1 : 0), 0)).toBe(FILES);

  const before = await trainer.weights();
  const { loss } = await trainer.step({ x: samples.subarray(0, 4 * 2048), y: Uint32Array.from(labels.subarray(0, 4)) });
  expect(loss).toBeGreaterThan(0);
  const after = await trainer.weights();
  const moved = [...before].flatMap(([name, one]) =>
    one.data.some((value, i) => value !== after.get(name)?.data[i]) ? [name] : [],
  );
  expect(moved.sort()).toEqual(["Dense_1.bias", "Dense_1.weight", "LayerNorm_1.beta", "LayerNorm_1.gamma"]);
  trainer.dispose();
});
