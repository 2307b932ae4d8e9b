// Two recurrent networks over characters that ml5 publishes, in f64: what they make of the beginnings of two books, and how many nats a
// character takes them.

import { expect, test } from "vitest";
import { readCharRnn } from "../../demo/char-rnn-file.ts";
import { dataFile } from "../../demo/data.ts";
import { charLstm } from "../../demo/models/char-lstm.ts";
import { characters } from "../../src/text/index.ts";
import { only, runModel } from "../reference/run-model.ts";

const textOf = async (path: string) => new TextDecoder().decode(await dataFile(`charrnn/${path}`));
const golden: readonly { net: string; values: number[]; argmax_char: string; nll_first_200_chars: number }[] =
  JSON.parse(await textOf("golden.json"));
const alphabets = { shakespeare: "shakespeare/vocab-fixed.json", darwin: "darwin/vocab.json" };
type Name = keyof typeof alphabets;

const opened = async (name: Name) => ({
  tokenizer: characters(JSON.parse(await textOf(alphabets[name])), { unknown: "drop" }),
  weights: await readCharRnn((file) => dataFile(`charrnn/${name}/${file}`)),
});
const networks = { shakespeare: await opened("shakespeare"), darwin: await opened("darwin") };

/** Logits behind each character of a text, and the nats that each took. */
function read(name: Name, text: string) {
  const { tokenizer, weights } = networks[name];
  const { size } = tokenizer;
  const tokens = tokenizer.encode(text);
  const model = charLstm(size, 128, { characters: 128, layers: 2 });
  const given = only([tokens.length], tokens, size);
  const logits = runModel(model, given, weights).outputs.get("")!.data;
  const nats = [...tokens.subarray(1)].map((token, place) => {
    const own = logits.subarray(place * size, (place + 1) * size);
    const most = own.reduce((a, b) => Math.max(a, b));
    return most + Math.log(own.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) - own[token]!;
  });
  const mean = nats.reduce((sum, one) => sum + one, 0) / nats.length;
  return { vocabulary: tokenizer.vocabulary, last: logits.subarray(-size), mean };
}

test.each(golden)("the golden logits of $net, to 1e-4", async ({ net, values, argmax_char, nll_first_200_chars }) => {
  const name = net as Name;
  const text = (await textOf(`${name}-excerpt.txt`)).slice(0, 200);
  const { vocabulary, last, mean } = read(name, text);
  for (const [i, value] of values.entries())
    expect(Math.abs(last[i]! - value)).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
  expect(vocabulary[last.indexOf(Math.max(...last))]).toBe(argmax_char);
  expect(mean).toBeCloseTo(nll_first_200_chars, 4);
});
