// What came out: for each question a table, and in words what its numbers say and what they do not.

import { meanAndDeviation, percent, tableOf } from "../report.ts";
import { type Budget, type Question, questions } from "./plan.ts";

export interface Run {
  readonly question: string;
  readonly setting: string;
  readonly seed: number;
  readonly rates?: readonly number[];
  readonly loss?: readonly (number | null)[];
  readonly train?: readonly number[];
  readonly test?: readonly number[];
  readonly norms?: readonly number[];
}

export interface Results {
  adapter: string;
  readonly budget: Budget;
  readonly runs: Run[];
}

/** A setting over its seeds. */
export interface Found {
  readonly name: string;
  readonly rates: readonly number[];
  /** Means of each rate: the loss of the last epoch, no number where a seed had none, and parts of images that are known. */
  readonly loss: readonly number[];
  readonly train: readonly number[];
  readonly test: readonly number[];
  /** Means of each layer, on a scale of powers. */
  readonly norms: readonly number[];
}

const mean = (values: readonly number[]): number => meanAndDeviation(values).mean;

/** The settings of a question that have answers. */
export const foundOf = ({ runs }: Results, { name, settings }: Question): Found[] =>
  settings.flatMap((setting) => {
    const own = runs.filter((run) => run.question === name && run.setting === setting.name);
    const [first] = own;
    if (first === undefined) return [];
    const each = (of: (run: Run) => readonly (number | null)[] | undefined): number[] =>
      Array.from(of(first) ?? [], (_, i) => mean(own.map((run) => of(run)?.[i] ?? Number.NaN)));
    return [
      {
        name: setting.name,
        rates: first.rates ?? [],
        loss: each(({ loss }) => loss),
        train: each(({ train }) => train),
        test: each(({ test }) => test),
        norms: each(({ norms }) => norms?.map((norm) => Math.log10(norm))).map((power) => 10 ** power),
      },
    ];
  });

/** Where a curve over powers is lowest: the vertex of a parabola through the lowest point and its neighbours. */
function lowest(rates: readonly number[], values: readonly number[]): number {
  const known = values.map((value) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value));
  const at = known.indexOf(Math.min(...known));
  const [before, here, after] = [known[at - 1], known[at] as number, known[at + 1]].map((v) => v ?? Number.NaN);
  const bend = (before as number) - 2 * (here as number) + (after as number);
  const shift = bend > 0 && Number.isFinite(bend) ? ((before as number) - (after as number)) / 2 / bend : 0;
  return (rates[at] as number) * 2 ** shift;
}

/** The value at the rate of a row that lies nearest. */
function near(rates: readonly number[], values: readonly number[], rate: number): number {
  const apart = rates.map((one) => Math.abs(Math.log2(one / rate)));
  return values[apart.indexOf(Math.min(...apart))] as number;
}

/** Powers of ten of rates within so much of the best. */
export function band({ rates, test }: Found, within = 0.02): number {
  const best = Math.max(...test);
  return (
    test.filter((accuracy) => accuracy >= best - within).length *
    Math.log10((rates[1] as number) / (rates[0] as number))
  );
}

/** The exponent of y over x. */
function exponent(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const [mx, my] = [mean(logs.map(([x]) => x)), mean(logs.map(([, y]) => y))];
  return logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

const short = (value: number): string => (Number.isFinite(value) ? `${Number(value.toPrecision(2))}` : "none");
const loss = (value: number): string => (Number.isFinite(value) ? value.toPrecision(3) : "no number");
const decades = (value: number): string => value.toFixed(1);

/** The number at the end of a setting's name. */
const numberOf = ({ name }: Found): number => Number(/\d+$/.exec(name)?.[0]);
const begins = (word: string) => (found: Found) => found.name.startsWith(word);

/** The batch whose rate the rules of thumb are given. */
const FROM = 32;

function batch(found: readonly Found[]): string[] {
  return ["sgd", "adam"].flatMap((optimizer) => {
    const own = found.filter(begins(optimizer));
    const start = own.find((one) => numberOf(one) === FROM);
    if (start === undefined) return [];
    const from = lowest(start.rates, start.loss);
    const rows = own.map((one) => {
      const ratio = numberOf(one) / FROM;
      const best = lowest(one.rates, one.loss);
      const at = (rate: number): string => loss(near(one.rates, one.loss, rate));
      return [String(numberOf(one)), short(best), at(best), at(from * ratio), at(from * Math.sqrt(ratio)), at(from)];
    });
    const grows = exponent(own.map((one) => [numberOf(one), lowest(one.rates, one.loss)]));
    return [
      tableOf([
        [`${optimizer}: batch`, "best rate", "its loss", "linear rule", "square root", "rate unchanged"],
        ...rows,
      ]),
      `With ${optimizer} the best rate grows as batch^${grows.toFixed(2)}: 1 is the linear rule, 0.5 that of the square root. Losses are those of the last of equally many epochs, the rules begin at batch ${FROM}.`,
    ];
  });
}

function batchNorm(found: readonly Found[]): string[] {
  const rows = found.map((one) => {
    const best = Math.max(...one.test);
    const ended = one.loss.filter((value) => Number.isNaN(value)).length;
    return [
      one.name,
      percent(best),
      short(one.rates[one.test.indexOf(best)] as number),
      decades(band(one)),
      `${ended} of ${one.rates.length}`,
    ];
  });
  return [
    tableOf([
      ["Network", "best test accuracy, %", "at rate", "decades within 2 points", "rates that ended in no number"],
      ...rows,
    ]),
    "SGD with momentum 0.9. A decade is a factor of ten between rates; the row of rates ends at 8, so that a band may go on beyond it.",
  ];
}

function overfitting(found: readonly Found[]): string[] {
  const rows = found.map((own) => {
    const at = own.test.indexOf(Math.max(...own.test));
    const [train, test] = [own.train[at] as number, own.test[at] as number];
    const learned = own.train.flatMap((value, i) => (value >= 0.99 ? [value - (own.test[i] as number)] : []));
    const gaps = learned.length === 0 ? "none" : `${percent(Math.min(...learned))} to ${percent(Math.max(...learned))}`;
    return [own.name, percent(test), percent(train), percent(train - test), gaps, decades(band(own))];
  });
  return [
    tableOf([
      ["Task, way", "test, %", "training, %", "gap", "gaps where 99 % is learned", "decades within 2 points"],
      ...rows,
    ]),
    "At the rate with the best test accuracy of each way, which nobody knows beforehand. The gap is that of training and test accuracy in points; where a way is at its best before it has learned its few images by heart, its gap is small for that.",
  ];
}

function activations(found: readonly Found[]): string[] {
  const rows = found.map(({ name, norms }) => {
    const [first, last] = [norms[0] as number, norms.at(-1) as number];
    return [
      name,
      first.toExponential(1),
      last.toExponential(1),
      short(last / first),
      short((last / first) ** (1 / (norms.length - 1))),
    ];
  });
  return [
    tableOf([["Activation", "first layer", "head", "head over first", "a layer"], ...rows]),
    "Norms of the gradients of weights before the first step, Glorot's uniform start, zeros for biases. A network whose first layer gets a thousandth of its head's gradient is one in which one rate cannot fit both.",
  ];
}

function width(found: readonly Found[]): string[] {
  const narrow = found.find(begins("standard"));
  if (narrow === undefined) return [];
  const from = lowest(narrow.rates, narrow.loss);
  const rows = found.map((own) => {
    const best = lowest(own.rates, own.loss);
    return [own.name, short(best), loss(near(own.rates, own.loss, best)), loss(near(own.rates, own.loss, from))];
  });
  const grows = ["standard", "muP"].map((by) => {
    const own = found.filter(begins(by));
    return `${by}: width^${exponent(own.map((one) => [numberOf(one), lowest(one.rates, one.loss)])).toFixed(2)}`;
  });
  return [
    tableOf([["Rates, width", "best rate", "its loss", `loss at ${short(from)}`], ...rows]),
    `The best rate goes as ${grows.join(", ")}. Adam, two hidden layers; muP divides the rates of what grows in inputs and outputs by the growth, and leaves start and head as they are.`,
  ];
}

const texts: Readonly<Record<string, (found: readonly Found[]) => string[]>> = {
  ...{ batch, "batch-norm": batchNorm, overfitting, activations, width },
};

/** The tables, and how to read them. */
export function markdown(results: Results, image: string): string {
  const { budget, adapter } = results;
  const parts = questions.flatMap((question) => {
    const found = foundOf(results, question);
    return found.length === 0 ? [] : [`## ${question.title}`, ...(texts[question.name]?.(found) ?? [])];
  });
  const name = image.split("/").at(-1);
  return `${[
    "# What is said of rates",
    "Written by `npm run study -- --claims`. Every answer is in the JSON file beside this one.",
    `![Curves of the answers over rates, and over layers](${name})`,
    ...parts,
    `Means over ${budget.seeds} ${budget.seeds === 1 ? "seed" : "seeds"}; digits of 14 x 14, ${budget.images} images to train on, ${budget.epochs} epochs, ${budget.test} others to be judged by. All rates of a setting are copies of a cohort. Adapter: ${adapter}.`,
  ].join("\n\n")}\n`;
}
