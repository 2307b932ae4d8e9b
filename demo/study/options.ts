// The command line of `npm run study`: what can be asked for, and what is asked for now.

import { type Budget, full, quick, quickTasks, type Task, tasks } from "./plan.ts";
import { studyWords, type Words } from "./words.ts";

export const taskNames = tasks.map(({ name }) => name);

export const help = `npm run study -- [options]
Fine-tunes a small network that was pre-trained on MNIST, under several ways to give its layers learning rates, all with
the same budget. Writes every run to a JSON file, and a table (.md) and plots (.svg) beside it.

  --seeds N       runs of every method on every task (default: 5)
  --only TASKS    some of the tasks, with commas: ${taskNames.join(",")}
  --json FILE     where the results go (default: out/study.json)
  --quick         1 seed, 2 tasks, a few steps: to see that all of it runs
  --redraw FILE   no training: table and plots of an earlier study's JSON, beside it
  --adapters      another study, of adapters: npm run study -- --adapters --help
  --claims        another one, of what is said of learning rates: npm run study -- --claims --help
  --pretrained    another one, of networks that others trained: npm run study -- --pretrained --help
  --race          another one, of races on the same tasks: npm run study -- --race --help
  --yours         another one, of few examples: npm run study -- --yours --help
  --help          this text

Ctrl-C stops after the training under way and keeps what is finished.
GRADUS_BROWSER names the browser to use, GRADUS_ADAPTER=software skips the search for a GPU.`;

export interface Options extends Words {
  readonly tasks: readonly Task[];
  readonly budget: Budget;
}

/** Of tasks those that are asked for, or else all; of a quick study two. */
export function chosenTasks({ only, quick }: Words): readonly Task[] {
  const names = only ?? (quick ? quickTasks : taskNames);
  return tasks.filter(({ name }) => names.includes(name));
}

/** The options of this run; throws an error of one line where one is unknown or has no valid value. */
export function options(words: readonly string[] = process.argv.slice(2)): Options {
  const asked = studyWords(words, { parts: taskNames, json: "out/study.json", seeds: 5 });
  return { ...asked, tasks: chosenTasks(asked), budget: asked.quick ? quick : full };
}
