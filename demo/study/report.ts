// What came out, as figures: means, deviations, and who beats whom, for a table in Markdown and for the plots.

import { type MethodName, methodNames, methods, type Task } from "./plan.ts";
import type { Results } from "./study.ts";

export interface Summary {
  readonly method: MethodName;
  /** In the order of the seeds. */
  readonly accuracies: readonly number[];
  readonly mean: number;
  /** Of the sample; 0 for one seed. */
  readonly deviation: number;
  readonly rate: number;
  /** Whether it is better (1) or worse (-1) than one rate with every seed, of several. */
  readonly always: -1 | 0 | 1;
}

/** One entry for each method that has run on a task. */
export function summaries({ runs }: Results, task: Task): Summary[] {
  const of = (method: MethodName) => runs.filter((run) => run.task === task.name && run.method === method);
  const reference = of("one-rate");
  return methodNames.flatMap((method) => {
    const own = of(method);
    const [first] = own;
    if (first === undefined) return [];
    const accuracies = own.map(({ accuracy }) => accuracy);
    const { mean, deviation } = meanAndDeviation(accuracies);
    const signs = new Set(accuracies.map((value, i) => Math.sign(value - (reference[i]?.accuracy ?? Number.NaN))));
    const [sign] = signs;
    const always = own.length > 1 && signs.size === 1 && (sign === 1 || sign === -1) ? sign : 0;
    return [{ method, accuracies, mean, deviation, rate: first.rate, always }];
  });
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The deviation of a sample, 0 of a single value. */
export function meanAndDeviation(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

export const percent = (part: number): string => (100 * part).toFixed(1);
const plain = (value: number): string => `${Number(value.toPrecision(3))}`;

const WIDTH = 120;

/** What is innermost, as every run, on a line of its own where it fits; numbers that do not fill several. */
export function jsonOf(results: unknown): string {
  const text = JSON.stringify(results, null, 2).replace(/[{[][^{}[\]]*[}\]]/g, (row, at: number, all: string) => {
    const line = row.replace(/\s+/g, " ").replace(/^\[ | \]$/g, (end) => end.trim());
    const before = at - all.lastIndexOf("\n", at) - 1;
    if (before + line.length + Number(all[at + row.length] === ",") <= WIDTH) return line;
    return /^\[[\s\d.,e+-]*\]$/.test(row) ? filled(row) : row;
  });
  return `${text}\n`;
}

/** A list of a number a line with as many on each as fit. */
function filled(row: string): string {
  const [, indent = ""] = /\n( *)/.exec(row) ?? [];
  const lines = [""];
  for (const [number] of row.matchAll(/[\d.e+-]+,?/g)) {
    const last = lines.at(-1) as string;
    if (last !== "" && indent.length + last.length + 1 + number.length > WIDTH) lines.push(number);
    else lines[lines.length - 1] = last === "" ? number : `${last} ${number}`;
  }
  return `[${lines.map((line) => `\n${indent}${line}`).join("")}\n${indent.slice(2)}]`;
}

/** Rows as a table in Markdown, the first one as its head, with columns of even width. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => `| ${widths.map((width, i) => (row[i] ?? "").padEnd(width)).join(" | ")} |`);
  lines.splice(1, 0, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  return lines.join("\n");
}

/** The table of a study, and how to read it. */
export function markdown(results: Results): string {
  const { budget, seeds, untuned, tasks, pretrained, adapter } = results;
  const { pretraining, steps, batch, rates, sweepSeeds, validation, test } = budget;
  const table = (title: string, cells: (task: Task) => readonly string[], more: readonly string[] = []): string => {
    const rows = [
      [title, ...more, ...methodNames.map((name) => methods[name])],
      ...tasks.map((task) => [task.title, ...cells(task)]),
    ];
    return tableOf(rows);
  };
  const accuracies = table(
    "Test accuracy, %",
    (task) => {
      const found = summaries(results, task);
      const best = percent(Math.max(...found.map(({ mean }) => mean)));
      const before = untuned.filter((one) => one.task === task.name).map(({ accuracy }) => accuracy);
      const cells = found.map(({ mean, deviation, always }) => {
        const figure = `${percent(mean)} ± ${percent(deviation)}`;
        return `${percent(mean) === best ? `**${figure}**` : figure}${["▼", "", "▲"][always + 1]}`;
      });
      return [before.length === 0 ? "" : percent(meanOf(before)), ...cells];
    },
    ["untuned"],
  );
  const chosen = table("Rate", (task) => summaries(results, task).map(({ rate }) => plain(rate)));
  const [low, high] = ["low", "all"].map((family) =>
    pretrained.filter((one) => one.family === family).map(({ accuracy }) => accuracy),
  );
  const known = [
    low?.length ? `${percent(meanOf(low))} % on the digits 0 to 4` : "",
    high?.length ? `${percent(meanOf(high))} % on all digits` : "",
  ].filter(Boolean);
  const often = plain(100 * 2 ** (1 - seeds));
  const chance = seeds > 1 ? `; between methods that are alike, chance alone sets a mark in ${often} % of cases` : "";
  return `# The study

Written by \`npm run study\`${results.complete ? "" : ", which was stopped before its end"}. Every run is in the JSON file beside this one.

${accuracies}

Mean and standard deviation over ${seeds} ${seeds === 1 ? "seed" : "seeds"}; bold is the best mean of a row. ▲ better than one rate with every seed, ▼ worse with
every seed${chance}. Untuned is the network as it was
pre-trained, for new digits with a new head.

${chosen}

The base rate that the sweep chose for each method. Where it is the lowest or highest of those tried, a better one may lie beyond.

- Data: MNIST at 14 x 14 pixels. Pre-training, fine-tuning, validation and test share no image.
- Network: three convolutions and two dense layers. Pre-training: ${pretraining.steps} steps of ${pretraining.batch}, once for each seed, which
  comes to ${known.join(" and ")}.
- Every fine-tuning: ${steps} steps of ${batch}, AdamW with a weight decay of 0.01, cosine annealing to 0. Auto-RGN decides
  every 5 steps, from the gradients of the training itself.
- Every method: the same ${rates.length} rates (${rates.join(", ")}), each with ${sweepSeeds.length} ${sweepSeeds.length === 1 ? "seed" : "seeds"} of its own on ${validation} validation images;
  then the best one on ${test} test images. So many validation labels are more than a task with few labels has; all methods
  gain by them alike.
- Adapter: ${adapter}.
`;
}
