// The text of the tasks about characters: Moby-Dick, the first nine tenths to train on and the rest to test with, as numbers of characters.

import type { Samples } from "../src/index.ts";
import { characters } from "../src/text/index.ts";

export interface Corpus {
  /** All characters of the text, in order; a token is a place in it. */
  readonly vocabulary: readonly string[];
  /** Tokens, at most 256 different ones. */
  readonly train: Uint8Array;
  readonly heldOut: Uint8Array;
}

const TRAINED_ON = 0.9;

/** How the text is read: from the server of the page, unless a runtime without one sets another way. */
let read = async (): Promise<string> => {
  const response = await fetch("/text/moby-dick.txt");
  if (!response.ok) throw new Error(`/text/moby-dick.txt: the server answers ${response.status}. Run npm install.`);
  return response.text();
};

export function readTextWith(reader: typeof read): void {
  read = reader;
}

export const loadCorpus = async (): Promise<Corpus> => corpusOf(await read());

/** Throws where a text has more than 256 different characters. */
export function corpusOf(text: string): Corpus {
  const { size, vocabulary, encode } = characters(text);
  if (size > 256) throw new Error(`The text has ${size} different characters, at most 256 fit.`);
  const tokens = Uint8Array.from(encode(text));
  const cut = Math.floor(TRAINED_ON * tokens.length);
  return { vocabulary, train: tokens.subarray(0, cut), heldOut: tokens.subarray(cut) };
}

/** Pieces of `length` tokens one after the other, at most `count`, each with the token that follows at each place. */
export function pieces(
  tokens: Uint8Array,
  length: number,
  count = Number.POSITIVE_INFINITY,
): Samples & { readonly count: number } {
  const found = Math.min(count, Math.floor((tokens.length - 1) / length));
  return { x: tokens.subarray(0, found * length), y: tokens.subarray(1, found * length + 1), count: found };
}
