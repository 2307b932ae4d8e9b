// The words after a command: `--name value` and flags, with errors of one line in words of our own.

import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

/** Reads options with a value and flags. Throws where a word is none of them, or a value is missing. */
export function readWords<Name extends string, Flag extends string>(
  words: readonly string[],
  { names, flags }: { readonly names: readonly Name[]; readonly flags: readonly Flag[] },
): { readonly given: { readonly [name in Name]?: string }; readonly set: ReadonlySet<Flag> } {
  const { values, tokens, positionals } = parseArgs({
    args: [...words],
    options: {
      ...Object.fromEntries(names.map((name) => [name, { type: "string" as const }])),
      ...Object.fromEntries(flags.map((flag) => [flag, { type: "boolean" as const, short: flag.slice(0, 1) }])),
    },
    strict: false, // our own words for what is wrong
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { rawName, name, value } = token;
    const flag = flags.some((known) => known === name);
    if (flag && value === undefined) continue;
    if (flag) throw new Error(`${rawName} takes no value. See --help.`);
    if (!names.some((known) => known === name)) throw new Error(`there is no option ${rawName}. See --help.`);
    if (value === undefined || value === "") throw new Error(`${rawName}: its value is missing. See --help.`);
  }
  if (positionals.length > 0) throw new Error(`"${positionals[0]}" is no option. See --help.`);
  return {
    given: values as { [name in Name]?: string },
    set: new Set(flags.filter((flag) => values[flag] === true)),
  };
}

export function whole(option: string, given: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  throw new Error(`${option}: expected a whole number ${range}, not "${given}".`);
}

export function positive(option: string, given: string, most = Number.MAX_VALUE): number {
  const value = Number(given);
  if (value > 0 && value <= most) return value;
  const range = most === Number.MAX_VALUE ? "above 0" : `above 0 and at most ${most}`;
  throw new Error(`${option}: expected a number ${range}, not "${given}".`);
}

/** Minutes of training must not end at a file that cannot be written. */
export function prepareFile(option: string, path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing?.isDirectory()) throw new Error("it is a folder");
    accessSync(existing === undefined ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    throw new Error(`${option}: cannot write ${path} (${(error as Error).message}).`);
  }
}
