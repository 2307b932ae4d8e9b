// The steps of tokenizer.json around its model, a table for each kind: what changes a text, what cuts it into words, and what makes a
// text of pieces again. A step that is not known, or has a setting that is not, is refused by its name.

import { CheckpointError } from "../index.ts";
import { regular } from "./regular.ts";
import { escaped } from "./tokenizer.ts";

/** A part of the file, with its place in it. */
export interface Entry {
  readonly at: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** A word, and whether the text begins with it. */
export interface Word {
  readonly text: string;
  readonly first: boolean;
}

type Normalizer = (text: string) => string;
type Cutter = (words: readonly Word[]) => readonly Word[];
type Decoder = (pieces: readonly string[]) => readonly string[];
type Rows<Step> = Readonly<Record<string, (entry: Entry) => Step>>;

export const PLACE = "fromTokenizerJson";

export function fail(at: string, what: string, advice: string): never {
  throw new CheckpointError(`${PLACE}: ${at}: ${what}. ${advice}`);
}

export function entry(at: string, value: unknown): Entry {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return { at, value: value as Readonly<Record<string, unknown>> };
  return fail(at, `it is ${shown(value)}, it must be an object`, "The file is damaged, or no tokenizer.json.");
}

export const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 80);

export function list(at: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return fail(at, `it is ${shown(value)}, it must be a list`, "The file is damaged, or no tokenizer.json.");
}

/** A setting of an entry: of the type of its default, or one of some words. */
export function setting<T extends string | boolean | number>(
  { at, value }: Entry,
  key: string,
  otherwise: T,
  words?: readonly string[],
): T {
  const given = value[key] ?? otherwise;
  if (typeof given !== typeof otherwise || (words !== undefined && !words.includes(given as string))) {
    fail(
      `${at}.${key}`,
      `it is ${shown(given)}`,
      `Known are ${words === undefined ? `values such as ${shown(otherwise)}` : words.join(", ")}.`,
    );
  }
  return given as T;
}

/** What stands for a space: one character, as the type of the setting is in Rust. */
function markOf(own: Entry): string {
  const mark = setting(own, "replacement", "▁");
  if ([...mark].length === 1) return mark;
  return fail(`${own.at}.replacement`, `it has ${[...mark].length} characters`, "It must be one.");
}

/** The step that an entry names; nothing where there is none. */
function stepOf<Step>(rows: Rows<Step>, kind: string, at: string, value: unknown): Step | undefined {
  if (value === undefined || value === null) return undefined;
  const own = entry(at, value);
  const type = setting(own, "type", "");
  const make = Object.hasOwn(rows, type) ? rows[type] : undefined;
  if (make === undefined)
    return fail(at, `the ${kind} ${shown(type)} is not known`, `Known are ${Object.keys(rows).join(", ")}.`);
  return make(own);
}

/** Steps one after the other, under the key that the kind has for them. */
const inOrder =
  <T>(rows: () => Rows<(x: T) => T>, kind: string, key: string) =>
  ({ at, value }: Entry): ((x: T) => T) => {
    const steps = list(`${at}.${key}`, value[key]).map((one, i) => stepOf(rows(), kind, `${at}.${key}[${i}]`, one));
    return (x) => steps.reduce<T>((now, step) => (step === undefined ? now : step(now)), x);
  };

/** What a pattern finds, { String } or { Regex }. */
function patternOf({ at, value }: Entry): RegExp {
  const own = entry(`${at}.pattern`, value.pattern);
  const { String: text, Regex: source } = own.value;
  if (typeof text === "string" && text !== "") return new RegExp(escaped(text), "gu");
  if (typeof source !== "string")
    return fail(own.at, `it is ${shown(own.value)}`, 'Known are { "String": .. } and { "Regex": .. }.');
  try {
    return regular(source);
  } catch (error) {
    return fail(own.at, `${shown(source)} has no form in JavaScript: ${(error as Error).message}`, "Use another form.");
  }
}

const form = (name: "NFC" | "NFD" | "NFKC" | "NFKD") => (): Normalizer => (text) => text.normalize(name);

const trimmed = (text: string, left: boolean, right: boolean): string =>
  left && right ? text.trim() : left ? text.trimStart() : right ? text.trimEnd() : text;

const normalizers: Rows<Normalizer> = {
  Sequence: inOrder(() => normalizers, "normalizer", "normalizers"),
  NFC: form("NFC"),
  NFD: form("NFD"),
  NFKC: form("NFKC"),
  NFKD: form("NFKD"),
  Lowercase: () => (text) => text.toLowerCase(),
  Strip: (own) => (text) => trimmed(text, setting(own, "strip_left", true), setting(own, "strip_right", true)),
  Prepend: (own) => {
    const before = setting(own, "prepend", "▁");
    return (text) => (text === "" ? text : before + text);
  },
  Replace: (own) => {
    const pattern = patternOf(own);
    const content = setting(own, "content", "");
    return (text) => text.replace(pattern, () => content);
  },
};

export const normalizerOf = (value: unknown): Normalizer | undefined =>
  stepOf(normalizers, "normalizer", "normalizer", value);

/** Words of words. */
const cut = (of: (word: Word) => readonly string[]): Cutter => {
  return (words) =>
    words.flatMap((word) =>
      of(word)
        .filter((text) => text !== "")
        .map((text, i) => ({ text, first: word.first && i === 0 })),
    );
};

/** What a pattern finds and what stands between, in order. */
function pieces(text: string, pattern: RegExp): { readonly text: string; readonly found: boolean }[] {
  const parts: { text: string; found: boolean }[] = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match[0] === "") continue;
    if (match.index > at) parts.push({ text: text.slice(at, match.index), found: false });
    parts.push({ text: match[0], found: true });
    at = match.index + match[0].length;
  }
  if (at < text.length) parts.push({ text: text.slice(at), found: false });
  return parts;
}

type Pieces = ReturnType<typeof pieces>;

/** What becomes of what a pattern finds. */
const behaviours: Readonly<Record<string, (parts: Pieces) => readonly string[]>> = {
  Isolated: (parts) => parts.map(({ text }) => text),
  Removed: (parts) => parts.filter(({ found }) => !found).map(({ text }) => text),
  MergedWithPrevious: (parts) =>
    parts.reduce<string[]>((all, { text, found }, i) => {
      if (found && i > 0 && parts[i - 1]?.found === false) all[all.length - 1] += text;
      else all.push(text);
      return all;
    }, []),
  MergedWithNext: (parts) =>
    parts.reduceRight<string[]>((all, { text, found }, i) => {
      if (found && parts[i + 1]?.found === false) all[0] = text + all[0];
      else all.unshift(text);
      return all;
    }, []),
  Contiguous: (parts) =>
    parts.reduce<string[]>((all, { text, found }, i) => {
      if (i > 0 && parts[i - 1]?.found === found) all[all.length - 1] += text;
      else all.push(text);
      return all;
    }, []),
};

function splitter(own: Entry, pattern: RegExp, otherwise: string): Cutter {
  const behave = behaviours[setting(own, "behavior", otherwise, Object.keys(behaviours))] as (p: Pieces) => string[];
  const invert = setting(own, "invert", false);
  return cut(({ text }) =>
    behave(pieces(text, pattern).map((one) => ({ text: one.text, found: one.found !== invert }))),
  );
}

/** The words of GPT-2 (Radford et al. 2019): contractions, letters, digits, other signs, and white space. */
const WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** Bytes as characters that can be seen, as GPT-2 has them: what prints stands for itself, others from U+0100 on. */
const byteCharacters: readonly string[] = (() => {
  const seen = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(seen(byte) ? byte : 256 + hidden++));
})();
const byteOf: ReadonlyMap<string, number> = new Map(byteCharacters.map((character, byte) => [character, byte]));

const inBytes = (text: string): string => {
  let all = "";
  for (const byte of new TextEncoder().encode(text)) all += byteCharacters[byte];
  return all;
};

/** Whether a text gets a space before it. */
const scheme = (own: Entry): string =>
  own.value.prepend_scheme === undefined && own.value.add_prefix_space === false
    ? "never"
    : setting(own, "prepend_scheme", "always", ["always", "first", "never"]);

const cutters: Rows<Cutter> = {
  Sequence: inOrder(() => cutters, "pre-tokenizer", "pretokenizers"),
  ByteLevel: (own) => {
    const prefix = setting(own, "add_prefix_space", true);
    const words = setting(own, "use_regex", true) ? regular(WORDS) : undefined;
    return cut(({ text }) => {
      const whole = prefix && !text.startsWith(" ") ? ` ${text}` : text;
      return (words === undefined ? [whole] : behaviours.Isolated!(pieces(whole, words))).map(inBytes);
    });
  },
  Metaspace: (own) => {
    const mark = markOf(own);
    const when = scheme(own);
    const parts = new RegExp(escaped(mark), "gu");
    const split = setting(own, "split", true);
    return cut(({ text, first }) => {
      const marked = text.replaceAll(" ", mark);
      const before = (when === "always" || (when === "first" && first)) && !marked.startsWith(mark) ? mark : "";
      return split ? behaviours.MergedWithNext!(pieces(before + marked, parts)) : [before + marked];
    });
  },
  Split: (own) => splitter(own, patternOf(own), "Isolated"),
  Digits: (own) => splitter(own, setting(own, "individual_digits", false) ? /\p{N}/gu : /\p{N}+/gu, "Isolated"),
  Punctuation: (own) => splitter(own, /[!-/:-@[-`{-~\p{P}]/gu, "Isolated"),
  WhitespaceSplit: (own) => splitter(own, regular(String.raw`\s+`), "Removed"),
};

export const cutterOf = (value: unknown): Cutter | undefined =>
  stepOf(cutters, "pre-tokenizer", "pre_tokenizer", value);

const BYTE = /^<0x([0-9A-Fa-f]{2})>$/;

const decoders: Rows<Decoder> = {
  Sequence: inOrder(() => decoders, "decoder", "decoders"),
  ByteLevel: () => (all) => {
    const bytes: number[] = [];
    for (const piece of all) {
      const own = Array.from(piece, (character) => byteOf.get(character));
      // A piece that is no bytes stands for itself: it was added.
      for (const byte of own.includes(undefined) ? new TextEncoder().encode(piece) : own) bytes.push(byte as number);
    }
    return [new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes))];
  },
  ByteFallback: () => (all) => {
    const parts: string[] = [];
    let bytes: number[] = [];
    const end = (): void => {
      if (bytes.length > 0) parts.push(new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes)));
      bytes = [];
    };
    for (const piece of all) {
      const byte = BYTE.exec(piece)?.[1];
      if (byte !== undefined) bytes.push(Number.parseInt(byte, 16));
      else {
        end();
        parts.push(piece);
      }
    }
    end();
    return parts;
  },
  Fuse: () => (all) => [all.join("")],
  Replace: (own) => {
    const pattern = patternOf(own);
    const content = setting(own, "content", "");
    return (all) => all.map((piece) => piece.replace(pattern, () => content));
  },
  Strip: (own) => {
    const content = setting(own, "content", " ");
    const [start, stop] = [setting(own, "start", 0), setting(own, "stop", 0)];
    return (all) =>
      all.map((piece) => {
        let [begin, end] = [0, piece.length];
        for (let i = 0; i < start && piece.startsWith(content, begin); i++) begin += content.length;
        for (let i = 0; i < stop && piece.endsWith(content) && end > begin; i++) end -= content.length;
        return piece.slice(begin, end);
      });
  },
  Metaspace: (own) => {
    const mark = markOf(own);
    const when = scheme(own);
    return (all) =>
      all.map((piece, i) =>
        (i === 0 && when !== "never" && piece.startsWith(mark) ? piece.slice(mark.length) : piece).replaceAll(
          mark,
          " ",
        ),
      );
  },
};

export const decoderOf = (value: unknown): Decoder | undefined => stepOf(decoders, "decoder", "decoder", value);
