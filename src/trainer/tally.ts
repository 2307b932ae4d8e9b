// What steps tell: sums over samples or labels, added up in f64 in the order of the steps, and the means of these.

import type { Report } from "../graph/report.ts";
import type { Evaluation } from "../recipe/fit-options.ts";
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

/** The numbers of some samples. */
export interface Sums {
  readonly samples: number;
  readonly loss: number;
  /** Labels that count, and those of them that were hit. */
  readonly labels: number;
  readonly hits: number;
  readonly figures: readonly Figure[];
}

export const nothing: Sums = { samples: 0, loss: 0, labels: 0, hits: 0, figures: [] };

type Told = NonNullable<StepMetrics["reports"]>[number];

/** What a step adds up for a report: a mean over the labels that count, where there are labels, has as many parts. */
function figuresOf({ name, tells, labels, finish }: Report, { mean, hits, ignored }: Told, count: number): Figure[] {
  const counted = count * labels - ignored;
  if (tells === "hits") return [{ name, sum: hits, parts: counted, finish }];
  const parts = tells === "mean" && labels > 0 ? counted : count;
  const own = { name, sum: mean * parts, parts, finish };
  return tells === "mean" ? [own] : [own, { name: `${name}.accuracy`, sum: hits, parts: counted }];
}

/** A step's numbers. */
export function sumsOf({ labels, reports }: Telling, { loss, hits, ignored, count, reports: told }: StepMetrics): Sums {
  return {
    ...{ samples: count, loss: loss * count, labels: count * labels - ignored, hits },
    figures: told === undefined ? nothing.figures : reports.flatMap((one, i) => figuresOf(one, told[i] as Told, count)),
  };
}

/** NaN where nothing was added up; reports of which nothing counts are left out. */
export function meansOf({ samples, loss, labels, hits, figures }: Sums): Evaluation {
  const means = { loss: loss / samples, accuracy: hits / labels, samples };
  if (figures.length === 0) return means;
  const told = figures.filter(({ parts }) => parts > 0);
  const entry = ({ name, sum, parts, finish = (mean) => mean }: Figure) => [name, finish(sum / parts)] as const;
  return { ...means, reports: Object.fromEntries(told.map(entry)) };
}

/** Both together; a layer may report in some steps alone. */
export function added(one: Sums, other: Sums): Sums {
  const figures = new Map(one.figures.map((figure) => [figure.name, figure]));
  for (const figure of other.figures) {
    const { sum, parts } = figures.get(figure.name) ?? { sum: 0, parts: 0 };
    figures.set(figure.name, { ...figure, sum: sum + figure.sum, parts: parts + figure.parts });
  }
  return {
    samples: one.samples + other.samples,
    loss: one.loss + other.loss,
    labels: one.labels + other.labels,
    hits: one.hits + other.hits,
    figures: [...figures.values()],
  };
}
