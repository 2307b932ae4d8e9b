// The command line of `npm run study -- --adapters`: what can be asked for, and what is asked for now.

import { runtimes } from "../../train/place.ts";
import { studyWords, type Words } from "../words.ts";
import { type Budget, full, quick, taskNames } from "./plan.ts";

export const help = `npm run study -- --adapters [options]
Fine-tunes two networks that others trained, all of their weights, few of them, or adapters beside them, in equally many steps. Writes
every run to a JSON file, and a table (.md) and curves (.svg) beside it. What the file holds already is not run again.

  --seeds N         runs of every method on every task (default: 2)
  --only TASKS      some of the tasks, with commas: ${taskNames.join(", ")}
  --runtime NAME    ${runtimes.join(", ")} (default: chromium)
  --json FILE       where the results go (default: out/adapters.json)
  --quick           1 seed, few methods and steps: to see that all of it runs
  --redraw FILE     no training: table and curves of an earlier study's JSON, beside it
  --help            this text

Ctrl-C stops after the training under way and keeps what is finished; the same command goes on.
GRADUS_BROWSER names the browser to use, GRADUS_ADAPTER=software skips the search for a GPU, GRADUS_DATA names the folder of the networks.`;

export interface Options extends Words {
  readonly budget: Budget;
}

/** The options of this run; throws an error of one line where one is unknown or has no valid value. */
export function options(words: readonly string[]): Options {
  const study = {
    flag: "adapters",
    parts: taskNames,
    json: "out/adapters.json",
    runtime: "chromium",
    seeds: 2,
  } as const;
  const asked = studyWords(words, study);
  const budget = asked.quick ? quick : full;
  const names: readonly string[] = asked.only ?? taskNames;
  return { ...asked, budget: { ...budget, tasks: budget.tasks.filter(({ name }) => names.includes(name)) } };
}
