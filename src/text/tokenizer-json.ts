// tokenizer.json of Hugging Face with a model of byte pairs: normalizer, pre-tokenizer, model, decoder, added tokens and what is put
// around a text. Read as it is written; what is not known is refused by its name and its place in the file.

import { CheckpointError } from "../index.ts";
import { bytePairs, type Merge, pairKey } from "./byte-pairs.ts";
import { cutterOf, decoderOf, type Entry, entry, fail, list, normalizerOf, PLACE, setting, shown } from "./steps.ts";
import { type Added, type Tokenizer, tokenizerOf } from "./tokenizer.ts";

const DAMAGED = "The file is damaged, or no tokenizer.json.";

/**
 * The tokenizer of a tokenizer.json, as text, bytes or what JSON.parse made of it. Its model must be BPE, over bytes as GPT-2's or over
 * characters with bytes for what is no piece as Llama's. Added tokens are found in a text, as there. A character without a token is
 * refused by `encode` where the file has no unknown token. Throws CheckpointError, with the place in the file, for what is damaged or not known.
 *
 * @example fromTokenizerJson(await (await fetch("tokenizer.json")).json()).encode("Once upon a time")
 */
export function fromTokenizerJson(source: string | Uint8Array | ArrayBuffer | object): Tokenizer {
  const { value: file } = entry("the file", parsed(source));
  const model = entry("model", file.model);
  const vocabulary = vocabularyOf(model, file.added_tokens);
  const added = addedOf(file.added_tokens, vocabulary);
  const encodeWord = modelOf(model, vocabulary.byText);
  const normalize = normalizerOf(file.normalizer);
  const cut = cutterOf(file.pre_tokenizer);
  const decode = decoderOf(file.decoder);
  return tokenizerOf({
    place: PLACE,
    vocabulary: vocabulary.texts,
    added,
    ...around(file.post_processor, vocabulary.byText),
    ...(normalize && { normalize }),
    write(text, first, tokens) {
      for (const word of cut?.([{ text, first }]) ?? [{ text, first }]) encodeWord(word.text, tokens);
    },
    read(tokens, names) {
      const pieces = tokens.map((token) => names.get(token) ?? (vocabulary.texts[token] as string));
      return (decode?.(pieces) ?? [pieces.join(" ")]).join("");
    },
  });
}

function parsed(source: unknown): unknown {
  const isBytes = source instanceof Uint8Array || source instanceof ArrayBuffer;
  if (typeof source !== "string" && !isBytes) return source;
  try {
    return JSON.parse(isBytes ? new TextDecoder("utf-8", { fatal: true }).decode(source) : source);
  } catch (error) {
    throw new CheckpointError(`${PLACE}: it is no JSON: ${(error as Error).message}. ${DAMAGED}`);
  }
}

interface Vocabulary {
  readonly texts: readonly string[];
  readonly byText: ReadonlyMap<string, number>;
}

/** The model's tokens and those that were added behind, each number once. */
function vocabularyOf({ at, value }: Entry, added: unknown): Vocabulary {
  const byText = new Map<string, number>();
  const texts: (string | undefined)[] = [];
  const own = Object.entries(entry(`${at}.vocab`, value.vocab).value);
  const more = list("added_tokens", added ?? []).map((one, i) => entry(`added_tokens[${i}]`, one).value);
  const most = own.length + more.length;
  const learn = (place: string, text: string, token: unknown): void => {
    if (!Number.isInteger(token) || (token as number) < 0 || (token as number) >= most)
      fail(
        place,
        `${shown(text)} has the token ${shown(token)}, ${most} entries need tokens from 0 to ${most - 1}`,
        DAMAGED,
      );
    const before = texts[token as number];
    if (before !== undefined && before !== text)
      fail(
        place,
        `${shown(before)} and ${shown(text)} have the token ${shown(token)}`,
        "Give each a token of its own.",
      );
    const other = byText.get(text) ?? token;
    if (other !== token)
      fail(place, `${shown(text)} has the tokens ${shown(other)} and ${shown(token)}`, "Give it one.");
    texts[token as number] = text;
    byText.set(text, token as number);
  };
  for (const [text, token] of own) learn(`${at}.vocab`, text, token);
  for (const [i, { content, id }] of more.entries()) learn(`added_tokens[${i}]`, String(content), id);
  const hole = [...texts].indexOf(undefined);
  if (hole >= 0) fail(`${at}.vocab`, `no entry has the token ${hole}, there are ${byText.size}`, DAMAGED);
  return { texts: texts as string[], byText };
}

function addedOf(value: unknown, { byText }: Vocabulary): readonly Added[] {
  return list("added_tokens", value ?? []).map((one, i) => {
    const own = entry(`added_tokens[${i}]`, one);
    const text = setting(own, "content", "");
    if (text === "") fail(own.at, "it has no content", DAMAGED);
    if (setting(own, "single_word", false)) fail(own.at, `${shown(text)} is a single_word`, "That is not known here.");
    return {
      text,
      token: byText.get(text) as number,
      special: setting(own, "special", false),
      before: setting(own, "lstrip", false),
      behind: setting(own, "rstrip", false),
      normalized: setting(own, "normalized", false),
    };
  });
}

/** What makes tokens of a word. */
function modelOf(model: Entry, byText: ReadonlyMap<string, number>): (word: string, tokens: number[]) => void {
  const { at, value } = model;
  const type = value.type ?? (value.merges === undefined ? undefined : "BPE");
  if (type !== "BPE") fail(`${at}.type`, `${shown(type)} is not known`, "Known is BPE.");
  for (const key of ["dropout", "continuing_subword_prefix", "end_of_word_suffix"]) {
    const given = value[key];
    if (given !== undefined && given !== null && given !== "" && given !== 0)
      fail(`${at}.${key}`, `it is ${shown(given)}`, "That is not known here, only null.");
  }
  const unknown = value.unk_token === null ? "" : setting(model, "unk_token", "");
  if (unknown !== "" && !byText.has(unknown)) fail(`${at}.unk_token`, `${shown(unknown)} is no token`, DAMAGED);
  const fallback = setting(model, "byte_fallback", false);
  const fuse = setting(model, "fuse_unk", false);
  const whole = setting(model, "ignore_merges", false);
  const byteTokens = Array.from({ length: fallback ? 256 : 0 }, (_, byte) =>
    byText.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  );
  const unknownToken = byText.get(unknown);
  const encode = bytePairs({
    tokens: byText,
    merges: mergesOf(`${at}.merges`, value.merges, byText),
    otherwise(symbol) {
      const bytes = fallback ? Array.from(new TextEncoder().encode(symbol), (byte) => byteTokens[byte]) : [undefined];
      if (!bytes.includes(undefined)) return bytes as number[];
      return unknownToken === undefined ? undefined : [unknownToken];
    },
  });
  return (word, tokens) => {
    const known = whole ? byText.get(word) : undefined;
    if (known !== undefined) {
      tokens.push(known);
      return;
    }
    const begin = tokens.length;
    encode(word, tokens);
    if (!fuse || unknownToken === undefined) return;
    const own = tokens.splice(begin);
    for (const [i, token] of own.entries()) if (token !== unknownToken || own[i - 1] !== token) tokens.push(token);
  };
}

function mergesOf(at: string, value: unknown, byText: ReadonlyMap<string, number>): ReadonlyMap<number, Merge> {
  const merges = new Map<number, Merge>();
  for (const [rank, one] of list(at, value).entries()) {
    const pair: unknown = typeof one === "string" ? one.split(" ") : one;
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((piece) => typeof piece === "string"))
      fail(`${at}[${rank}]`, `it is ${shown(one)}, it must be two pieces`, DAMAGED);
    const [left, right] = pair as [string, string];
    const missing = [left, right, left + right].find((piece) => !byText.has(piece));
    if (missing !== undefined)
      fail(`${at}[${rank}]`, `${shown(one)} needs ${shown(missing)}, which is no token`, DAMAGED);
    const key = pairKey(byText.get(left) as number, byText.get(right) as number);
    if (!merges.has(key)) merges.set(key, { rank, token: byText.get(left + right) as number });
  }
  return merges;
}

type Around = { readonly begin?: readonly number[]; readonly end?: readonly number[] };

/** What is put before and behind a single text. */
function around(value: unknown, byText: ReadonlyMap<string, number>, at = "post_processor"): Around {
  if (value === undefined || value === null) return {};
  const own = entry(at, value);
  const type = setting(own, "type", "");
  const make = Object.hasOwn(processors, type) ? processors[type] : undefined;
  if (make === undefined)
    return fail(
      at,
      `the post-processor ${shown(type)} is not known`,
      `Known are ${Object.keys(processors).join(", ")}.`,
    );
  return make(own, byText);
}

const pair = ({ at, value }: Entry, key: string, byText: ReadonlyMap<string, number>): number[] => {
  const [text] = list(`${at}.${key}`, value[key]);
  const token = byText.get(String(text));
  return token === undefined ? fail(`${at}.${key}`, `${shown(text)} is no token`, DAMAGED) : [token];
};

const framed = (own: Entry, byText: ReadonlyMap<string, number>): Around => ({
  begin: pair(own, "cls", byText),
  end: pair(own, "sep", byText),
});

const processors: Readonly<Record<string, (own: Entry, byText: ReadonlyMap<string, number>) => Around>> = {
  ByteLevel: () => ({}),
  BertProcessing: framed,
  RobertaProcessing: framed,
  TemplateProcessing({ at, value }, byText) {
    const parts = list(`${at}.single`, value.single).map((one, i) => entry(`${at}.single[${i}]`, one));
    const text = parts.findIndex(({ value: part }) => part.Sequence !== undefined);
    if (text < 0) fail(`${at}.single`, "it has no Sequence, the place of the text", DAMAGED);
    const tokensOf = (some: readonly Entry[]): number[] =>
      some.map((part) => {
        const name = String(entry(`${part.at}.SpecialToken`, part.value.SpecialToken).value.id);
        return byText.get(name) ?? fail(part.at, `${shown(name)} is no token`, DAMAGED);
      });
    return { begin: tokensOf(parts.slice(0, text)), end: tokensOf(parts.slice(text + 1)) };
  },
  Sequence({ at, value }, byText) {
    const parts = list(`${at}.processors`, value.processors).map((one, i) =>
      around(one, byText, `${at}.processors[${i}]`),
    );
    return { begin: parts.flatMap(({ begin = [] }) => begin), end: parts.flatMap(({ end = [] }) => end) };
  },
};
