// Where a study stands, as a line on the terminal.

import { duration, type Terminal } from "../../src/callbacks/terminal.ts";

export interface Standing {
  readonly task: { readonly name: string };
  /** What is being done, in words. */
  readonly doing: string;
  /** Fine-tunings. */
  readonly done: number;
  readonly total: number;
  /** NaN as long as it is not known. */
  readonly secondsLeft: number;
}

/** Seconds between two lines of progress in a log. */
const LOG_INTERVAL = 5;

/** Shows where the study stands: always on a terminal, now and then in a log. */
export function createProgress(terminal: Terminal): (standing: Standing) => void {
  let [shown, before] = [Number.NEGATIVE_INFINITY, ""];
  return ({ task, doing, done, total, secondsLeft }) => {
    const now = performance.now();
    if (!process.stderr.isTTY && task.name === before && now - shown < LOG_INTERVAL * 1000) return;
    [shown, before] = [now, task.name];
    const line = `${done}/${total}  ${duration(secondsLeft)} left  ${task.name}: ${doing}`;
    terminal.status(process.stderr.isTTY ? line.slice(0, (process.stderr.columns || 80) - 1) : line);
  };
}
