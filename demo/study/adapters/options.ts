// The command line of `npm run study -- --adapters`: what can be asked for, and what is asked for now.

import { prepareFile, readWords, whole } from "../../command-line.ts";
import { type Runtime, runtimes } from "../../train/place.ts";
import { type Budget, full, quick, type TaskName, taskNames } from "./plan.ts";

export const help = `npm run study -- --adapters [options]
Fine-tunes two networks that others trained, all of their weights, few of them, or adapters beside them, in equally many steps. Writes
every run to a JSON file, and a table (.md) and curves (.svg) beside it. What the file holds already is not run again.

  --seeds N         runs of every method on every task (default: 2)
  --only TASK       one of the tasks: ${taskNames.join(", ")}
  --runtime NAME    ${runtimes.join(", ")} (default: chromium)
  --json FILE       where the results go (default: out/adapters.json)
  --quick           1 seed, few methods and steps: to see that all of it runs
  --redraw FILE     no training: table and curves of an earlier study's JSON, beside it
  --help            this text

Ctrl-C stops after the training under way and keeps what is finished; the same command goes on.
GRADUS_BROWSER names the browser to use, GRADUS_ADAPTER=software skips the search for a GPU, GRADUS_DATA names the folder of the networks.`;

export interface Options {
  readonly budget: Budget;
  readonly seeds: number;
  readonly runtime: Runtime;
  readonly json: string;
  readonly redraw: string | undefined;
  readonly help: boolean;
}

/** The options of this run; throws an error of one line where one is unknown or has no valid value. */
export function options(words: readonly string[]): Options {
  const { given, set } = readWords(words, {
    names: ["seeds", "only", "runtime", "json", "redraw"],
    flags: ["adapters", "quick", "help"],
  });
  const { seeds, only, runtime = "chromium", json = "out/adapters.json", redraw } = given;
  const help = set.has("help");
  if (!json.endsWith(".json")) throw new Error(`--json: the file must end in .json, "${json}" does not.`);
  if (only !== undefined && !taskNames.includes(only as TaskName))
    throw new Error(`--only: there is no task "${only}". Tasks: ${taskNames.join(", ")}.`);
  if (!runtimes.includes(runtime as Runtime))
    throw new Error(`--runtime: knows ${runtimes.join(", ")}, not "${runtime}".`);
  if (!help && redraw === undefined) prepareFile("--json", json);
  const small = set.has("quick");
  const budget = small ? quick : full;
  return {
    budget: { ...budget, tasks: budget.tasks.filter(({ name }) => only === undefined || name === only) },
    seeds: whole("--seeds", seeds ?? (small ? "1" : "2"), 1, 1000),
    runtime: runtime as Runtime,
    json,
    redraw,
    help,
  };
}
