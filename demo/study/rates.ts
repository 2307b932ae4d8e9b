// The study of rates: compares ways to give layers their learning rates, in a headless browser, and writes what came out.
// Ctrl-C stops after the training under way and keeps what is finished; a second one quits at once.

import { readFileSync, writeFileSync } from "node:fs";
import { begin, drawn, runStudy, terminal } from "./command.ts";
import { help, type Options, options } from "./options.ts";
import { plot } from "./plot.ts";
import { createProgress } from "./progress.ts";
import { jsonOf, markdown } from "./report.ts";
import { type Results, study } from "./study.ts";

/** All that there is, in files: the results, and where something has run, table and plots. */
function save(results: Results, json: string): string[] {
  writeFileSync(json, jsonOf(results));
  return [json, ...(results.runs.length === 0 ? [] : draw(results, json))];
}

/** Table and plots beside the JSON. */
const draw = (results: Results, json: string): string[] => drawn(json, () => markdown(results), plot(results));

async function run({ tasks, budget, seeds, json }: Options): Promise<void> {
  const { withPage } = await import("../session.ts"); // Vite and Playwright: not for --help
  const results = await withPage("study", async (page, on) => {
    const stopping = begin(on);
    await page.waitForFunction(() => globalThis.tune !== undefined);
    return study({
      ...{ adapter: on.name, tasks, budget, seeds },
      bench: {
        pretrain: (...words) => page.evaluate((given) => globalThis.pretrain(...given), words),
        untuned: (request) => page.evaluate((given) => globalThis.untuned(given), request),
        tune: (request) => page.evaluate((given) => globalThis.tune(given), request),
      },
      onProgress: createProgress(terminal),
      onTask: (results) => save(results, json), // what is finished must not hang on the rest
      stopping,
    });
  });
  terminal.settle({ keep: false });
  if (!results.complete) process.exitCode = 130;
  if (!results.complete) terminal.print(`Stopped with ${results.runs.length} runs finished.`);
  terminal.print(`Wrote ${save(results, json).join(", ")}`);
  if (results.runs.length > 0) console.log(markdown(results));
}

await runStudy({
  options,
  help,
  redraw: (file) => draw(JSON.parse(readFileSync(file, "utf8")), file),
  run,
});
