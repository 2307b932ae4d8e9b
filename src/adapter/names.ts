// Names of layers by pattern, as everywhere in Gradus: `*` stands for anything within a part of a path, `**` for anything at all, and a
// pattern names what lies below too. And the checks of options that all adapters share.

import { OptionError } from "../index.ts";

/** Whether a path is named by one of the patterns. */
export function chosen(place: string, layers: unknown): (path: string) => boolean {
  const patterns = (Array.isArray(layers) ? layers : [layers]) as readonly unknown[];
  if (patterns.length === 0)
    throw new OptionError(`${place}: layers is an empty list. Write { layers: "**" } for all.`);
  const tests = patterns.map((pattern) => {
    if (typeof pattern !== "string" || !/^[A-Za-z0-9_.*-]+$/.test(pattern))
      throw new OptionError(
        `${place}: layers: ${JSON.stringify(pattern)} is no pattern. Write for example "**.attention.*".`,
      );
    const body = pattern.replace(/(?<![^.])\*\*\.|\*\*|\*|\./g, (found) => pieces[found] as string);
    return new RegExp(`^${body}(?:\\..*)?$`);
  });
  return (path) => tests.some((test) => test.test(path));
}

const pieces: Readonly<Record<string, string>> = { "**.": "(?:.*\\.)?", "**": ".*", "*": "[^.]*", ".": "\\." };

/** Refuses what is no record, and what has other keys. */
export function checkKeys(place: string, options: unknown, keys: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new OptionError(`${place}: its options are ${JSON.stringify(options)}, they must be an object.`);
  const odd = Object.keys(options).find((key) => !keys.includes(key));
  if (odd !== undefined) throw new OptionError(`${place}: it has no "${odd}". It may have ${keys.join(", ")}.`);
}

export function checkWhole(place: string, name: string, value: unknown): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return;
  throw new OptionError(`${place}: ${name} is ${JSON.stringify(value)}, it must be a whole number of at least 1.`);
}
