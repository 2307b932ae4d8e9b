// What steps tell: sums over samples or labels, added up in f64 in the order of the steps, and the means of these.

import type { Matrix } from "../graph/kept.ts";
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
  /** What an evaluation has counted. */
  readonly matrices: readonly Counts[];
  /** The loss of each sample, in pieces, where an evaluation asks for it. */
  readonly losses: readonly Float32Array[];
}

/** Counts of a name. */
interface Counts extends Pick<Matrix, "name" | "matrix"> {
  readonly counts: Float64Array;
}

export const nothing: Sums = { samples: 0, loss: 0, labels: 0, hits: 0, figures: [], matrices: [], losses: [] };

type Told = NonNullable<StepMetrics["reports"]>[number];

/** What a step adds up for a report: a mean over the labels that count, where there are labels, has as many parts. */
function figuresOf({ name, tells, labels, finish }: Report, { mean, hits, ignored }: Told, count: number): Figure[] {
  const counted = count * labels - ignored;
  if (tells === "hits") return [{ name, sum: hits, parts: counted, finish }];
  const parts = tells === "mean" && labels > 0 ? counted : count;
  const own = { name, sum: mean * parts, parts, finish };
  return tells === "mean" ? [own] : [own, { name: `${name}.accuracy`, sum: hits, parts: counted }];
}

/** A step's numbers; `perSample`: with the loss of each sample. */
export function sumsOf({ labels, reports }: Telling, step: StepMetrics, perSample = false): Sums {
  const { loss, hits, ignored, count, reports: told, losses } = step;
  return {
    ...{ samples: count, loss: loss * count, labels: count * labels - ignored, hits },
    ...{ matrices: nothing.matrices, losses: perSample && losses ? [losses] : nothing.losses },
    figures: told === undefined ? nothing.figures : reports.flatMap((one, i) => figuresOf(one, told[i] as Told, count)),
  };
}

/** NaN where nothing was added up; reports of which nothing counts are left out. */
export function meansOf({ samples, loss, labels, hits, figures, matrices }: Sums): Evaluation {
  const means = {
    ...{ loss: loss / samples, accuracy: hits / labels, samples },
    ...(matrices.length > 0 && {
      matrices: Object.fromEntries(matrices.map(({ name, counts, matrix }) => [name, matrix(counts)])),
    }),
  };
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
    matrices:
      one.matrices.length === 0
        ? other.matrices
        : one.matrices.map((own, i) => {
            const more = other.matrices[i]?.counts;
            return more === undefined
              ? own
              : { ...own, counts: own.counts.map((count, at) => count + (more[at] as number)) };
          }),
    losses: other.losses.length === 0 ? one.losses : [...one.losses, ...other.losses],
  };
}

/** What a submission of an evaluation has counted. */
export const countsOf = (matrices: readonly Matrix[], counts: Uint32Array): Sums => ({
  ...nothing,
  matrices: matrices.map(({ name, matrix, from, words }) => {
    return { name, matrix, counts: Float64Array.from(counts.subarray(from, from + words)) };
  }),
});

/** The losses of all samples, one after the other. */
export function lossesOf({ samples, losses }: Sums): Float32Array<ArrayBuffer> {
  const all = new Float32Array(samples);
  let at = 0;
  for (const piece of losses) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
