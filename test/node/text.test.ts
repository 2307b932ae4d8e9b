// The text of the tasks: what corpus, pieces and draws are made of.

import { expect, test } from "vitest";
import { corpusOf, pieces } from "../../demo/text.ts";
import { readText } from "../../demo/text-files.ts";
import { draw, write, written } from "../../demo/text-sampling.ts";

test("the text is whole, and its characters are few", async () => {
  const text = await readText();
  expect(text).toMatch(/^CHAPTER 1\. Loomings\.\n\nCall me Ishmael\./);
  const { vocabulary, train, heldOut } = corpusOf(text);
  expect(vocabulary).toHaveLength(83);
  expect(vocabulary).toEqual([...vocabulary].sort());
  expect([train.length, heldOut.length]).toEqual([1_071_285, 119_032]);
  const said = [...train.subarray(0, 20), ...heldOut.subarray(-6)].map((token) => vocabulary[token]).join("");
  expect(said).toBe(text.slice(0, 20) + text.slice(-6));
});

test("a piece has the next character at each place, and what is too short for a piece is left out", () => {
  const tokens = Uint8Array.of(0, 1, 2, 3, 4, 5, 6);
  expect(pieces(tokens, 3)).toEqual({
    x: Uint8Array.of(0, 1, 2, 3, 4, 5),
    y: Uint8Array.of(1, 2, 3, 4, 5, 6),
    count: 2,
  });
  expect(pieces(tokens.subarray(0, 6), 3).count).toBe(1);
  expect(pieces(tokens, 3, 1)).toEqual({ x: Uint8Array.of(0, 1, 2), y: Uint8Array.of(1, 2, 3), count: 1 });
});

test("too many characters are refused", () => {
  const many = Array.from({ length: 257 }, (_, i) => String.fromCodePoint(1000 + i)).join("");
  expect(() => corpusOf(many)).toThrow("257 different characters, at most 256 fit");
});

const logits = [0, 3, 1, 2];
const share = (sampling: Parameters<typeof draw>[2], token: number): number => {
  const many = 10_000;
  let found = 0;
  for (let i = 0; i < many; i++) if (draw(logits, (i + 0.5) / many, sampling) === token) found++;
  return found / many;
};

test("tokens are drawn by their probabilities", () => {
  const sum = logits.reduce((all, logit) => all + Math.exp(logit), 0);
  for (const [token, logit] of logits.entries()) {
    expect(share({ temperature: 1, topK: 4 }, token)).toBeCloseTo(Math.exp(logit) / sum, 3);
  }
});

test("a temperature divides the logits, and at 0 only the likeliest is left", () => {
  const sum = logits.reduce((all, logit) => all + Math.exp(logit / 0.5), 0);
  expect(share({ temperature: 0.5, topK: 4 }, 3)).toBeCloseTo(Math.exp(4) / sum, 3);
  expect(share({ temperature: 0 }, 1)).toBe(1);
});

test("of the k likeliest only those are drawn", () => {
  expect(share({ temperature: 1, topK: 2 }, 1)).toBeCloseTo(1 / (1 + Math.exp(-1)), 3);
  expect(share({ temperature: 1, topK: 2 }, 3)).toBeCloseTo(1 / (1 + Math.E), 3);
  expect(share({ topK: 1 }, 1)).toBe(1);
});

/** Goes up by one from the last token that it sees, and is sure of it where it looks at the right place. */
const vocabulary = ["a", "b", "c"];
const seen: number[][] = [];
const network = {
  inputShape: [4],
  predict: async (x: unknown) => {
    const tokens = [...(x as Uint8Array)];
    seen.push(tokens);
    const data = new Float32Array(4 * 3);
    for (const [place, token] of tokens.entries()) data[place * 3 + ((token + 1) % 3)] = 100;
    return { shape: [1, 4, 3], data };
  },
};

test("text goes on from its start, without what the vocabulary lacks, with a window that moves once it is full", async () => {
  seen.length = 0;
  expect(await written({ network, vocabulary }, 5, "aXb")).toBe("cabca");
  expect(seen).toEqual([
    [0, 1, 0, 0],
    [0, 1, 2, 0],
    [0, 1, 2, 0],
    [1, 2, 0, 1],
    [2, 0, 1, 2],
  ]);
});

test("a seed decides the draws", async () => {
  const even = { ...network, predict: async () => ({ shape: [1, 4, 3], data: new Float32Array(12) }) };
  const texts = await Promise.all([1, 1, 2].map((seed) => written({ network: even, vocabulary }, 40, "", { seed })));
  expect(texts[0]).toBe(texts[1]);
  expect(texts[0]).not.toBe(texts[2]);
  const first = await write({ network: even, vocabulary }, "", { seed: 1 }).next();
  expect(texts[0]?.[0]).toBe(first.value);
});
