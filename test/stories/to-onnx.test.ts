// A network that was trained here goes out as an ONNX file and comes back: it predicts what the trainer predicts, running means and all.

import { expect, test } from "vitest";
import {
  batchNorm,
  compile,
  conv2d,
  crossEntropy,
  dense,
  dropout,
  flatten,
  inference,
  maxPool2d,
  relu,
  sequential,
} from "../../src/index.ts";
import { fromOnnx } from "../../src/onnx/index.ts";
import { toOnnx } from "../../src/onnx-out/index.ts";

test("what a trainer learned is in the file that it hands on", async () => {
  const model = sequential({
    stem: [conv2d(4), batchNorm(), relu(), maxPool2d(2), flatten(), dropout(0.5)],
    head: dense(3),
  });
  const trainer = await compile(model, { input: [6, 6, 2], batch: 8, loss: crossEntropy() });
  const x = Float32Array.from({ length: 16 * 72 }, (_, i) => (((i * 7919) % 1009) / 1009 - 0.5) * (1 + (i % 3)));
  await trainer.fit({ x, y: Uint32Array.from({ length: 16 }, (_, i) => i % 3) }, { epochs: 3 });
  const { data } = await trainer.predict(x);

  for (const source of [trainer, await inference(model, await trainer.save())]) {
    const back = await fromOnnx(await toOnnx(source, model));
    const { input, weights } = back;
    const other = await compile(back.model, { input, weights, batch: 8, loss: crossEntropy() });
    const again = await other.predict(x);
    const most = data.reduce((all, one) => Math.max(all, Math.abs(one)), 0);
    for (const [i, value] of data.entries()) expect(Math.abs(value - again.data[i]!)).toBeLessThan(1e-5 * most);
    other.dispose();
  }
  trainer.dispose();
});
