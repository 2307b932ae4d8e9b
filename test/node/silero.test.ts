// A network that hears speech, of PyTorch, in f64: what it says of the first seconds of a recording is what its authors' recipe says.

import { expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { BLOCK, sileroVad } from "../../demo/models/silero-vad.ts";
import { readWav, speechBlocks } from "../../demo/speech-file.ts";
import { summary } from "../../src/index.ts";
import { loadWeights } from "../../src/pytorch/index.ts";
import { only, runModel } from "../reference/run-model.ts";

/** Some before the first word is heard, and some behind it. */
const BLOCKS = 68;

test("the probabilities of speech are the published ones to 1e-4", async () => {
  const model = sileroVad(BLOCKS);
  const input = [BLOCKS, BLOCK, 1];
  const file = await dataFile("silero-vad/silero_vad_16k.safetensors");
  const { weights, report } = await loadWeights(summary(model, { input }), file);
  expect([...weights.values()].reduce((sum, { data }) => sum + data.length, 0)).toBe(309_633 - 512);
  expect(report.loaded.find(({ name }) => name === "lstm_cell.bias")?.from).toHaveLength(2);

  const samples = readWav(await dataFile("silero-vad/speech-20s.wav"));
  const published = new Float32Array((await dataFile("silero-vad/speech-20s.prob.f32")).slice().buffer);
  const blocks = speechBlocks(samples);
  expect(blocks.length).toBe(published.length * BLOCK);
  const data = blocks.subarray(0, BLOCKS * BLOCK);
  const logits = runModel(model, only(input, data), weights).outputs.get("")!.data;
  const wanted = published.subarray(0, BLOCKS);
  for (const [i, logit] of logits.entries()) expect(1 / (1 + Math.exp(-logit))).toBeCloseTo(wanted[i] as number, 4);
  // The passage has both.
  expect([Math.min(...wanted) < 0.1, Math.max(...wanted) > 0.9]).toEqual([true, true]);
});
