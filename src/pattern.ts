// Patterns for layers and tensors: paths in which `*` stands for anything within a part and `**` for anything at all. A
// pattern also matches everything below what it names: `stem` matches `stem.0.weight`.

import { didYouMean, listed, NameError, OptionError } from "./errors.ts";

/** The names that a pattern matches. Throws NameError where there are none: a typing error must not pass in silence. */
export function matching(place: string, pattern: string, names: readonly string[], shown: readonly string[]): string[] {
  const test = compile(place, pattern);
  const found = names.filter((name) => test.test(name));
  if (found.length > 0) return found;
  throw new NameError(
    `${place}: "${pattern}" matches no layer.${didYouMean(pattern, prefixes(names))} Layers: ${listed(shown)}.`,
  );
}

function compile(place: string, pattern: string): RegExp {
  if (typeof pattern !== "string" || !/^[A-Za-z0-9_.*-]+$/.test(pattern)) {
    throw new OptionError(
      `${place}: "${pattern}" is no pattern. Use a path such as "head", "blocks.*.norm" or "**.bias".`,
    );
  }
  const body = pattern.replace(/\./g, "\\.").replace(/\*\*|\*/g, (stars) => (stars === "**" ? ".*" : "[^.]*"));
  return new RegExp(`^${body}(?:\\..*)?$`);
}

/** All paths that lead to the given ones, so that a suggestion can name a group. */
function prefixes(paths: readonly string[]): string[] {
  const all = paths.flatMap((path) => path.split(".").map((_, i, parts) => parts.slice(0, i + 1).join(".")));
  return [...new Set(all)];
}
