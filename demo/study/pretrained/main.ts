// npm run study -- --pretrained: ways to set the rates of layers on networks that others trained. Ctrl-C stops after the training under way; the
// same command goes on from the file of results. A second one quits at once.

import { readFileSync, writeFileSync } from "node:fs";
import { dataFile } from "../../data.ts";
import { begunIn } from "../begun.ts";
import { begin, drawn, runStudy, terminal } from "../command.ts";
import { withCalls } from "../place.ts";
import { createProgress } from "../progress.ts";
import { jsonOf } from "../report.ts";
import { help, type Options, options } from "./options.ts";
import { filesOf } from "./plan.ts";
import { plot } from "./plot.ts";
import { markdown } from "./report.ts";
import { begun, isComplete, type Results, study } from "./study.ts";

/** Tables beside the JSON, and once more than rates was tried a plot. */
const draw = (results: Results, json: string): string[] =>
  drawn(json, (image) => markdown(results, image), results.runs.length > 0 ? plot(results) : undefined);

async function run(chosen: Options): Promise<void> {
  const { json, seeds, runtime, tasks } = chosen;
  await withCalls(runtime, { folder: "study/pretrained", ready: "tunePretrained" }, async (call, on) => {
    const results = { ...begunIn(json, begun(on.name, chosen.budget, seeds)), seeds };
    const stopping = begin(on);
    const onRun = (results: Results): void => writeFileSync(json, jsonOf(results));
    await study({
      ...{ results, tasks, onRun, stopping },
      bench: {
        async open(task) {
          const paths = filesOf[task.name];
          const files = await Promise.all(paths.map(async (path) => [path, await dataFile(path)] as const));
          return call("openPretrained", task, Object.fromEntries(files));
        },
        tune: (request) => call("tunePretrained", request),
      },
      onProgress: createProgress(terminal),
    });
    onRun(results);
    terminal.settle({ keep: false });
    if (!isComplete(results, tasks)) {
      process.exitCode = 130;
      terminal.print(
        `Stopped with ${results.sweeps.length} tries and ${results.runs.length} runs finished. The same command goes on.`,
      );
    }
    if (results.sweeps.length === 0) return;
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
