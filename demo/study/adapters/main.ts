// npm run study -- --adapters: few weights that train, or adapters beside those of others, against all of them. Ctrl-C stops after the
// training under way; the same command goes on from the file of results. A second one quits at once.

import { readFileSync, writeFileSync } from "node:fs";
import { dataFile } from "../../data.ts";
import { begunIn } from "../begun.ts";
import { begin, drawn, runStudy, terminal } from "../command.ts";
import { createProgress } from "../progress.ts";
import { jsonOf } from "../report.ts";
import { help, type Options, options } from "./options.ts";
import { withBench } from "./place.ts";
import { filesOf } from "./plan.ts";
import { plot } from "./plot.ts";
import { markdown } from "./report.ts";
import { begun, isComplete, type Results, study } from "./study.ts";

/** Table and curves beside the JSON. */
const draw = (results: Results, json: string): string[] =>
  drawn(json, (image) => markdown(results, image), plot(results));

async function run(chosen: Options): Promise<void> {
  const { json, seeds, runtime, budget } = chosen;
  await withBench(runtime, async (bench, on) => {
    const results = { ...begunIn(json, begun(on.name, budget, seeds)), seeds };
    const stopping = begin(on);
    for (const task of budget.tasks) {
      const files = await Promise.all(filesOf[task.name].map(async (path) => [path, await dataFile(path)] as const));
      await bench.open(task.name, Object.fromEntries(files));
    }
    const onRun = (results: Results): void => writeFileSync(json, jsonOf(results));
    await study({ results, bench, onProgress: createProgress(terminal), onRun, stopping });
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

await runStudy({
  options: () => options(process.argv.slice(2)),
  help,
  redraw: (file) => draw(JSON.parse(readFileSync(file, "utf8")), file),
  run,
});
