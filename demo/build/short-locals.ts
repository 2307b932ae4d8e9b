// Names of one letter for the values of a function in a shader's text: each function has its own, so that all take the same few, which
// gzip finds again. What any text declares outside of functions keeps its name, and in a function with a hole so does a word of
// TypeScript. No value is called like a buffer, for whoever joins texts tells a buffer by its name.

import { matches, WORDS } from "./short-names.ts";

/** From the line that begins with `fn` to the one that begins with the last brace, or ends with it where that is the same. */
const FUNCTION = /^fn [^\n]*(?:\}$|(?:\n(?!\}|fn\b)[^\n]*)*\n\}$)/gm;
const OF_FUNCTION = /\b(?:let|const|var)\s+(\w+)|[(,]\s*(?:@builtin\(\w+\)\s*)?(\w+)\s*:/g;
const OF_TEXT = /\b(?:fn|override|const|alias|struct|var<[^>]*>)\s*(\w+)/g;
const BUFFER = /\bvar<(?:storage|uniform)[^>]*>\s*(\w+)/g;
/** A hole that is no condition. */
const HOLE = /(?<!^#(?:if|elif) )\$\{/m;
const LETTERS = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"];

/** Gives a text without comments and with short names for values, where all `texts` may be joined. `elsewhere` are words that may fill holes. */
export function shortLocals(texts: readonly string[], elsewhere: ReadonlySet<string>): (text: string) => string {
  const plain = (text: string): string => text.replace(/ *\/\/.*/g, "");
  const outside = new Set(
    texts.flatMap((text) =>
      matches(
        plain(text).replace(FUNCTION, (body) => `${body.split("(")[0]}`),
        OF_TEXT,
      ),
    ),
  );
  const buffers = new Set(texts.flatMap((text) => matches(plain(text), BUFFER)));
  return (text) => {
    const code = plain(text);
    if (code.match(/\bfn\b/g)?.length !== code.match(FUNCTION)?.length)
      throw new Error(`Where does a function end in ${code}?`);
    return code.replace(FUNCTION, (body) => {
      const filling = HOLE.test(body) ? elsewhere : new Set<string>();
      const kept = new Set([...outside, ...filling, ...matches(body, /\b(\w+)\(/g)]);
      const own = [...new Set(matches(body, OF_FUNCTION))].filter((name) => !kept.has(name));
      const taken = new Set([
        ...buffers,
        ...filling,
        ...(body.match(WORDS) ?? []).filter((word) => !own.includes(word)),
      ]);
      const free = LETTERS.filter((letter) => !taken.has(letter));
      const names = new Map(own.slice(0, free.length).map((name, i) => [name, free[i] as string]));
      return body.replace(WORDS, (word) => names.get(word) ?? word);
    });
  };
}
