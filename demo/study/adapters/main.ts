// npm run study -- --adapters: few weights that train, or adapters beside those of others, against all of them. Ctrl-C stops after the
// training under way; the same command goes on from the file of results. A second one quits at once.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dataFile } from "../../data.ts";
import { openTerminal } from "../../train/terminal.ts";
import { createProgress } from "../progress.ts";
import { jsonOf } from "../report.ts";
import { help, type Options, options } from "./options.ts";
import { withBench } from "./place.ts";
import { filesOf } from "./plan.ts";
import { plot } from "./plot.ts";
import { markdown } from "./report.ts";
import { begun, isComplete, type Results, study, whyOther } from "./study.ts";

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

/** Table and curves beside the JSON. */
function draw(results: Results, json: string): string[] {
  const [table, image] = [json.replace(/\.json$/, ".md"), json.replace(/\.json$/, ".svg")];
  writeFileSync(table, markdown(results, image));
  writeFileSync(image, plot(results));
  return [table, image];
}

/** What a file holds already, or a beginning. */
function resultsOf({ json, budget, seeds }: Options, adapter: string): Results {
  const now = begun(adapter, budget, seeds);
  if (!existsSync(json)) return now;
  const before: Results = JSON.parse(readFileSync(json, "utf8"));
  const why = whyOther(before, now);
  if (why !== undefined) throw new Error(`--json: ${json} holds a study, but ${why}. Give another file, or remove it.`);
  return { ...before, seeds };
}

async function run(chosen: Options): Promise<void> {
  const { json, runtime, budget } = chosen;
  await withBench(runtime, async (bench, { name, software }) => {
    terminal.print(`Adapter ${name}${software ? ": a software adapter, a CPU does the work of a GPU." : ""}`);
    const results = resultsOf(chosen, name);
    let stopped = false;
    interrupt = () => {
      interrupt = quit;
      stopped = true;
      terminal.print("Stopping after the training under way. Ctrl-C again quits at once.");
    };
    for (const task of budget.tasks) {
      const files = await Promise.all(filesOf[task.name].map(async (path) => [path, await dataFile(path)] as const));
      await bench.open(task.name, Object.fromEntries(files));
    }
    const onRun = (results: Results): void => writeFileSync(json, jsonOf(results));
    await study({ results, bench, onProgress: createProgress(terminal), onRun, stopping: () => stopped });
    onRun(results);
    terminal.settle({ keep: false });
    if (!isComplete(results)) {
      process.exitCode = 130;
      terminal.print(`Stopped with ${results.runs.length} runs finished. The same command goes on.`);
    }
    if (results.runs.length === 0) return;
    terminal.print(`Wrote ${[json, ...draw(results, json)].join(", ")}`);
    console.log(markdown(results, json.replace(/\.json$/, ".svg")));
  });
}

let chosen: Options;
try {
  chosen = options(process.argv.slice(2));
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
