// The Llama of llama2.c that tells stories, in f64: what it makes of a beginning, and that it goes on exactly as published.

import { expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { llamaWeights, readLlama } from "../../demo/llama-file.ts";
import { llama } from "../../demo/models/llama.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { fromTokenizerBin } from "../../src/text/index.ts";
import { only, runModel } from "../reference/run-model.ts";

const json = async (path: string) => JSON.parse(new TextDecoder().decode(await dataFile(path)));
const golden = await json("tinystories-260k/golden.json");
const { size, tensors } = readLlama(await dataFile("tinystories-260k/stories260K.bin"));
const tokenizer = fromTokenizerBin(await dataFile("tinystories-260k/tok512.bin"));
const model = llama(size);
const weights = llamaWeights(tensors);
const { vocabulary } = size;

const logitsOf = (tokens: readonly number[]): Float64Array =>
  runModel(model, only([tokens.length], tokens, vocabulary), weights).outputs.get("")!.data;
const bestAt = (logits: Float64Array, place: number): number => {
  const own = logits.subarray(place * vocabulary, (place + 1) * vocabulary);
  return own.indexOf(own.reduce((a, b) => Math.max(a, b)));
};

test("its file and its safetensors twin hold the same numbers, and the sizes that the page of the model says", async () => {
  const twin = decodeSafetensors(await dataFile("tinystories-260k/model.safetensors")).tensors;
  expect([...tensors.keys()].sort()).toEqual([...twin.keys()].sort());
  for (const [name, { shape, data }] of twin) {
    expect(tensors.get(name)?.shape, name).toEqual(shape);
    expect(
      data.every((value, i) => value === tensors.get(name)?.data[i]),
      name,
    ).toBe(true);
  }
  const config = await json("tinystories-260k/config.json");
  expect(size).toEqual({
    vocabulary: config.vocab_size,
    units: config.dim,
    hidden: config.hidden_dim,
    blocks: config.n_layers,
    heads: config.n_heads,
    keyHeads: config.n_kv_heads,
  });
});

test("logits behind the beginning of a story are the golden ones to 1e-4", () => {
  const ids = [...tokenizer.encode(golden.prompt, { special: true })];
  expect(ids).toEqual(golden.prompt_ids);
  const logits = logitsOf(ids).subarray(-vocabulary);
  const far = golden.logits_last_position.map(
    (value: number, i: number) => Math.abs(value - (logits[i] as number)) / Math.abs(value),
  );
  expect(Math.max(...far)).toBeLessThan(1e-4);
});

test("the likeliest tokens from BOS on are the published text", () => {
  const tokens: number[] = golden.greedy_from_BOS_70_tokens;
  const logits = logitsOf(tokens.slice(0, -1));
  // If each token is the likeliest behind those before it, a network that always takes the likeliest writes just these.
  expect(tokens.slice(1).map((_, place) => bestAt(logits, place))).toEqual(tokens.slice(1));
  expect(` ${tokenizer.decode(tokens, { special: false })}`).toBe(golden.greedy_text);
});
