// Text as tokens: what a tokenizer makes of texts is what the program makes that its file comes from, and every text comes back.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import {
  characters,
  extend,
  extendRows,
  fromTokenizerBin,
  fromTokenizerJson,
  type Tokenizer,
} from "../../src/text/index.ts";
import golden from "../golden/byte-pairs.json" with { type: "json" };

const textOf = async (path: string): Promise<string> => new TextDecoder().decode(await dataFile(path));
const tok512 = fromTokenizerBin(await dataFile("tinystories-260k/tok512.bin"));

describe.each(Object.entries(golden))("the file of %s", (_, { file, rows }) => {
  const tokenizer = fromTokenizerJson(file);

  test.each(rows)("has the library's tokens of $text", ({ text, tokens, special, decoded, bare }) => {
    expect([...tokenizer.encode(text)]).toEqual(tokens);
    expect([...tokenizer.encode(text, { special: true })]).toEqual(special);
    expect(tokenizer.decode(tokens)).toBe(decoded);
    expect(tokenizer.decode(tokens, { special: false })).toBe(bare);
  });
});

describe("tokenizer.bin of llama2.c", () => {
  test("has the published tokens of a story's beginning", () => {
    expect(tok512.size).toBe(512);
    expect([...tok512.encode("Once upon a time", { special: true })]).toEqual([1, 403, 407, 261, 378]);
    expect(tok512.decode([1, 403, 407, 261, 378])).toBe("<s>Once upon a time");
    expect(tok512.decode([1, 403, 407, 261, 378], { special: false })).toBe("Once upon a time");
  });

  test("joins the pair of the highest score first, as a search of all pairs does", async () => {
    const text = `${(await textOf("charrnn/shakespeare-excerpt.txt")).slice(0, 1500)} naïve 日本 🙂  ${"a".repeat(40)}日ooooooo日lllllll日ppp`;
    expect([...tok512.encode(text)]).toEqual(searched(tok512, ` ${text}`));
  });

  test("has pieces of bytes for what is no piece", () => {
    expect([...tok512.encode("\u0000ü")].slice(-3)).toEqual([3, 3 + 0xc3, 3 + 0xbc]);
    expect(tok512.decode([3 + 0xc3])).toBe("\ufffd");
  });
});

/** The way of llama2.c: looks at all pairs, joins the best, and begins again. Scores are the order of the pieces here. */
function searched({ vocabulary }: Tokenizer, text: string): number[] {
  const tokenOf = new Map(vocabulary.map((piece, token) => [piece, token]).slice(259) as [string, number][]);
  const tokens = [...text].flatMap((symbol) => {
    const token = tokenOf.get(symbol);
    return token ?? Array.from(new TextEncoder().encode(symbol), (byte) => byte + 3);
  });
  for (;;) {
    let best = Number.POSITIVE_INFINITY;
    let at = -1;
    for (let i = 0; i + 1 < tokens.length; i++) {
      const [left, right] = [tokens[i] as number, tokens[i + 1] as number];
      if (left < 259 || right < 259) continue;
      const token = tokenOf.get(`${vocabulary[left]}${vocabulary[right]}`) ?? best;
      if (token < best) [best, at] = [token, i];
    }
    if (at < 0) return tokens;
    tokens.splice(at, 2, best);
  }
}

const texts = [
  "names/names.txt",
  "names/tinyshakespeare.txt",
  "charrnn/shakespeare-excerpt.txt",
  "charrnn/darwin-excerpt.txt",
];

describe("every text comes back", () => {
  const json = {
    "tok512.bin": tok512,
    gpt2: fromTokenizerJson(golden.gpt2.file),
    llama2: fromTokenizerJson(golden.llama2.file),
  };

  test.each(texts)("%s", async (path) => {
    const text = await textOf(path);
    for (const [name, tokenizer] of [...Object.entries(json), ["characters", characters(text)] as const]) {
      const tokens = tokenizer.encode(text);
      expect(tokenizer.decode(tokens) === text, name).toBe(true);
      expect(tokens.length, name).toBeLessThan(name === "characters" ? text.length + 1 : 0.95 * text.length);
    }
  });

  test("whatever its characters are, wherever there are bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        for (const tokenizer of Object.values(json)) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
        const longer = extend(json["tok512.bin"], ["ab", "abc", "\u0000", "<name>"]);
        expect(longer.decode(longer.encode(text))).toBe(text);
        if (text !== "") expect(characters(text).decode(characters(text).encode(text))).toBe(text);
      }),
      { numRuns: 100 },
    );
  });

  test("a million equal characters take n log n joints, not their square", () => {
    const text = "e".repeat(1_000_000);
    expect(tok512.decode(tok512.encode(text)) === text).toBe(true);
  });
});

describe("characters", () => {
  test("are code points, sorted, in an order that is given, or by a record", () => {
    expect(characters("banana🙂").vocabulary).toEqual(["a", "b", "n", "🙂"]);
    expect([...characters("banana🙂").encode("🙂nab")]).toEqual([3, 2, 0, 1]);
    expect([...characters(["n", "a"]).encode("an")]).toEqual([1, 0]);
    expect(characters({ x: 1, y: 0 }).vocabulary).toEqual(["y", "x"]);
  });

  test("that the vocabulary has not are refused with their place, or left out by wish", () => {
    expect(() => characters("ab").encode("abxa")).toThrow(
      'characters: encode: "x" at place 2 of 4 has no token. Leave it out, or add it by extend().',
    );
    expect([...characters("ab", { unknown: "drop" }).encode("axb")]).toEqual([0, 1]);
  });

  test("of both networks' alphabets are read, and of the damaged one it is told where", async () => {
    const vocabulary = async (file: string) => characters(JSON.parse(await textOf(`charrnn/${file}`)));
    expect((await vocabulary("shakespeare/vocab-fixed.json")).size).toBe(65);
    expect((await vocabulary("darwin/vocab.json")).size).toBe(100);
    await expect(vocabulary("shakespeare/vocab.json")).rejects.toThrow(
      'characters: entry 13 is "  ", 2 characters, each must be one.',
    );
  });
});

describe("a longer vocabulary", () => {
  const longer = extend(tok512, ["ROMEO:", "ROMEO: Ay", "日"]);

  test("has tokens behind the old ones, the longest found first", () => {
    expect(longer.size).toBe(515);
    expect([...longer.encode("ROMEO: Ay日")]).toEqual([513, 514]);
    expect(longer.encode("Once")).toEqual(tok512.encode("Once"));
    expect(longer.decode(longer.encode("ROMEO: no, ROMEO: Ay"))).toBe("ROMEO: no, ROMEO: Ay");
  });

  test("goes on to grow", () => {
    expect([...extend(longer, ["!!"]).encode("日!!")]).toEqual([514, 515]);
  });

  const small = characters("abc");
  const weights = new Map([
    ["tokens.weight", { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 9) }],
    ["head.weight", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["head.bias", { shape: [3], data: Float32Array.of(0, 0, 3) }],
    ["norm.gamma", { shape: [2], data: Float32Array.of(1, 1) }],
  ]);
  const tensors = ["tokens.weight", "head.weight", "head.bias"];

  test("keeps the rows of weights, and gives new tokens the mean", () => {
    const made = extendRows(weights, { tensors, from: small, to: extend(small, ["d"]) });
    expect(made.get("tokens.weight")).toEqual({ shape: [4, 2], data: Float32Array.of(1, 2, 3, 4, 5, 9, 3, 5) });
    expect(made.get("head.weight")).toEqual({ shape: [2, 4], data: Float32Array.of(1, 2, 3, 2, 4, 5, 6, 5) });
    expect(made.get("head.bias")).toEqual({ shape: [4], data: Float32Array.of(0, 0, 3, 1) });
    expect(made.get("norm.gamma")).toEqual(weights.get("norm.gamma"));
    expect(extendRows(weights, { tensors, from: 3, to: 4 })).toEqual(made);
  });

  test("moves rows with their pieces between vocabularies of another order", () => {
    const made = extendRows(weights, { tensors: { "head.weight": 1 }, from: small, to: characters(["c", "x", "a"]) });
    expect(made.get("head.weight")?.data).toEqual(Float32Array.of(3, 2, 1, 6, 5, 4));
  });

  test("draws new rows of the mean and deviation of the old ones, the same of a seed", () => {
    const data = Float32Array.from({ length: 50 * 2 }, (_, i) => (i % 2 === 0 ? 3 + Math.sin(i) : 7));
    const old = new Map([["t", { shape: [50, 2], data }]]);
    const drawn = (seed: number) =>
      extendRows(old, { tensors: ["t"], from: 50, to: 4050, start: "normal", seed })
        .get("t")!
        .data.subarray(100);
    const own = drawn(1).filter((_, i) => i % 2 === 0);
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    const deviation = Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length);
    expect(mean).toBeCloseTo(3, 1);
    expect(deviation).toBeCloseTo(Math.SQRT1_2, 1);
    expect(new Set(drawn(1).filter((_, i) => i % 2 === 1))).toEqual(new Set([7]));
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(2)).not.toEqual(drawn(1));
  });
});
