// npm run study -- --race: races on the tasks of the study of rates, beside what its six ways came to. What the file of results holds already
// does not run again.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { begunIn } from "../begun.ts";
import { begin, runStudy, terminal } from "../command.ts";
import { chosenTasks, taskNames } from "../options.ts";
import type { Task } from "../plan.ts";
import { createProgress } from "../progress.ts";
import { jsonOf, percent } from "../report.ts";
import type { Results as Study } from "../study.ts";
import { studyWords, type Words } from "../words.ts";
import { fullRace, quickRace, type RaceBudget } from "./plan.ts";
import { markdown, type Results, type Run } from "./report.ts";

const help = `npm run study -- --race [options]
Races on the tasks of the study: copies of the pre-trained network train at once, each with its own rates, and the worse ones follow the
better ones. Writes every run to a JSON file, and a table (.md) beside it, with the best of the study's six ways.

  --seeds N       races on every task (default: 5)
  --only TASKS    some of the tasks, with commas: ${taskNames.join(",")}
  --study FILE    the study that it is held against (default: docs/study.json)
  --json FILE     where the results go (default: out/race.json)
  --quick         1 seed, 2 tasks, few copies and steps: to see that all of it runs
  --redraw FILE   no training: the table of an earlier file, beside it
  --help          this text

Ctrl-C stops after the race under way; the same command goes on.
GRADUS_BROWSER names the browser to use, GRADUS_ADAPTER=software skips the search for a GPU.`;

interface Options extends Words {
  readonly tasks: readonly Task[];
  readonly budget: RaceBudget;
  readonly study: Study;
}

const present = fileURLToPath(new URL("../../../docs/study.json", import.meta.url));

function options(): Options {
  const own = { flag: "race", parts: taskNames, json: "out/race.json", seeds: 5, names: ["study"] } as const;
  const { given, ...words } = studyWords(process.argv.slice(2), own);
  const study: Study = JSON.parse(readFileSync(given.study ?? present, "utf8"));
  return { ...words, tasks: chosenTasks(words), budget: words.quick ? quickRace : fullRace, study };
}

/** Results and their table, in files. */
function save(results: Results, study: Study, json: string): readonly string[] {
  const table = json.replace(/\.json$/, ".md");
  writeFileSync(json, jsonOf(results));
  writeFileSync(table, markdown(results, study));
  return [json, table];
}

async function run(chosen: Options): Promise<void> {
  const { tasks, seeds, budget, study, json } = chosen;
  const runs = [...begunIn(json, { budget, runs: [] as Run[] }).runs];
  const isMissing = ({ name }: Task, seed: number): boolean =>
    !runs.some((run) => run.task === name && run.seed === seed);
  const numbers = Array.from({ length: seeds }, (_, seed) => seed);
  const missing = tasks.flatMap((task) =>
    numbers.filter((seed) => isMissing(task, seed)).map((seed) => ({ task, seed })),
  );
  const { withPage } = await import("../../session.ts"); // Vite and Playwright: not for --help
  const results = await withPage("study/race", async (page, on) => {
    const stopping = begin(on);
    const progress = createProgress(terminal);
    await page.waitForFunction(() => globalThis.raceOn !== undefined);
    const found: Results = { adapter: on.name, seeds, budget, runs };
    const known = new Set<string>();
    const since = performance.now();
    for (const [i, { task, seed }] of missing.entries()) {
      const secondsLeft = i === 0 ? Number.NaN : ((missing.length - i) * (performance.now() - since)) / 1000 / i;
      const tell = (doing: string): void => {
        progress({ task, doing: `${doing}, seed ${seed}`, done: i, total: missing.length, secondsLeft });
      };
      const network = `${task.family} ${seed}`;
      if (stopping()) break;
      if (!known.has(network)) {
        tell("pre-training");
        await page.evaluate((given) => globalThis.pretrain(...given), [task.family, seed, budget] as const);
        known.add(network);
      }
      if (stopping()) break;
      tell("race");
      const raced = await page.evaluate((asked) => globalThis.raceOn(asked), { task, seed, budget });
      runs.push({ task: task.name, seed, ...raced });
      terminal.print(`${task.name}, seed ${seed}: ${percent(raced.accuracy)} %`);
      save(found, study, json); // what is finished must not hang on the rest
    }
    return found;
  });
  terminal.settle({ keep: false });
  if (tasks.some((task) => numbers.some((seed) => isMissing(task, seed)))) {
    process.exitCode = 130;
    terminal.print(`Stopped with ${runs.length} races finished.`);
  }
  terminal.print(`Wrote ${save(results, study, json).join(", ")}`);
  console.log(markdown(results, study));
}

await runStudy({
  options,
  help,
  redraw: (file) => {
    const study: Study = JSON.parse(readFileSync(present, "utf8"));
    return save(JSON.parse(readFileSync(file, "utf8")), study, file);
  },
  run,
});
