// The command line of the tests in other runtimes.

import { readWords } from "../../demo/command-line.ts";

export const runtimes = ["chromium", "firefox", "deno", "node"] as const;
export type Runtime = (typeof runtimes)[number];

export const help = `npm run test:deno | test:node | test:firefox -- [options] [filter ...]
Runs test/gpu and test/stories in another runtime: the same files, as one bundle; the cases of ops by their files in test/gpu/case.

  filter         run files whose path holds one of these texts (default: all files)
  --short        run a choice of files that takes a minute or two
  --losses       run no test, only what --json says of losses
  --json FILE    write what ran, what failed, and the losses of the golden runs to FILE
  --script FILE  run a script that --bundle made, in Deno or Node
  --bundle DIR   make the script and a command for a machine without packages, and end: node DIR/test-runtime-main.mjs node --script DIR/test-runtime-process.mjs
  --help         this text

The last line says how many passed and how many failed. Ctrl-C stops. What is missing is installed by apt-get where that may
be done. GRADUS_ADAPTER=software skips the search for a GPU; GRADUS_FIREFOX and GRADUS_BROWSER name the browsers to use.`;

export interface Options {
  readonly runtime: Runtime;
  readonly filters: readonly string[];
  readonly short: boolean;
  readonly lossesAlone: boolean;
  readonly json: string | undefined;
  readonly script: string | undefined;
  readonly bundle: string | undefined;
  readonly help: boolean;
}

/** Files that together touch every room: kernels, all update rules in one story, PyTorch's trajectories, errors. */
const SHORT = [
  "case/conv2d",
  "case/matmul",
  "case/loss",
  "gpu/norm",
  "stories/golden",
  "stories/errors",
  "stories/lifecycle",
];

/** Throws an error of one line where a word is none of the options. */
export function options(words: readonly string[] = process.argv.slice(2)): Options {
  const [first = "", ...rest] = words;
  const runtime = runtimes.find((name) => name === first);
  if (runtime === undefined) throw new Error(`"${first}" is no runtime: give ${runtimes.join(", ")}.`);
  const filters: string[] = [];
  while (rest.length > 0 && !rest[0]?.startsWith("-")) filters.push(rest.shift() as string);
  while (rest.length > 0 && !rest.at(-1)?.startsWith("-") && !takesValue(rest.at(-2)))
    filters.push(rest.pop() as string);
  const { given, set } = readWords(rest, { names: ["json", "script", "bundle"], flags: ["short", "losses", "help"] });
  const { json, script, bundle } = given;
  if (script !== undefined && (runtime === "chromium" || runtime === "firefox")) {
    throw new Error("--script: it is for Deno and Node, browsers take another one.");
  }
  return {
    runtime,
    filters,
    short: set.has("short"),
    lossesAlone: set.has("losses"),
    json,
    script,
    bundle,
    help: set.has("help"),
  };
}

const takesValue = (word: string | undefined): boolean => ["--json", "--script", "--bundle"].includes(word ?? "");

/** The files that were asked for. Throws where a filter finds none. */
export function chooseFiles(
  all: readonly string[],
  { filters, short, lossesAlone }: Pick<Options, "filters" | "short" | "lossesAlone">,
): readonly string[] {
  if (lossesAlone) return [];
  for (const filter of filters) {
    if (!all.some((file) => file.includes(filter)))
      throw new Error(`no file of test/gpu or test/stories holds "${filter}".`);
  }
  const chosen = filters.length > 0 ? all.filter((file) => filters.some((filter) => file.includes(filter))) : all;
  return short ? chosen.filter((file) => SHORT.some((text) => file.includes(text))) : chosen;
}
