// Characters as tokens: code points, in the order of a vocabulary.

import { OptionError } from "../index.ts";
import { type Tokenizer, tokenizerOf, type Unknown } from "./tokenizer.ts";

/** Options of `characters`. */
export interface CharactersOptions {
  /** What is done with a character that the vocabulary has not: it is refused, or left out. Default "refuse". */
  readonly unknown?: "refuse" | "drop";
}

/**
 * A token for each character: of a text, whose characters are sorted; of a list, in its order; or of a record of character and token, as
 * vocab.json of ml5 and char-rnn. A character is a code point, so that none is cut in two. With `unknown: "drop"` decode(encode(text)) lacks
 * what the vocabulary lacks. Throws OptionError for what is no vocabulary: an entry of none or several characters, one that stands
 * twice, tokens with gaps.
 *
 * @example characters(book).encode("Call me Ishmael.")
 */
export function characters(
  source: string | readonly string[] | { readonly [character: string]: number },
  options: CharactersOptions = {},
): Tokenizer {
  const place = "characters";
  const { unknown = "refuse", ...odd } = Object(options) as CharactersOptions;
  const [stray] = Object.keys(odd);
  if (stray !== undefined) throw new OptionError(`${place}: it has no "${stray}". It may have unknown.`);
  if (!["refuse", "drop"].includes(unknown))
    throw new OptionError(`${place}: unknown is ${JSON.stringify(unknown)}, it must be "refuse" or "drop".`);
  const vocabulary = checked(
    place,
    typeof source === "string" ? [...new Set(source)].sort() : Array.isArray(source) ? source : ordered(place, source),
  );
  const tokenOf = new Map(vocabulary.map((character, token) => [character, token]));
  return tokenizerOf({
    place,
    vocabulary,
    added: [],
    write(text, _, tokens) {
      for (const character of text) {
        const token = tokenOf.get(character);
        if (token !== undefined) tokens.push(token);
        else if (unknown === "refuse") throw { unknown: character } satisfies Unknown;
      }
    },
    read: (tokens, names) => tokens.map((token) => names.get(token) ?? vocabulary[token]).join(""),
  });
}

function ordered(place: string, source: unknown): string[] {
  if (typeof source !== "object" || source === null)
    throw new OptionError(`${place}: it was given ${String(source)}. Give a text, a list of characters, or a record.`);
  const entries = Object.entries(source as Readonly<Record<string, unknown>>);
  const found = new Array<string | undefined>(entries.length).fill(undefined);
  for (const [character, token] of entries) {
    const at = token as number;
    if (!Number.isInteger(at) || at < 0 || at >= entries.length || found[at] !== undefined) {
      throw new OptionError(
        `${place}: ${JSON.stringify(character)} has the token ${JSON.stringify(token)}, ${entries.length} characters need the tokens 0 to ${entries.length - 1}, each once.`,
      );
    }
    found[at] = character;
  }
  return found as string[];
}

function checked(place: string, given: readonly unknown[]): readonly string[] {
  if (given.length === 0) throw new OptionError(`${place}: there are no characters. Give a text that has some.`);
  const seen = new Set<unknown>();
  for (const [token, entry] of given.entries()) {
    const count = typeof entry === "string" ? [...entry].length : 0;
    if (count !== 1 || /[\ud800-\udfff]/u.test(entry as string)) {
      throw new OptionError(
        `${place}: entry ${token} is ${JSON.stringify(entry)}, ${count} characters, each must be one. Correct the vocabulary, or add longer texts by extend().`,
      );
    }
    if (seen.has(entry)) throw new OptionError(`${place}: ${JSON.stringify(entry)} stands twice, again at ${token}.`);
    seen.add(entry);
  }
  return [...(given as readonly string[])];
}
