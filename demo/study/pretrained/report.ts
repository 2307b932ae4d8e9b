// What came out of the study of pre-trained networks, as figures for tables in Markdown and for the plot.

import { basename } from "node:path";
import { meanAndDeviation, tableOf } from "../report.ts";
import { copiesOf, fits, type Opened, type Task, type WayName, wayNames, ways } from "./plan.ts";
import { holm, pairedChance } from "./statistics.ts";
import { bestRate, isBetter, isComplete, type Results, triesOf } from "./study.ts";

export interface Summary {
  readonly way: WayName;
  /** In the order of the seeds; those that came to no number are left out. */
  readonly figures: readonly number[];
  /** NaN where training came to numbers that are not finite with any seed. */
  readonly mean: number;
  readonly deviation: number;
  readonly seconds: number;
  readonly seeds: number;
  /** By how much it is better than one rate, seed by seed, and the chance of it, corrected for all comparisons of the study. */
  readonly gains: readonly number[];
  readonly chance: number;
}

/** Tasks of which something has run, or been tried. */
const tasksOf = ({ budget }: Results, some: Results["runs"]): readonly Task[] =>
  budget.tasks.filter(({ name }) => some.some(({ task }) => task === name));

/** One entry for each way that has run on a task, by task. */
export function summariesOf(results: Results): ReadonlyMap<Task, readonly Summary[]> {
  const found = tasksOf(results, results.runs).map((task) => [task, ofTask(results, task)] as const);
  const compared = found.flatMap(([, own]) => own.filter(({ gains }) => gains.length > 1));
  const corrected = holm(compared.map(({ gains }) => pairedChance(gains)));
  const chances = new Map(compared.map((one, i) => [one, corrected[i] as number]));
  return new Map(found.map(([task, own]) => [task, own.map((one) => ({ ...one, chance: chances.get(one) ?? 1 }))]));
}

function ofTask({ runs }: Results, task: Task): Summary[] {
  const of = (way: WayName) => runs.filter((run) => run.task === task.name && run.way === way);
  const sign = task.figure === "accuracy" ? 1 : -1;
  const reference = new Map(of("one-rate").map(({ seed, figure }) => [seed, figure]));
  return wayNames.flatMap((way) => {
    const own = of(way);
    if (own.length === 0) return [];
    const figures = own.flatMap(({ figure }) => (figure === null ? [] : [figure]));
    const gains = own.flatMap(({ seed, figure }) => {
      const other = reference.get(seed);
      return way === "one-rate" || figure === null || other == null ? [] : [sign * (figure - other)];
    });
    const { mean, deviation } = meanAndDeviation(figures);
    const seconds = meanAndDeviation(own.map((run) => run.seconds)).mean;
    return [
      {
        way,
        figures,
        seeds: own.length,
        mean: figures.length < own.length ? Number.NaN : mean,
        deviation,
        seconds,
        gains,
        chance: 1,
      },
    ];
  });
}

/** Tenths of a per cent, or thousandths of a nat. */
export const figureText = ({ figure }: Pick<Task, "figure">, value: number): string =>
  Number.isNaN(value) ? "not finite" : value.toFixed(figure === "accuracy" ? 1 : 3);

/** Below it a difference is marked. */
export const LEVEL = 0.05;

/** The best mean of a task. */
export const bestOf = (task: Task, own: readonly Summary[]): Summary =>
  own.reduce((a, b) => (isBetter(task, b.mean, a.mean) || Number.isNaN(a.mean) ? b : a));

const openedOf = ({ opened }: Results, task: Task): Opened | undefined => opened.find((one) => one.task === task.name);

/** The figure that was asked for. */
export function markOf(results: Results, task: Task): number {
  const { untuned = Number.NaN, rival } = openedOf(results, task) ?? {};
  if (typeof task.mark === "number") return task.mark;
  return untuned - task.mark.ofGap * (untuned - (rival ?? Number.NaN));
}

/** A row for each way and a column for each task, and rows before them. */
function byWay(
  title: string,
  tasks: readonly Task[],
  cell: (task: Task, way: WayName) => string,
  before: readonly (readonly string[])[] = [],
  shown: readonly WayName[] = wayNames,
): string {
  const rows = shown.map((way) => [ways[way], ...tasks.map((task) => (fits(way, task) ? cell(task, way) : ""))]);
  return tableOf([[title, ...tasks.map(({ title: name }) => name)], ...before, ...rows]);
}

/** How many seeds have run: fewer of some ways where a study is on its way. */
function seedsOf(own: readonly Summary[]): string {
  const counts = own.map(({ seeds }) => seeds);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(most) : `${least} to ${most}`;
}

/** The table of all ways: what README has, too. */
export function figuresTable(results: Results): string {
  const found = summariesOf(results);
  const tasks = [...found.keys()];
  const cell = (task: Task, way: WayName): string => {
    const all = found.get(task) as readonly Summary[];
    const own = all.find((one) => one.way === way);
    if (own === undefined) return "";
    const { figures, mean, deviation, chance, gains } = own;
    const spread = figures.length > 1 ? ` ± ${figureText(task, deviation)}` : "";
    const figure = `${figureText(task, mean)}${spread}`;
    const mark = chance >= LEVEL ? "" : meanAndDeviation(gains).mean > 0 ? "▲" : "▼";
    return `${own === bestOf(task, all) ? `**${figure}**` : figure}${mark}`;
  };
  return byWay("", tasks, cell, [
    ["", ...tasks.map(({ figure }) => (figure === "accuracy" ? "test accuracy, %" : "test nats a character"))],
    ["seeds", ...tasks.map((task) => seedsOf(found.get(task) as readonly Summary[]))],
    ["untuned", ...tasks.map((task) => figureText(task, openedOf(results, task)?.untuned ?? Number.NaN))],
    [
      "asked for",
      ...tasks.map(
        (task) => `${task.figure === "accuracy" ? "above" : "below"} ${figureText(task, markOf(results, task))}`,
      ),
    ],
  ]);
}

/** What a way loses on validation data at the rates beside its best one, the lower and the higher; 0 and less are no loss. */
export function lossesBeside(
  results: Results,
  task: Task,
  way: WayName,
): readonly [lower: number | null, higher: number | null] {
  const tries = triesOf(results, task, way);
  const at = tries.findIndex(({ rate }) => rate === bestRate(results, task, way));
  const best = tries[at]?.figure;
  const loss = (i: number): number | null => {
    const other = tries[i];
    if (other === undefined || best == null) return null;
    if (other.figure === null) return Number.POSITIVE_INFINITY;
    return Math.abs(other.figure - best);
  };
  return [loss(at - 1), loss(at + 1)];
}

const swept = wayNames.filter((way) => way !== "race");

/** What each rate came to on validation data. */
function triesTable(results: Results): string {
  const tasks = tasksOf(results, results.sweeps);
  const cell = (task: Task, way: WayName): string => {
    const tries = triesOf(results, task, way);
    return tries.map(({ figure }) => (figure === null ? "-" : figureText(task, figure))).join(" / ");
  };
  return byWay("", tasks, cell, [["rates", ...tasks.map(({ rates }) => rates.join(" / "))]], swept);
}

/** The table of README: what ways came to, or as long as none has run, what was tried. */
export const shortTable = (results: Results): string =>
  results.runs.length > 0 ? figuresTable(results) : triesTable(results);

/** Tables of a study with how to read them. `image`: the file of its plot. */
export function markdown(results: Results, image: string): string {
  const { budget, adapter, opened } = results;
  const tasks = tasksOf(results, results.sweeps);
  const others = budget.tasks.filter((task) => !tasks.includes(task));
  const partly = tasks.filter((task) => !isComplete(results, [task]));
  const found = summariesOf(results);
  const copies = [...new Set(tasks.map(copiesOf))].join(" or ");
  const text = (task: Task, loss: number | null): string =>
    loss === null ? "·" : loss === Number.POSITIVE_INFINITY ? "all" : figureText(task, loss);
  const lists = [...opened].map(
    ({ known: { what, published, found: here } }) =>
      `${what}: ${Number(here.toPrecision(4))} (published ${Number(published.toPrecision(4))})`,
  );
  const rivals = opened.filter(({ rival }) => rival !== null).map(({ rival }) => (rival as number).toFixed(3));
  const times = tasks.flatMap((task) => {
    const own = found.get(task) ?? [];
    const [one, race] = ["one-rate", "race"].map((way) => own.find((summary) => summary.way === way)?.seconds);
    if (one === undefined || race === undefined) return [];
    return [`${(race / one).toFixed(1)} times (${task.title})`];
  });
  const compared = [...found.values()].flat().filter(({ gains }) => gains.length > 1).length;
  const unfinished = [
    ...(others.length > 0 ? [`Not run yet: ${others.map(({ title }) => title).join("; ")}.`] : []),
    ...(partly.length > 0 ? [`Not at its end: ${partly.map(({ title }) => title).join("; ")}.`] : []),
  ].join(" ");
  const ran = `${figuresTable(results)}

Mean over the seeds, and deviation where there are several; bold is the best of a column. ▲ better and ▼ worse than one rate: the same samples, order and new head with each seed,
Student's paired test, below ${LEVEL} after Holm's correction for ${compared} comparisons${compared === 0 ? ", of which there are none with a single seed" : ""}. Untuned is the network as it came, a new head as it begins.

![Figures of each way on each task, a dot for each seed](${basename(image)})

`;
  return `# Pre-trained networks

Written by \`npm run study -- --pretrained\`. Every run is in the JSON file beside this one.${unfinished === "" ? "" : ` ${unfinished} The same command goes on with it.`}

${results.runs.length === 0 ? "" : ran}How much a way loses on validation data where the base rate is a quarter of its best one, and where it is four times that:

${byWay(
  "lower / higher",
  tasks,
  (task, way) => {
    const [lower, higher] = lossesBeside(results, task, way);
    return `${text(task, lower)} / ${text(task, higher)}`;
  },
  [],
  swept,
)}

A dot: that rate was not tried, and a better one may lie beyond. All: it came to numbers that are not finite.

The rates, and what each came to on validation data with seed ${budget.sweepSeed}:

${triesTable(results)}

- Steps of each way, and of each try: ${tasks.map(({ title, steps, batch }) => `${title}: ${steps} of ${batch}`).join("; ")}. AdamW with a weight decay of 0.01, cosine annealing
  to 0. Every way has the same tries with one seed that is not one of the runs.
- Layers are in groups, from input to head: ${tasks.map(({ title, groups }) => `${title}: ${groups.length}`).join("; ")}. "Head, then all" is LP-FT: the head by itself at ten times the rate for a
  third of the steps, then all at one. "Gradual unfreezing": each group learns 2.6 times slower than the one behind it, and all train from the
  middle on. "Layer decay" and "input first" take 0.65 from group to group. Auto-RGN decides every 5 steps.
- A race is as many copies at once as another way has tries and the training after them, ${copies} of them, with rates drawn between the lowest and the highest of
  those, for the first layer, the head and what lies between; the worse half follows the better one ${budget.rungs} times, by the validation data.${
    times.length === 0 ? "" : `\n  It takes as long as one training ${times.join(", ")}.`
  }
- Data. DoodleNet: 10 images of each digit, ViT: 100 of each, of the first 50,000 of MNIST, others for validation, and its test images. Darwin: the
  first 80 % of the text to learn from, then a tenth each for validation and test, characters that the network has not are left out; nets
  are judged in pieces of 128 from a start without memory. Shakespeare: 80 % and the beginnings of two tenths. Photographs: 1,000 to learn from,
  the last 200 of them for validation, and then not learnt from; a race never learns from these.
- Before training the networks were what they are known as: ${lists.join("; ")}.${
    rivals.length === 0
      ? ""
      : ` The network that was made for Darwin's text has ${rivals.join(", ")} on the same characters.`
  }
- Adapter: ${adapter}.
`;
}
