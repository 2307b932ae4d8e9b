// Patterns for layers and tensors: paths in which `*` stands for anything within a part and `**` for anything at all, or
// nothing: `**.bias` matches `bias`, and `a.**.bias` matches `a.bias`. A pattern also matches everything below what it
// names: `stem` matches `stem.0.weight`.

import { didYouMean, listed, NameError, OptionError } from "./errors.ts";
import { shown } from "./option.ts";

/** The names that a pattern matches. Throws NameError where there are none: a typing error must not pass in silence. */
export function matching(
  place: string,
  pattern: string,
  names: readonly string[],
  layers: readonly string[],
): string[] {
  const found = names.filter(tester(place, pattern));
  if (found.length > 0) return found;
  throw new NameError(
    `${place}: "${pattern}" matches no layer.${didYouMean(pattern, prefixes(names))} ${layers.includes("") ? `Tensors: ${listed(names)}` : `Layers: ${listed(layers)}`}.`,
  );
}

/** Refuses what is no pattern. */
export function checkPattern(place: string, pattern: unknown): void {
  if (typeof pattern === "string" && /^[A-Za-z0-9_.*-]+$/.test(pattern)) return;
  throw new OptionError(
    `${place}: ${shown(pattern)} is no pattern. Use a path such as "head", "blocks.*.norm" or "**.bias".`,
  );
}

/** A place with the pattern that was given there, `rates.set "head"`. Throws OptionError where it is none. */
export function placeOfPattern(place: string, pattern: unknown): string {
  checkPattern(place, pattern);
  return `${place} "${pattern as string}"`;
}

/** Whether a pattern matches a name. */
export function tester(place: string, pattern: string): (name: string) => boolean {
  const test = compile(place, pattern);
  return (name) => test.test(name);
}

/** The kind of an option that is a pattern. */
export const patternEntry = (place: string, _name: string, value: unknown): void => checkPattern(place, value);

function compile(place: string, pattern: string): RegExp {
  checkPattern(place, pattern);
  // As a part of its own `**` may stand for nothing, so that "**.bias" finds the "bias" of a bare layer.
  const body = pattern.replace(/(?<![^.])\*\*\.|\*\*|\*|\./g, (found) => pieces[found] as string);
  return new RegExp(`^${body}(?:\\..*)?$`);
}

const pieces: Readonly<Record<string, string>> = { "**.": "(?:.*\\.)?", "**": ".*", "*": "[^.]*", ".": "\\." };

/** All paths that lead to the given ones, so that a suggestion can name a group. */
function prefixes(paths: readonly string[]): string[] {
  const all = paths.flatMap((path) => path.split(".").map((_, i, parts) => parts.slice(0, i + 1).join(".")));
  return [...new Set(all)];
}
