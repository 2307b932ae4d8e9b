// Shorter names for what shader texts declare for themselves: functions, constants, types and values of a function. One name means
// the same in all texts, since they are joined; whoever else may know a name, a word of TypeScript, a binding, a hole or a member,
// keeps it, and so does whatever may stand for something of WGSL itself.

const DECLARED = /\b(?:fn|let|const|alias|struct|var(?:<(?:private|workgroup)>)?)\s+(\w+)|[(,]\s*(\w+)\s*:/g;
/** What a pipeline or a bind group calls by name, what belongs to a type, and what is a part of a longer name. */
const KEPT = /\boverride\s+(\w+)|\bvar<(?:storage|uniform)[^>]*>\s*(\w+)|[.@](\w+)|(\w+)(?=\$)|\}(\w+)/g;
/** Words; members, attributes, and whatever a hole is a part of, which are none, so that they stay. */
export const WORDS = /\w*\$\{\w*\}\w*|[.@]?\b[A-Za-z_]\w*/g;

/** What the groups of a pattern hold wherever it is found. */
export const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].flatMap((found) => found.slice(1)).filter((name) => name !== undefined);

/** New names by old ones. `elsewhere` are words that other texts have, whose names must stay. */
export function shortNames(texts: readonly string[], elsewhere: ReadonlySet<string>): ReadonlyMap<string, string> {
  const all = texts.map((text) => text.replace(/\/\/.*/g, "")).join("\n");
  const functions = new Set(matches(all, /\bfn (\w+)/g));
  const calls = matches(all, /\b(\w+)\(/g).filter((name) => !functions.has(name));
  const kept = new Set(["main", ...matches(all, KEPT), ...calls, ...elsewhere]);
  const words = new Set([...kept, ...matches(all, /\b(\w+)/g)]);
  const free = [..."abcdefghijklmnopqrstuvwxyz"]
    .flatMap((letter) => [..."0123456789"].map((digit) => letter + digit))
    .filter((name) => !words.has(name));
  const names = [...new Set(matches(all, DECLARED))].filter((name) => name.length > 2 && !kept.has(name));
  if (names.length > free.length) throw new Error(`Shaders: ${names.length} names, and ${free.length} short ones.`);
  return new Map(names.map((name, i) => [name, free[i] as string]));
}

/** A text with other names. */
export const renamed = (text: string, names: ReadonlyMap<string, string>): string =>
  text.replace(WORDS, (word) => names.get(word) ?? word);
