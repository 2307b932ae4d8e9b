// The command line of `npm run site`: what can be asked for, and what is asked for now.

import { readWords, whole } from "../command-line.ts";

export const help = `npm run site -- [options]
Builds the pages as one folder of files with their data, for any server of files and any folder of it.

  --out FOLDER   where the pages go (default: out/site); what is there is replaced if it is such a site
  --serve        serve the folder on this machine until Ctrl-C
  --port N       of --serve (default: 8080; 0 is any free one)
  --help         this text`;

export interface Options {
  readonly out: string;
  readonly serve: boolean;
  readonly port: number;
  readonly help: boolean;
}

/** The options of this run; throws an error of one line where one is unknown or has no valid value. */
export function options(words: readonly string[] = process.argv.slice(2)): Options {
  const { given, set } = readWords(words, { names: ["out", "port"], flags: ["serve", "help"] });
  const { out = "out/site", port = "8080" } = given;
  if (given.port !== undefined && !set.has("serve")) throw new Error("--port: it is for --serve. See --help.");
  return { out, serve: set.has("serve"), port: whole("--port", port, 0, 65_535), help: set.has("help") };
}
