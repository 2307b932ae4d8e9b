// What the commands of studies have in common: a line of progress, errors of one line, Ctrl-C, which ends after the training under way
// and at once the second time, and a table and curves beside the JSON.

import { writeFileSync } from "node:fs";
import { openTerminal } from "../../src/callbacks/terminal.ts";
import type { Adapter } from "../adapter.ts";

export const terminal = openTerminal(process.stderr);

/** Set by the first Ctrl-C; while nothing is trained, and at the second time, it ends all. */
let interrupt: () => void = quit;

function quit(): never {
  terminal.settle({ keep: true });
  process.exit(130);
}

export function fail(error: unknown, exitCode: number): never {
  terminal.settle({ keep: true });
  const text = (error as Error).message.replace(/^page\.evaluate: (?:\w*Error: )?/, "").replace(/\n.*/s, "");
  console.error(`study: ${text}`);
  process.exit(exitCode);
}

/** Says what is trained on. From now on Ctrl-C asks to stop, and what comes back tells whether it did. */
export function begin({ name, software }: Adapter): () => boolean {
  terminal.print(`Adapter ${name}${software ? ": a software adapter, a CPU does the work of a GPU." : ""}`);
  let stopped = false;
  interrupt = () => {
    interrupt = quit;
    stopped = true;
    terminal.print("Stopping after the training under way. Ctrl-C again quits at once.");
  };
  return () => stopped;
}

/** Writes the table, which may name the picture, and the picture, if there is one, beside a JSON file; their paths. */
export function drawn(json: string, table: (image: string) => string, picture: string | undefined): string[] {
  const [tablePath, image] = [json.replace(/\.json$/, ".md"), json.replace(/\.json$/, ".svg")];
  writeFileSync(tablePath, table(image));
  if (picture === undefined) return [tablePath];
  writeFileSync(image, picture);
  return [tablePath, image];
}

interface Command<Options> {
  readonly options: () => Options & { readonly help: boolean; readonly redraw?: string | undefined };
  readonly help: string;
  /** Draws what a file holds. */
  readonly redraw: (file: string) => readonly string[];
  readonly run: (chosen: Options) => Promise<void>;
}

/** Reads the words and does what they ask for. */
export async function runStudy<Options>({ options, help, redraw, run }: Command<Options>): Promise<void> {
  let chosen: ReturnType<typeof options>;
  try {
    chosen = options();
  } catch (error) {
    fail(error, 2);
  }
  process.on("SIGINT", () => interrupt());
  if (chosen.help) console.log(help);
  else if (chosen.redraw !== undefined) {
    try {
      terminal.print(`Wrote ${redraw(chosen.redraw).join(", ")}`);
    } catch (error) {
      fail(error, 2);
    }
  } else await run(chosen).catch((error) => fail(error, 1));
}
