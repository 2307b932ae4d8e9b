// The command line of `npm run study`: what can be asked for, and what is asked for now.

import { prepareFile, readWords, whole } from "../command-line.ts";
import { type Budget, full, quick, quickTasks, type Task, tasks } from "./plan.ts";

export const help = `npm run study -- [options]
Fine-tunes a small network that was pre-trained on MNIST, under several ways to give its layers learning rates, all with
the same budget. Writes every run to a JSON file, and a table (.md) and plots (.svg) beside it.

  --seeds N       runs of every method on every task (default: 5)
  --only TASKS    some of the tasks, with commas: ${tasks.map(({ name }) => name).join(",")}
  --json FILE     where the results go (default: out/study.json)
  --quick         1 seed, 2 tasks, a few steps: to see that all of it runs
  --redraw FILE   no training: table and plots of an earlier study's JSON, beside it
  --adapters      another study, of adapters: npm run study -- --adapters --help
  --pretrained    another one, of networks that others trained: npm run study -- --pretrained --help
  --race          another one, of races on the same tasks: npm run study -- --race --help
  --yours         another one, of few examples: npm run study -- --yours --help
  --help          this text

Ctrl-C stops after the training under way and keeps what is finished.
GRADUS_BROWSER names the browser to use, GRADUS_ADAPTER=software skips the search for a GPU.`;

export interface Options {
  readonly tasks: readonly Task[];
  readonly budget: Budget;
  readonly seeds: number;
  readonly json: string;
  readonly redraw: string | undefined;
  readonly help: boolean;
}

/** Those that --only names, or else all; of a quick study two. */
export function chosenTasks(only: string | undefined, small: boolean): readonly Task[] {
  const names = only?.split(",") ?? (small ? quickTasks : tasks.map(({ name }) => name));
  const unknown = names.find((name) => !tasks.some((task) => task.name === name));
  if (unknown !== undefined) {
    throw new Error(`--only: there is no task "${unknown}". Tasks: ${tasks.map(({ name }) => name).join(", ")}.`);
  }
  return tasks.filter(({ name }) => names.includes(name));
}

/** The options of this run; throws an error of one line where one is unknown or has no valid value. */
export function options(words: readonly string[] = process.argv.slice(2)): Options {
  const { given, set } = readWords(words, {
    names: ["seeds", "only", "json", "redraw"],
    flags: ["quick", "help"],
  });
  const { seeds, only, json = "out/study.json", redraw } = given;
  const help = set.has("help");
  if (!json.endsWith(".json")) throw new Error(`--json: the file must end in .json, "${json}" does not.`);
  if (!help && redraw === undefined) prepareFile("--json", json);
  const small = set.has("quick");
  return {
    tasks: chosenTasks(only, small),
    budget: small ? quick : full,
    seeds: whole("--seeds", seeds ?? (small ? "1" : "5"), 1, 1000),
    json,
    redraw,
    help,
  };
}
