// What steps tell: sums over samples or labels, added up in f64 in the order of the steps, and the means of these. A step without
// reports makes nothing here but its result.

import type { Matrix } from "../graph/kept.ts";
import type { Report } from "../graph/report.ts";
import type { Evaluation, StepResult } from "../recipe/fit-options.ts";
import type { StepMetrics } from "../step/metrics.ts";

/** What a program says of its numbers. */
export interface Telling {
  /** Labels of a sample, over all losses. */
  readonly labels: number;
  readonly reports: readonly Report[];
}

/** A number that is told: what it adds up, over how many. */
interface Figure extends Pick<Report, "finish"> {
  readonly name: string;
  readonly sum: number;
  readonly parts: number;
}

/** What is counted, by name. */
interface Counts extends Pick<Matrix, "matrix"> {
  readonly counts: Float64Array;
}

type Told = NonNullable<StepMetrics["reports"]>[number];

/** What a step adds up for a report: a mean over the labels that count, where there are labels, has as many parts. */
function figuresOf({ name, tells, labels, finish }: Report, { mean, hits, ignored }: Told, count: number): Figure[] {
  const counted = count * labels - ignored;
  if (tells === "hits") return [{ name, sum: hits, parts: counted, finish }];
  const parts = tells === "mean" && labels > 0 ? counted : count;
  const own = { name, sum: mean * parts, parts, finish };
  return tells === "mean" ? [own] : [own, { name: `${name}.accuracy`, sum: hits, parts: counted }];
}

const allFigures = (reports: readonly Report[], told: readonly Told[], count: number): Figure[] =>
  reports.flatMap((report, i) => figuresOf(report, told[i] as Told, count));

/** Figures of which nothing counts are left out. */
function reportsOf(figures: readonly Figure[]): Record<string, number> {
  const entry = ({ name, sum, parts, finish = (mean) => mean }: Figure) => [name, finish(sum / parts)] as const;
  return Object.fromEntries(figures.filter(({ parts }) => parts > 0).map(entry));
}

/** A step's numbers as they are told. */
export function resultOf({ labels, reports }: Telling, metrics: StepMetrics): StepResult {
  const { step, loss, hits, ignored, count, reports: told } = metrics;
  const result = { step, loss, accuracy: hits / (count * labels - ignored), samples: count };
  return told === undefined ? result : { ...result, reports: reportsOf(allFigures(reports, told, count)) };
}

export class Tally {
  #samples = 0;
  #loss = 0;
  #labels = 0;
  #hits = 0;
  /** By name: a layer may report in some steps alone. */
  readonly #figures = new Map<string, Figure>();
  readonly #counts = new Map<string, Counts>();
  readonly #losses: Float32Array[] = [];

  add({ labels, reports }: Telling, { loss, hits, ignored, count, reports: told, losses }: StepMetrics): void {
    this.#samples += count;
    this.#loss += loss * count;
    this.#labels += count * labels - ignored;
    this.#hits += hits;
    if (losses !== undefined) this.#losses.push(losses);
    if (told !== undefined) this.#report(allFigures(reports, told, count));
  }

  /** What a submission of an evaluation has counted. */
  count(matrices: readonly Matrix[], counts: Uint32Array): void {
    for (const { name, matrix, from, words } of matrices) {
      const all = this.#counts.get(name)?.counts ?? new Float64Array(words);
      for (let i = 0; i < words; i++) all[i] = (all[i] as number) + (counts[from + i] as number);
      this.#counts.set(name, { matrix, counts: all });
    }
  }

  /** What batches of one update have told. */
  join(other: Tally): void {
    this.#samples += other.#samples;
    this.#loss += other.#loss;
    this.#labels += other.#labels;
    this.#hits += other.#hits;
    this.#report(other.#figures.values());
  }

  #report(figures: Iterable<Figure>): void {
    for (const figure of figures) {
      const { sum, parts } = this.#figures.get(figure.name) ?? { sum: 0, parts: 0 };
      this.#figures.set(figure.name, { ...figure, sum: sum + figure.sum, parts: parts + figure.parts });
    }
  }

  /** NaN where nothing was added. */
  get means(): Evaluation {
    const samples = this.#samples;
    const matrices = [...this.#counts].map(([name, { counts, matrix }]) => [name, matrix(counts)] as const);
    return {
      ...{ loss: this.#loss / samples, accuracy: this.#hits / this.#labels, samples },
      ...(this.#figures.size > 0 && { reports: reportsOf([...this.#figures.values()]) }),
      ...(matrices.length > 0 && { matrices: Object.fromEntries(matrices) }),
    };
  }

  /** The losses of all samples, one after the other. */
  get losses(): Float32Array<ArrayBuffer> {
    const all = new Float32Array(this.#samples);
    let at = 0;
    for (const piece of this.#losses) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}
