// The command line of `npm run ops`.

import { prepareFile, readWords } from "../../demo/command-line.ts";

export const help = `npm run ops -- [options]
Walks every op: its shape rule, its kernel on the GPU in all the texts that its cases ask for, twice and with equal bits,
against its twin in f64, and its gradient against finite differences.

  --only WORD   ops whose name has WORD in it (default: all)
  --json FILE   writes the table to FILE as well
  --help        this text

Ends with 1 where an op is wrong, or where something of it is missing.
GRADUS_BROWSER names the browser to use.`;

export interface Options {
  readonly only: string;
  readonly json: string | undefined;
  readonly help: boolean;
}

/** Throws an error of one line where an option is unknown or has no valid value. */
export function options(words: readonly string[] = process.argv.slice(2)): Options {
  const { given, set } = readWords(words, { names: ["only", "json"], flags: ["help"] });
  const { only = "", json } = given;
  if (json !== undefined && !set.has("help")) prepareFile("--json", json);
  return { only, json, help: set.has("help") };
}
