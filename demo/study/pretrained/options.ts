// The command line of `npm run study -- --pretrained`: what can be asked for, and what is asked for now.

import { runtimes } from "../../train/place.ts";
import { studyWords, type Words } from "../words.ts";
import { type Budget, full, quick, type Task, taskNames } from "./plan.ts";

export const help = `npm run study -- --pretrained [options]
Fine-tunes networks that others trained on tasks that are new to them, under several ways to give their layers learning rates, all with the
same steps and the same sweep of rates. Writes every run to a JSON file, and tables (.md) and a plot (.svg) beside it. What the file holds
already is not run again.

  --only TASKS      some of the tasks, with commas: ${taskNames.join(", ")}
  --seeds N         runs of every way on every task (default: 5)
  --runtime NAME    ${runtimes.join(", ")} (default: deno, by far the fastest without a GPU)
  --json FILE       where the results go (default: out/pretrained.json)
  --quick           1 seed, 1 rate, a few steps, and without --only one task: to see that all of it runs
  --redraw FILE     no training: tables and plot of an earlier study's JSON, beside it
  --help            this text

Ctrl-C stops after the training under way and keeps what is finished; the same command goes on.
GRADUS_BROWSER names the browser to use, GRADUS_ADAPTER=software skips the search for a GPU, GRADUS_DATA names the folder of the networks.`;

export interface Options extends Words {
  readonly budget: Budget;
  /** Those of the budget that are wanted now. */
  readonly tasks: readonly Task[];
}

/** The options of this run; throws an error of one line where one is unknown or has no valid value. */
export function options(words: readonly string[]): Options {
  const study = {
    flag: "pretrained",
    parts: taskNames,
    json: "out/pretrained.json",
    runtime: "deno",
    seeds: 5,
  } as const;
  const asked = studyWords(words, study);
  const budget = asked.quick ? quick : full;
  const names: readonly string[] = asked.only ?? (asked.quick ? taskNames.slice(0, 1) : taskNames);
  return { ...asked, budget, tasks: budget.tasks.filter(({ name }) => names.includes(name)) };
}
