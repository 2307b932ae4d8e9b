// tokenizer.bin of llama2.c: the pieces of a SentencePiece model with their scores. int32 length of the longest piece, then for each
// token f32 score, int32 length and bytes, little-endian. The first three tokens are <unk>, <s> and </s>, the next 256 the bytes.

import { CheckpointError, DataError } from "../index.ts";
import { bytePairs, type Merge, pairKey } from "./byte-pairs.ts";
import { type Tokenizer, tokenizerOf } from "./tokenizer.ts";

const PLACE = "fromTokenizerBin";
const SPECIAL = ["<unk>", "<s>", "</s>"] as const;

/**
 * The tokenizer of a tokenizer.bin. A text gets a space before it, as Llama's has, which `decode` takes away again; a character that is
 * no piece becomes its bytes in UTF-8. `encode` with `special` begins with BOS, `<s>`. Throws CheckpointError, with the place in the file,
 * where it is damaged.
 *
 * @example fromTokenizerBin(await (await fetch("tok512.bin")).arrayBuffer()).encode("Once upon a time", { special: true })
 */
export function fromTokenizerBin(bytes: Uint8Array | ArrayBuffer): Tokenizer {
  const pieces = read(bytes);
  const byteTokens = Array.from({ length: 256 }, (_, byte) => {
    const token = SPECIAL.length + byte;
    const name = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
    if (pieces[token]?.text === name) return token;
    throw new CheckpointError(
      `${PLACE}: token ${token} is ${pieces[token] === undefined ? "not there" : JSON.stringify(pieces[token].text)}, llama2.c has the byte ${name} there. The file has ${pieces.length} tokens, it needs ${SPECIAL.length + 256} at least; use a file that llama2.c wrote.`,
    );
  });
  const own = SPECIAL.length + 256;
  const tokens = new Map<string, number>();
  for (const [i, { text }] of pieces.slice(own).entries()) if (!tokens.has(text)) tokens.set(text, own + i);
  const encodeWith = bytePairs({
    tokens,
    merges: mergesOf(pieces, tokens),
    otherwise: (symbol) => Array.from(new TextEncoder().encode(symbol), (byte) => byteTokens[byte] as number),
  });
  const stored = pieces.map(({ text }, token) =>
    token >= SPECIAL.length && token < own ? Uint8Array.of(token - SPECIAL.length) : new TextEncoder().encode(text),
  );
  return tokenizerOf({
    place: PLACE,
    vocabulary: pieces.map(({ text }, token) => SPECIAL[token] ?? text),
    added: [],
    special: new Map(SPECIAL.map((name, token) => [name, token])),
    begin: [1],
    write: (text, first, out) => encodeWith(first ? ` ${text}` : text, out),
    read(given, names) {
      const parts = given.map((token) => {
        const name = names.get(token);
        return name === undefined ? (stored[token] as Uint8Array) : new TextEncoder().encode(name);
      });
      const first = given[0] === 1 ? 1 : 0;
      const begin = parts[first];
      if (begin?.[0] === 0x20 && !names.has(given[first] as number)) parts[first] = begin.subarray(1);
      return textOf(parts);
    },
  });
}

interface Piece {
  readonly text: string;
  readonly score: number;
}

/** Pairs of pieces that make a piece, the highest score first. */
function mergesOf(pieces: readonly Piece[], tokens: ReadonlyMap<string, number>): ReadonlyMap<number, Merge> {
  const merges = new Map<number, Merge>();
  for (const [text, token] of tokens) {
    const symbols = [...text];
    for (let cut = 1; cut < symbols.length; cut++) {
      const left = tokens.get(symbols.slice(0, cut).join(""));
      const right = tokens.get(symbols.slice(cut).join(""));
      if (left === undefined || right === undefined) continue;
      merges.set(pairKey(left, right), { rank: -(pieces[token] as Piece).score, token });
    }
  }
  return merges;
}

function read(given: Uint8Array | ArrayBuffer): readonly Piece[] {
  if (!(given instanceof Uint8Array || given instanceof ArrayBuffer)) {
    throw new DataError(`${PLACE}: it was given ${Object.prototype.toString.call(given)}. Give the bytes of the file.`);
  }
  const bytes = given instanceof Uint8Array ? given : new Uint8Array(given);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (what: string): never => {
    throw new CheckpointError(`${PLACE}: ${what}. The file is damaged, or no tokenizer.bin of llama2.c.`);
  };
  if (bytes.length < 4) return fail(`it has ${bytes.length} bytes, its first number alone needs 4`);
  const longest = view.getInt32(0, true);
  const pieces: Piece[] = [];
  for (let at = 4; at < bytes.length; ) {
    const what = `token ${pieces.length} at byte ${at}`;
    if (at + 8 > bytes.length) return fail(`${what} needs 8 bytes for score and length, ${bytes.length - at} are left`);
    const score = view.getFloat32(at, true);
    const length = view.getInt32(at + 4, true);
    at += 8;
    if (!Number.isFinite(score)) return fail(`${what} has the score ${score}`);
    if (length < 0 || length > longest) return fail(`${what} has ${length} bytes, the longest has ${longest}`);
    if (at + length > bytes.length) return fail(`${what} has ${length} bytes, ${bytes.length - at} are left`);
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(at, at + length));
      pieces.push({ text, score });
    } catch {
      return fail(`${what} is no text in UTF-8`);
    }
    at += length;
  }
  return pieces;
}

/** Bytes one after the other as a text. */
export function textOf(parts: readonly Uint8Array[]): string {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(all);
}
