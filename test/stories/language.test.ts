// Networks that others trained on language: what two readers of books make of them, and a teller of stories that learns Shakespeare by adapters
// alone.

import { expect, test } from "vitest";
import { readCharRnn } from "../../demo/char-rnn-file.ts";
import { llamaWeights, readLlama } from "../../demo/llama-file.ts";
import { charLstm } from "../../demo/models/char-lstm.ts";
import { llama } from "../../demo/models/llama.ts";
import { lora, merge } from "../../src/adapter/index.ts";
import { adamw, compile, crossEntropy, type HostTensor, loraPlus } from "../../src/index.ts";
import { characters, fromTokenizerBin } from "../../src/text/index.ts";
import { foreignFile } from "./foreign.ts";
import { guarded } from "./guarded.ts";

const fileOf = async (path: string) => new Uint8Array(await foreignFile(path));
const textOf = async (path: string) => new TextDecoder().decode(await fileOf(path));

/** Whole passages are read in the soak. */
const PASSAGE = 200;

test.each([
  ["shakespeare", "vocab-fixed.json"],
  ["darwin", "vocab.json"],
] as const)("the network of %s takes as many nats a character of its book as golden.json says", (book, alphabet) =>
  guarded(async (device) => {
    const golden: readonly { readonly net: string; readonly nll_first_200_chars: number }[] = JSON.parse(
      await textOf("charrnn/golden.json"),
    );
    const tokenizer = characters(JSON.parse(await textOf(`charrnn/${book}/${alphabet}`)), { unknown: "drop" });
    const tokens = tokenizer.encode((await textOf(`charrnn/${book}-excerpt.txt`)).slice(0, PASSAGE));
    const trainer = await compile(charLstm(tokenizer.size, 128, { characters: 128, layers: 2 }), {
      device,
      input: { shape: [tokens.length - 1], classes: tokenizer.size },
      batch: 1,
      loss: crossEntropy(),
      weights: await readCharRnn((file) => fileOf(`charrnn/${book}/${file}`)),
    });
    const { loss } = await trainer.evaluate({ x: tokens.subarray(0, -1), y: tokens.subarray(1) });
    expect(loss).toBeCloseTo(golden.find(({ net }) => net === book)!.nll_first_200_chars, 4);
    trainer.dispose();
  }),
);

const LENGTH = 48;
const PIECES = 16;

test("a teller of stories learns Shakespeare by adapters, its own weights stay to the bit, and merged ones give the same", () =>
  guarded(async (device) => {
    const { size, tensors } = readLlama(await fileOf("tinystories-260k/stories260K.bin"));
    const plain = llamaWeights(tensors);
    const tokenizer = fromTokenizerBin(await fileOf("tinystories-260k/tok512.bin"));
    const tokens = tokenizer.encode((await textOf("charrnn/shakespeare-excerpt.txt")).slice(0, 2000));
    const data = { x: tokens.slice(0, PIECES * LENGTH), y: tokens.slice(1, PIECES * LENGTH + 1) };
    const options = {
      device,
      input: { shape: [LENGTH], classes: tokenizer.size },
      batch: 4,
      loss: crossEntropy(),
      optimizer: adamw({ lr: 4e-3 }),
    };
    const trainer = await compile(lora(llama(size), { layers: "**", rank: 4, alpha: 8, dropout: 0.1 }), {
      ...options,
      weights: plain,
      base: { except: "**.lora*" },
      rates: loraPlus(4),
    });
    const whole = await compile(llama(size), { ...options, weights: plain });
    const first = await trainer.evaluate(data);
    expect(first.loss).toBeCloseTo((await whole.evaluate(data)).loss, 5);

    await trainer.fit(data, { epochs: 4 });
    const last = await trainer.evaluate(data);
    expect(last.loss).toBeLessThan(first.loss - 0.3);
    const weights = await trainer.weights();
    const same = ({ data: a }: HostTensor, { data: b }: HostTensor) => a.every((value, i) => value === b[i]);
    for (const [name, tensor] of plain) expect(same(weights.get(name)!, tensor), name).toBe(true);
    const names = trainer.rates.table({ tensors: true }).map(({ name }) => name);
    expect(names).toEqual([...weights.keys()].filter((name) => !plain.has(name)));

    whole.setWeights(merge(weights, { alpha: 8 }));
    const [beside, merged] = [await trainer.predict(data.x), await whole.predict(data.x)];
    const most = beside.data.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const far = beside.data.reduce((a, value, i) => Math.max(a, Math.abs(value - merged.data[i]!)), 0);
    expect(far / most).toBeLessThan(1e-5);
    trainer.dispose();
    whole.dispose();
  }));
