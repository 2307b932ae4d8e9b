// What turns text into numbers and back. A tokenizer has a core, which knows its own pieces, and texts that were added to these, which
// are found before all else. Tokens that are only added leave all others as they are, so that rows of an embedding can be kept.

import { DataError, OptionError } from "../index.ts";

/** Text as whole numbers below `size`, and back. */
export interface Tokenizer {
  /** How many tokens there are. */
  readonly size: number;
  /** The piece of each token as its file has it; a character where it is of characters. */
  readonly vocabulary: readonly string[];
  /** Tokens that stand for no text of a writer, such as the beginning of a text, by their names. */
  readonly special: ReadonlyMap<string, number>;
  /**
   * The tokens of a text; with `special` also those that its file puts before and behind, such as BOS. Throws DataError, with the place
   * in the text, for what has no token and for half of a surrogate pair.
   */
  encode(text: string, options?: EncodeOptions): Uint32Array<ArrayBuffer>;
  /** The text of tokens; bytes that are no text become U+FFFD. Throws DataError, with the place, for what is no token. */
  decode(tokens: ArrayLike<number>, options?: DecodeOptions): string;
  /** What it is made of. @internal */
  readonly core: Core;
}

/** Options of `encode`. */
export interface EncodeOptions {
  /** Whether the tokens that begin and end a text are put around it. Default false. */
  readonly special?: boolean;
}

/** Options of `decode`. */
export interface DecodeOptions {
  /** Whether special tokens are written as their names; else they are left out. Default true. */
  readonly special?: boolean;
}

/** A text that is one token wherever it stands. */
export interface Added {
  readonly text: string;
  readonly token: number;
  /** Whether it is no text of a writer. */
  readonly special?: boolean;
  /** Whether white space before it, or behind it, is taken with it. */
  readonly before?: boolean;
  readonly behind?: boolean;
  /** Whether it is looked for after normalization. */
  readonly normalized?: boolean;
}

export interface Core {
  /** Who made it, for messages. */
  readonly place: string;
  readonly vocabulary: readonly string[];
  readonly added: readonly Added[];
  /** Special tokens that are not looked for in a text. */
  readonly special?: ReadonlyMap<string, number>;
  readonly begin?: readonly number[];
  readonly end?: readonly number[];
  /** What is done to a text before it is cut at white space and the like. */
  readonly normalize?: (text: string) => string;
  /** Puts the tokens of a text without added ones behind `tokens`; `first` where the whole text begins with it. */
  readonly write: (text: string, first: boolean, tokens: number[]) => void;
  /** The text of pieces; an added token, and a special one, is a piece by its name. */
  readonly read: (tokens: readonly number[], names: ReadonlyMap<number, string>) => string;
}

/** What `write` throws for a character without a token; the place in the text is found by who knows the text. */
export interface Unknown {
  readonly unknown: string;
}

/** A tokenizer of its core. */
export function tokenizerOf(core: Core): Tokenizer {
  const { place, vocabulary, added, begin = [], end = [], normalize = (text: string) => text } = core;
  const known = new Map(added.map(({ text, token }) => [token, text]));
  const special = new Map([
    ...(core.special ?? []),
    ...added.filter((one) => one.special === true).map(({ text, token }) => [text, token] as const),
  ]);
  const hidden = new Map([...special].map(([name, token]) => [token, name]));
  const names = new Map([...hidden, ...known]);
  const raw = finder(added.filter((one) => one.normalized !== true));
  const later = finder(
    added.filter((one) => one.normalized === true).map((one) => ({ ...one, text: normalize(one.text) })),
  );
  return {
    size: vocabulary.length,
    vocabulary,
    special,
    core,
    encode(text, options = {}) {
      checkText(`${place}: encode`, text);
      checkSwitch(`${place}: encode`, options);
      const tokens: number[] = options.special === true ? [...begin] : [];
      try {
        raw(text, tokens, (outer, start) =>
          later(normalize(outer), tokens, (inner, at) => core.write(inner, start === 0 && at === 0, tokens)),
        );
      } catch (error) {
        const { unknown } = Object(error) as Partial<Unknown>;
        if (unknown === undefined) throw error;
        const at = text.indexOf(unknown);
        throw new DataError(
          `${place}: encode: ${JSON.stringify(unknown)}${at < 0 ? "" : ` at place ${at} of ${text.length}`} has no token. Leave it out, or add it by extend().`,
        );
      }
      if (options.special === true) tokens.push(...end);
      return Uint32Array.from(tokens);
    },
    decode(given, options = {}) {
      checkSwitch(`${place}: decode`, options);
      const tokens = checkedTokens(`${place}: decode`, given, vocabulary.length);
      return core.read(options.special === false ? tokens.filter((token) => !hidden.has(token)) : tokens, names);
    },
  };
}

type Between = (part: string, at: number) => void;

/** Takes a text apart at added texts: these become tokens, and what stands between is handed on. */
function finder(added: readonly Added[]): (text: string, tokens: number[], between: Between) => void {
  if (added.length === 0) return (text, _, between) => (text === "" ? undefined : between(text, 0));
  const byText = new Map(added.map((one) => [one.text, one]));
  // The longest first, so that none hides a longer one.
  const sources = [...added]
    .sort((a, b) => b.text.length - a.text.length)
    .map(({ text, before, behind }) => `${before ? "\\s*" : ""}(${escaped(text)})${behind ? "\\s*" : ""}`);
  const pattern = new RegExp(sources.join("|"), "gu");
  return (text, tokens, between) => {
    let at = 0;
    for (const found of text.matchAll(pattern)) {
      if (found.index > at) between(text.slice(at, found.index), at);
      const own = found.slice(1).find((group) => group !== undefined) as string;
      tokens.push((byText.get(own) as Added).token);
      at = found.index + found[0].length;
    }
    if (at < text.length) between(text.slice(at), at);
  };
}

/** A text as a regular expression that matches it alone. */
export const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

function checkText(place: string, text: unknown): asserts text is string {
  if (typeof text !== "string") {
    throw new DataError(`${place}: it was given ${kindOf(text)}. Give a text; bytes become one by TextDecoder.`);
  }
  const half = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.exec(text);
  if (half === null) return;
  throw new DataError(
    `${place}: place ${half.index} of ${text.length} is half of a surrogate pair, U+${half[0].charCodeAt(0).toString(16).toUpperCase()}, which no bytes stand for. Cut texts between characters.`,
  );
}

function checkSwitch(place: string, options: unknown): void {
  const given: object = typeof options === "object" && options !== null ? options : { options };
  const odd = Object.keys(given).find((key) => key !== "special");
  if (odd !== undefined) throw new OptionError(`${place}: it has no "${odd}". It may have special.`);
  const { special } = given as { readonly special?: unknown };
  if (special === undefined || typeof special === "boolean") return;
  throw new OptionError(`${place}: special is ${JSON.stringify(special)}, it must be true or false.`);
}

function checkedTokens(place: string, given: unknown, size: number): number[] {
  if (typeof given !== "object" || given === null || !Number.isInteger((given as ArrayLike<number>).length)) {
    throw new DataError(`${place}: it was given ${kindOf(given)}. Give a list of tokens.`);
  }
  const tokens = Array.from(given as ArrayLike<number>);
  const at = tokens.findIndex((token) => !(Number.isInteger(token) && token >= 0 && token < size));
  if (at < 0) return tokens;
  throw new DataError(
    `${place}: place ${at} of ${tokens.length} is ${tokens[at]}, tokens are whole numbers from 0 to ${size - 1}.`,
  );
}

const kindOf = (given: unknown): string =>
  given === null || given === undefined ? String(given) : Object.prototype.toString.call(given);

/**
 * A tokenizer with further texts, each a token of its own behind those that there are, which stay what they are. Where one of them
 * stands in a text it is found before all else, the longest first. `extendRows` makes room for them in an embedding and a head. Throws
 * OptionError for what is no list of texts, and for a text that is a token already.
 *
 * @example extend(tokenizer, ["<name>", "ROMEO:"])
 */
export function extend(tokenizer: Tokenizer, texts: readonly string[]): Tokenizer {
  const place = "extend";
  if (typeof tokenizer?.core?.write !== "function")
    throw new OptionError(`${place}: ${kindOf(tokenizer)} is no tokenizer. Give what characters() or a reader gave.`);
  if (!Array.isArray(texts) || texts.length === 0)
    throw new OptionError(`${place}: ${kindOf(texts)} is no list of new texts. Write extend(tokenizer, ["<name>"]).`);
  const { core } = tokenizer;
  const taken = new Set([...core.vocabulary, ...core.added.map(({ text }) => text)]);
  for (const [i, text] of texts.entries()) {
    if (typeof text !== "string" || text === "")
      throw new OptionError(`${place}: text ${i} is ${JSON.stringify(text)}, it must have a character at least.`);
    checkText(`${place}: text ${i}`, text);
    if (taken.has(text))
      throw new OptionError(`${place}: text ${i}, ${JSON.stringify(text)}, is a token already. Leave it out.`);
    taken.add(text);
  }
  const added = texts.map((text, i): Added => ({ text, token: core.vocabulary.length + i }));
  return tokenizerOf({ ...core, vocabulary: [...core.vocabulary, ...texts], added: [...core.added, ...added] });
}
