// Damaged files of tokenizers, files with what is not known, and texts and tokens that have no sense: each is refused by a typed error
// that names the place and says both numbers.

import { expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { CheckpointError, DataError, GradusError, NameError, OptionError, ShapeError } from "../../src/index.ts";
import { characters, extend, extendRows, fromTokenizerBin, fromTokenizerJson } from "../../src/text/index.ts";
import golden from "../golden/byte-pairs.json" with { type: "json" };

const bin = await dataFile("tinystories-260k/tok512.bin");
const { gpt2, llama2 } = golden;
const tok512 = fromTokenizerBin(bin);
const abc = characters("abc");

/** The file with some bytes changed. */
const changed = (change: (view: DataView) => void): Uint8Array => {
  const copy = bin.slice();
  change(new DataView(copy.buffer));
  return copy;
};
const json = (change: object, file: object = gpt2.file): object => ({ ...structuredClone(file), ...change });
const model = (change: object): object => json({ model: { ...gpt2.file.model, ...change } });
const weights = new Map([
  ["t", { shape: [3, 2], data: new Float32Array(6) }],
  ["square", { shape: [3, 3], data: new Float32Array(9) }],
]);
const rows = (options: object) => extendRows(weights, { tensors: ["t"], from: 3, to: 4, ...options });

const bad: readonly (readonly [what: string, run: () => unknown, kind: typeof GradusError, says: string])[] = [
  ["no bytes", () => fromTokenizerBin("tok512.bin" as never), DataError, "it was given [object String]"],
  [
    "an empty file",
    () => fromTokenizerBin(new Uint8Array()),
    CheckpointError,
    "it has 0 bytes, its first number alone needs 4",
  ],
  [
    "a file cut in a score",
    () => fromTokenizerBin(bin.subarray(0, 4 + 13 + 5)),
    CheckpointError,
    "token 1 at byte 17 needs 8 bytes for score and length, 5 are left",
  ],
  [
    "a file cut in a piece",
    () => fromTokenizerBin(bin.subarray(0, 4 + 10)),
    CheckpointError,
    "token 0 at byte 4 has 5 bytes, 2 are left",
  ],
  [
    "a file cut between tokens",
    () => fromTokenizerBin(bin.subarray(0, 17)),
    CheckpointError,
    "token 3 is not there, llama2.c has the byte <0x00> there. The file has 1 tokens, it needs 259 at least",
  ],
  [
    "a length below 0",
    () => fromTokenizerBin(changed((view) => view.setInt32(8, -1, true))),
    CheckpointError,
    "token 0 at byte 4 has -1 bytes, the longest has 7",
  ],
  [
    "a hostile length",
    () => fromTokenizerBin(changed((view) => view.setInt32(8, 2 ** 31 - 1, true))),
    CheckpointError,
    "token 0 at byte 4 has 2147483647 bytes, the longest has 7",
  ],
  [
    "a hostile length that the header allows",
    () => fromTokenizerBin(changed((view) => [0, 8].map((at) => view.setInt32(at, 2 ** 31 - 1, true)))),
    CheckpointError,
    "token 0 at byte 4 has 2147483647 bytes, 6215 are left",
  ],
  [
    "a score that is no number",
    () => fromTokenizerBin(changed((view) => view.setFloat32(4, Number.NaN, true))),
    CheckpointError,
    "token 0 at byte 4 has the score NaN",
  ],
  [
    "a piece that is no text",
    () => fromTokenizerBin(changed((view) => view.setUint8(13, 0xff))),
    CheckpointError,
    "token 0 at byte 4 is no text in UTF-8",
  ],
  ["what is no JSON", () => fromTokenizerJson('{"model": '), CheckpointError, "fromTokenizerJson: it is no JSON: "],
  [
    "JSON of something else",
    () => fromTokenizerJson("[1, 2]"),
    CheckpointError,
    "the file: it is [1,2], it must be an object",
  ],
  [
    "a file without a model",
    () => fromTokenizerJson({}),
    CheckpointError,
    "model: it is undefined, it must be an object",
  ],
  [
    "a model of words",
    () => fromTokenizerJson(model({ type: "WordPiece" })),
    CheckpointError,
    'model.type: "WordPiece" is not known. Known is BPE.',
  ],
  [
    "a model with gaps at random",
    () => fromTokenizerJson(model({ dropout: 0.1 })),
    CheckpointError,
    "model.dropout: it is 0.1",
  ],
  [
    "pieces with a suffix",
    () => fromTokenizerJson(model({ end_of_word_suffix: "</w>" })),
    CheckpointError,
    'model.end_of_word_suffix: it is "</w>"',
  ],
  [
    "a token beyond the vocabulary",
    () => fromTokenizerJson(json({ model: { type: "BPE", vocab: { a: 0, b: 9 }, merges: [] }, added_tokens: [] })),
    CheckpointError,
    'model.vocab: "b" has the token 9, 2 entries need tokens from 0 to 1',
  ],
  [
    "a token that two pieces have",
    () => fromTokenizerJson(json({ model: { type: "BPE", vocab: { a: 0, b: 0 }, merges: [] }, added_tokens: [] })),
    CheckpointError,
    'model.vocab: "a" and "b" have the token 0',
  ],
  [
    "a token that is missing",
    () =>
      fromTokenizerJson(
        json({
          model: { type: "BPE", vocab: { a: 0 }, merges: [] },
          added_tokens: [
            { content: "b", id: 2 },
            { content: "c", id: 2 },
          ],
        }),
      ),
    CheckpointError,
    "have the token 2",
  ],
  [
    "a gap in the tokens",
    () =>
      fromTokenizerJson(
        json({
          model: { type: "BPE", vocab: { a: 0 }, merges: [] },
          added_tokens: [
            { content: "a", id: 0 },
            { content: "b", id: 2 },
          ],
        }),
      ),
    CheckpointError,
    "model.vocab: no entry has the token 1, there are 2",
  ],
  [
    "a merge of three",
    () => fromTokenizerJson(model({ merges: ["a b c"] })),
    CheckpointError,
    'model.merges[0]: it is "a b c", it must be two pieces',
  ],
  [
    "a merge that makes no token",
    () => fromTokenizerJson(model({ merges: [["q", "q"]] })),
    CheckpointError,
    'model.merges[0]: ["q","q"] needs "qq", which is no token',
  ],
  [
    "merges that are no list",
    () => fromTokenizerJson(model({ merges: { a: 1 } })),
    CheckpointError,
    'model.merges: it is {"a":1}, it must be a list',
  ],
  [
    "an unknown token that is none",
    () => fromTokenizerJson(model({ unk_token: "<?>" })),
    CheckpointError,
    'model.unk_token: "<?>" is no token',
  ],
  [
    "a normalizer that is not known",
    () => fromTokenizerJson(json({ normalizer: { type: "Precompiled" } })),
    CheckpointError,
    'normalizer: the normalizer "Precompiled" is not known. Known are Sequence, NFC',
  ],
  ...["", "ab".repeat(500)].map(
    (replacement) =>
      [
        `a space that is ${replacement.length} characters`,
        () => fromTokenizerJson(json({ pre_tokenizer: { type: "Metaspace", replacement } })),
        CheckpointError,
        `pre_tokenizer.replacement: it has ${replacement.length} characters. It must be one.`,
      ] as const,
  ),
  [
    "a pre-tokenizer that is not known",
    () => fromTokenizerJson(json({ pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "UnicodeScripts" }] } })),
    CheckpointError,
    'pre_tokenizer.pretokenizers[0]: the pre-tokenizer "UnicodeScripts" is not known',
  ],
  [
    "a name that every object has",
    () => fromTokenizerJson(json({ pre_tokenizer: { type: "toString" } })),
    CheckpointError,
    'the pre-tokenizer "toString" is not known',
  ],
  [
    "a pattern that JavaScript has not",
    () =>
      fromTokenizerJson(json({ pre_tokenizer: { type: "Split", pattern: { Regex: "(?>a)" }, behavior: "Isolated" } })),
    CheckpointError,
    'pre_tokenizer.pattern: "(?>a)" has no form in JavaScript',
  ],
  [
    "a behaviour that is not known",
    () => fromTokenizerJson(json({ pre_tokenizer: { type: "Split", pattern: { String: "a" }, behavior: "Isolate" } })),
    CheckpointError,
    'pre_tokenizer.behavior: it is "Isolate". Known are Isolated, Removed',
  ],
  [
    "a decoder that is not known",
    () => fromTokenizerJson(json({ decoder: { type: "CTC" } })),
    CheckpointError,
    'decoder: the decoder "CTC" is not known',
  ],
  [
    "a template without a text",
    () => fromTokenizerJson(json({ post_processor: { type: "TemplateProcessing", single: [] } })),
    CheckpointError,
    "post_processor.single: it has no Sequence, the place of the text",
  ],
  [
    "a template of a token that is none",
    () =>
      fromTokenizerJson(
        json({
          post_processor: {
            type: "TemplateProcessing",
            single: [{ SpecialToken: { id: "<x>" } }, { Sequence: { id: "A" } }],
          },
        }),
      ),
    CheckpointError,
    'post_processor.single[0]: "<x>" is no token',
  ],
  [
    "an added token for whole words",
    () => fromTokenizerJson(json({ added_tokens: [{ ...gpt2.file.added_tokens[0], single_word: true }] })),
    CheckpointError,
    'added_tokens[0]: "<end>" is a single_word',
  ],
  [
    "a switch that is a word",
    () => fromTokenizerJson(json({ pre_tokenizer: { type: "ByteLevel", use_regex: "no" } })),
    CheckpointError,
    'pre_tokenizer.use_regex: it is "no"',
  ],
  [
    "half of a surrogate pair",
    () => tok512.encode("ab\ud83dc"),
    DataError,
    "fromTokenizerBin: encode: place 2 of 4 is half of a surrogate pair, U+D83D",
  ],
  [
    "a text that is none",
    () => tok512.encode(3 as never),
    DataError,
    "encode: it was given [object Number]. Give a text",
  ],
  [
    "a character without a token",
    () => fromTokenizerJson({ model: { type: "BPE", vocab: { a: 0 }, merges: [] } }).encode("aab"),
    DataError,
    '"b" at place 2 of 3 has no token',
  ],
  [
    "a token beyond the last",
    () => tok512.decode([1, 512]),
    DataError,
    "decode: place 1 of 2 is 512, tokens are whole numbers from 0 to 511",
  ],
  ["a token that is not whole", () => abc.decode([0.5]), DataError, "decode: place 0 of 1 is 0.5"],
  [
    "tokens that are no list",
    () => abc.decode("abc" as never),
    DataError,
    "decode: it was given [object String]. Give a list of tokens.",
  ],
  [
    "an option that there is not",
    () => abc.encode("a", { bos: true } as never),
    OptionError,
    'encode: it has no "bos". It may have special.',
  ],
  [
    "a switch that is none",
    () => abc.encode("a", { special: 1 } as never),
    OptionError,
    "special is 1, it must be true or false",
  ],
  ["no characters", () => characters(""), OptionError, "there are no characters"],
  ["a character twice", () => characters(["a", "b", "a"]), OptionError, '"a" stands twice, again at 2'],
  [
    "two characters for one",
    () => characters(["a", "bc"]),
    OptionError,
    'entry 1 is "bc", 2 characters, each must be one',
  ],
  [
    "a record with a gap",
    () => characters({ a: 0, b: 2 }),
    OptionError,
    '"b" has the token 2, 2 characters need the tokens 0 to 1',
  ],
  [
    "another word for unknown",
    () => characters("a", { unknown: "skip" as never }),
    OptionError,
    'unknown is "skip", it must be "refuse" or "drop"',
  ],
  ["a new text that is a token", () => extend(abc, ["x", "a"]), OptionError, 'text 1, "a", is a token already'],
  ["a new text of nothing", () => extend(abc, [""]), OptionError, 'text 0 is "", it must have a character at least'],
  ["no new texts", () => extend(abc, []), OptionError, "no list of new texts"],
  ["what is no tokenizer", () => extend({} as never, ["a"]), OptionError, "[object Object] is no tokenizer"],
  [
    "rows of a tensor that is not there",
    () => rows({ tensors: ["head"] }),
    NameError,
    'there is no tensor "head". Tensors: t, square.',
  ],
  [
    "rows that are not as many",
    () => rows({ from: 5, to: 6 }),
    ShapeError,
    '"t" is [3,2], no axis has the 5 tokens of "from"',
  ],
  [
    "rows that may be columns",
    () => rows({ tensors: ["square"] }),
    ShapeError,
    '"square" is [3,3], axes 0 and 1 have the 3 tokens of "from"',
  ],
  [
    "an axis of another length",
    () => rows({ tensors: { t: 1 } }),
    ShapeError,
    'its axis 1 has not the 3 tokens of "from"',
  ],
  ["fewer rows by number", () => rows({ to: 2 }), OptionError, "from 3 tokens to 2 some must go"],
  [
    "a start that is not known",
    () => rows({ start: "zeros" }),
    OptionError,
    'start is "zeros", it must be "mean" or "normal"',
  ],
];

test.each(bad)("%s", (_, run, kind, says) => {
  let caught: unknown;
  try {
    run();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(kind);
  expect((caught as Error).message).toContain(says);
});

/** Reads a file and uses what comes; a typed error is as good. */
function survived(read: () => ReturnType<typeof fromTokenizerBin>): string {
  try {
    const tokenizer = read();
    tokenizer.decode(tokenizer.encode("The king's day, 日本 12.", { special: true }));
    return "read";
  } catch (error) {
    if (!(error instanceof GradusError)) throw error;
    return "refused";
  }
}

test("a tokenizer.json with any value in any place is read or refused", () => {
  const seen = new Set<string>();
  const text = JSON.stringify({ ...llama2.file, pre_tokenizer: golden.metaspace.file.pre_tokenizer });
  const paths: (readonly (string | number)[])[] = [];
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    paths.push(path);
    if (typeof value !== "object" || value === null || path.includes("vocab") || path.includes("merges")) return;
    for (const [key, one] of Object.entries(value)) walk(one, [...path, key]);
  };
  walk(JSON.parse(text), []);
  const values = [null, [], {}, "", "x", -1, 1e99, true, [null], { type: "Sequence" }, ["a", "b"]];
  for (const path of paths.slice(1)) {
    for (const value of values) {
      const file = JSON.parse(text);
      const last = path.slice(0, -1).reduce((now, key) => now[key], file);
      last[path.at(-1) as string] = value;
      seen.add(survived(() => fromTokenizerJson(file)));
    }
  }
  expect(seen).toEqual(new Set(["read", "refused"]));
});
