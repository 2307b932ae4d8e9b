// What an evaluation leaves behind its reports: counts, and the loss of each sample.

import { add } from "../op/elementwise.ts";
import { keep, sampleLosses } from "../op/keep.ts";
import type { Counts } from "../op/layer.ts";
import { countsAt, lossesAt } from "../op/metrics.ts";
import { size, type Tensor } from "../op/tensor.ts";
import { emit, type Graph } from "./graph.ts";

/** Counts of an evaluation. */
export interface Matrix extends Pick<Counts, "matrix"> {
  readonly name: string;
  /** Words before them among all counts, and their own. */
  readonly from: number;
  readonly words: number;
}

/** Counts of a batch. */
export interface Counted extends Pick<Matrix, "name" | "matrix"> {
  readonly counts: Tensor;
}

/** Where they stand: layers, reports of a step, and words of all counts. */
export interface Behind {
  readonly layers: number;
  readonly reports: number;
  readonly counts: number;
}

/** Has counts added up over a submission. */
export function keepCounts(
  graph: Graph,
  { layers, reports }: Omit<Behind, "counts">,
  all: readonly Counted[],
): Matrix[] {
  let from = 0;
  return all.map(({ name, matrix, counts }) => {
    const made = { name, matrix, from, words: size(counts.shape) };
    emit(graph, keep, { x: counts }, { first: countsAt(layers, reports) + from, added: true });
    from += made.words;
    return made;
  });
}

/** Has the losses of each sample kept, of several losses their sum. */
export function keepLosses(
  graph: Graph,
  { layers, reports, counts }: Behind,
  losses: readonly Tensor[],
  batch: number,
) {
  const [x, ...others] = losses.map((rows) => emit(graph, sampleLosses, { rows }, { batch }).y) as [
    Tensor,
    ...Tensor[],
  ];
  const all = others.reduce((x, y) => emit(graph, add, { x, y }).z, x);
  emit(graph, keep, { x: all }, { first: lossesAt(layers, reports, counts), added: false });
}
