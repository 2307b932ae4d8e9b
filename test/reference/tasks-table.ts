// README's table of tasks, made of what their runs wrote: docs/tasks has a file for each task that was trained whole, docs/soak-tasks.json a
// row for each of what about a minute taught it. The numbers of both stand nowhere else.

import { existsSync, readFileSync } from "node:fs";
import { type TaskName, taskNames } from "../../demo/tasks/table.ts";
import type { Report } from "../../demo/train/report.ts";
import type { SoakReport } from "../fuzz/report.ts";
import { shownFigure, type TaskRun } from "../fuzz/tasks.ts";

const read = (file: string) => JSON.parse(readFileSync(file, "utf8"));
const count = (value: number): string => value.toLocaleString("en-US");
const percent = (share: number, digits: number): string => `${(100 * share).toFixed(digits)} %`;

type Figures = Report["test"];

/** What a run came to, by the figure that its test has; the first that is there says it. */
const results: Readonly<Record<string, (figures: Figures) => string>> = {
  recognised: ({ recognised, ofRealOnes, kinds }) =>
    `${percent(recognised!, 1)} of drawings are read (of real digits ${percent(ofRealOnes!, 1)}), ${kinds} kinds`,
  meanImageError: ({ error, meanImageError }) =>
    `error ${error!.toFixed(4)} a pixel, ${(meanImageError! / error!).toFixed(1)} times below the mean image's`,
  byFrequency: ({ loss }) => `${loss!.toFixed(3)} nats a character`,
  accuracy: ({ accuracy, samples }) => `${percent(accuracy!, 2)} of ${count(samples!)} digits`,
};

const resultOf = (figures: Figures): string =>
  Object.entries(results).find(([name]) => name in figures)?.[1](figures) as string;

const minuteOf = (one: TaskRun): string =>
  `${shownFigure(one)}, below ${one.below} was asked; ${one.steps} steps, ${one.seconds} s`;

const row = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** The whole table, its columns padded. */
export function tasksTable(): string {
  const soak = read("docs/soak-tasks.json") as SoakReport;
  const rows = taskNames.map((task: TaskName) => {
    const file = `docs/tasks/${task}.json`;
    const whole = existsSync(file) ? (read(file) as Report) : undefined;
    const minute = soak.tasks.find((one) => one.task === task);
    return [
      `\`${task}\``,
      whole === undefined ? "" : resultOf(whole.test),
      whole === undefined ? "" : `${count(whole.steps)} of ${whole.batch}`,
      whole === undefined ? "" : (whole.seconds / 60).toFixed(1),
      minute === undefined ? "" : minuteOf(minute),
    ];
  });
  const head = ["task", "result of all steps", "steps", "minutes", "in a minute or so"];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column]!.length)));
  const padded = (cells: readonly string[]): string => row(...cells.map((cell, i) => cell.padEnd(widths[i]!)));
  return [padded(head), row(...widths.map((width) => "-".repeat(width))), ...rows.map(padded)].join("\n");
}
