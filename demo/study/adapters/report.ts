// What came out of the study of adapters, as figures for a table in Markdown and for the curves.

import { basename } from "node:path";
import { type Kind, kinds, type Method, methodsOf, type Task, titleOf } from "./plan.ts";
import { isBetter, isComplete, type Results, totalOf } from "./study.ts";

export interface Point extends Method {
  readonly trained: number;
  readonly rate: number;
  /** In the order of the seeds, those that are numbers. */
  readonly figures: readonly number[];
  /** NaN where training came to numbers that are not finite with any seed. */
  readonly mean: number;
  /** The worst of the seeds; undefined of what cannot be merged. */
  readonly apart: number | undefined;
}

/** One entry for each method that has run on a task. */
export function pointsOf({ runs, budget }: Results, task: Task): Point[] {
  return methodsOf(budget).flatMap(({ kind, size }): Point[] => {
    const own = runs.filter((run) => run.task === task.name && run.kind === kind && run.size === size);
    const [first] = own;
    if (first === undefined) return [];
    const figures = own.flatMap(({ figure }) => (figure === null ? [] : [figure]));
    const sum = figures.reduce((a, b) => a + b, 0);
    const far = own.flatMap(({ apart }) => (apart === undefined ? [] : [apart]));
    return [
      {
        ...{ kind, size, figures },
        ...{ trained: first.trained, rate: first.rate },
        mean: figures.length === own.length ? sum / own.length : Number.NaN,
        apart: far.length === 0 ? undefined : Math.max(...far),
      },
    ];
  });
}

/** With a hundredth of a part in a hundred, or a thousandth of a nat. */
export const figureText = ({ rises }: Task, figure: number): string => figure.toFixed(rises ? 1 : 3);
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

const align = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => `| ${widths.map((width, i) => (row[i] ?? "").padEnd(width)).join(" | ")} |`);
  lines.splice(1, 0, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  return lines.join("\n");
};

function tableOf(results: Results, task: Task): string {
  const points = pointsOf(results, task);
  const whole = points.find(({ kind }) => kind === "full")?.trained;
  const best = points.reduce((a, b) => (isBetter(task, b.mean, a.mean) ? b : a), points[0] as Point);
  const rows = points.map((point) => {
    const { trained, mean, figures, rate, apart } = point;
    const [low, high] = [Math.min(...figures), Math.max(...figures)].map((figure) => figureText(task, figure));
    const figure = Number.isNaN(mean) ? "not finite" : figureText(task, mean);
    return [
      titleOf(point),
      count(trained),
      whole === undefined ? "" : `${((100 * trained) / whole).toFixed(1)} %`,
      point === best ? `**${figure}**` : figure,
      figures.length > 1 ? `${low} to ${high}` : "",
      String(rate),
      apart === undefined ? "" : apart.toExponential(0),
    ];
  });
  const head = [task.title, "trained", "of all", task.figure, "seeds", "rate", "merged"];
  return align([head, ...rows]);
}

/** Tables of a study with how to read them. `image`: the file of its curves. */
export function markdown(results: Results, image: string): string {
  const { budget, seeds, untuned, adapter } = results;
  const { tasks } = budget;
  const drawn = tasks.filter((task) => results.runs.some((run) => run.task === task.name));
  const lengths = drawn.map(({ title, steps, batch }) => `${title}: ${steps} of ${batch}`).join("; ");
  const before = drawn.map((task) => {
    const found = untuned.find((one) => one.task === task.name);
    return found === undefined ? "" : `${task.title}: ${figureText(task, found.figure)}`;
  });
  const sweeps = (Object.keys(kinds) as Kind[]).map((kind) => [
    kinds[kind],
    ...drawn.map((task) => {
      const own = results.sweeps.filter((run) => run.task === task.name && run.kind === kind);
      return own.map(({ figure }) => (figure === null ? "-" : figureText(task, figure))).join(" / ");
    }),
  ]);
  return `# Adapters

Written by \`npm run study -- --adapters\`${isComplete(results) ? "" : `, which is not at its end: ${results.sweeps.length + results.runs.length} of ${totalOf(results)} fine-tunings are made`}. Every run is in the JSON file beside this one.

![Figures over parameters trained, a curve for LoRA and one for bottlenecks](${basename(image)})

${drawn.map((task) => tableOf(results, task)).join("\n\n")}

Trained: numbers that train, of all that train in full fine-tuning. ${seeds === 1 ? "One seed." : `Means over ${seeds} seeds, and the lowest and highest.`} Bold is the best.
Merged: the largest difference of an output of the plain network with merged weights, as a part of the largest output, in f32.

- Every fine-tuning has the same number of steps. ${lengths}. AdamW with a weight decay of 0.01, cosine
  annealing to 0.
- What trains: on the digits the new head and its norm always do. The Llama has no biases, so that BitFit trains the gains of its norms;
  its head is its table of tokens, which with the last norm is what "head only" trains and what rests elsewhere. LoRA stands at all dense
  layers of the blocks, with alpha as its rank; bottlenecks behind the last layer of attention and of the feed-forward part.
- The digits: 100 images of each class of the first 50,000; ${tasks[0]?.test} test images. Shakespeare: pieces of the first 80 % of the text;
  the test is the beginning of its last 10 %. Before any training: ${before.join("; ")}.
- Rates were tried for each kind in its middle size with one seed of its own, on validation data. Where the highest of them is the best, a
  better one may lie beyond:

${align([["Rate", ...drawn.map(({ title, rates }) => `${title}: ${rates.join(" / ")}`)], ...sweeps])}

- Adapter: ${adapter}.
`;
}
