// The study of rates: compares ways to give layers their learning rates, in a headless browser, and writes what came out.
// Ctrl-C stops after the training under way and keeps what is finished; a second one quits at once.

import { readFileSync, writeFileSync } from "node:fs";
import { openTerminal } from "../train/terminal.ts";
import { help, type Options, options } from "./options.ts";
import { plot } from "./plot.ts";
import { createProgress } from "./progress.ts";
import { jsonOf, markdown } from "./report.ts";
import { type Results, study } from "./study.ts";

const terminal = openTerminal(process.stderr);

/** Set by the first Ctrl-C; while nothing is trained, and at the second time, it ends all. */
let interrupt: () => void = quit;

function quit(): never {
  terminal.settle({ keep: true });
  process.exit(130);
}

function fail(error: unknown, exitCode: number): never {
  terminal.settle({ keep: true });
  const text = (error as Error).message.replace(/^page\.evaluate: (?:\w*Error: )?/, "").replace(/\n.*/s, "");
  console.error(`study: ${text}`);
  process.exit(exitCode);
}

/** All that there is, in files: the results, and where something has run, table and plots. */
function save(results: Results, json: string): string[] {
  writeFileSync(json, jsonOf(results));
  return [json, ...(results.runs.length === 0 ? [] : draw(results, json))];
}

/** Table and plots beside the JSON. */
function draw(results: Results, json: string): string[] {
  const [table, image] = [json.replace(/\.json$/, ".md"), json.replace(/\.json$/, ".svg")];
  writeFileSync(table, markdown(results));
  writeFileSync(image, plot(results));
  return [table, image];
}

async function run({ tasks, budget, seeds, json }: Options): Promise<void> {
  const { withPage } = await import("../session.ts"); // Vite and Playwright: not for --help
  const results = await withPage("study", async (page, { name, software }) => {
    terminal.print(`Adapter ${name}${software ? ": a software adapter, a CPU does the work of a GPU." : ""}`);
    await page.waitForFunction(() => globalThis.tune !== undefined);
    let stopped = false;
    interrupt = () => {
      interrupt = quit;
      stopped = true;
      terminal.print("Stopping after the training under way. Ctrl-C again quits at once.");
    };
    return study({
      ...{ adapter: name, tasks, budget, seeds },
      bench: {
        pretrain: (...words) => page.evaluate((given) => globalThis.pretrain(...given), words),
        untuned: (request) => page.evaluate((given) => globalThis.untuned(given), request),
        tune: (request) => page.evaluate((given) => globalThis.tune(given), request),
      },
      onProgress: createProgress(terminal),
      onTask: (results) => save(results, json), // what is finished must not hang on the rest
      stopping: () => stopped,
    });
  });
  terminal.settle({ keep: false });
  if (!results.complete) process.exitCode = 130;
  if (!results.complete) terminal.print(`Stopped with ${results.runs.length} runs finished.`);
  terminal.print(`Wrote ${save(results, json).join(", ")}`);
  if (results.runs.length > 0) console.log(markdown(results));
}

let chosen: Options;
try {
  chosen = options();
} catch (error) {
  fail(error, 2);
}
process.on("SIGINT", () => interrupt());
if (chosen.help) console.log(help);
else if (chosen.redraw !== undefined) {
  const { redraw } = chosen;
  try {
    terminal.print(`Wrote ${draw(JSON.parse(readFileSync(redraw, "utf8")), redraw).join(", ")}`);
  } catch (error) {
    fail(error, 2);
  }
} else await run(chosen).catch((error) => fail(error, 1));
