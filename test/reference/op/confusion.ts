// How often rows of each label, or numbers that are 0 or 1, are told to be of each class, over the real samples of a batch.

import type { Round, Twin } from "../twin.ts";

type Values = Float64Array;

/** Counts by what is told of a row and what it is; undefined for what does not count. */
const counting =
  (
    of: (
      x: Values,
      target: Values,
      row: number,
      attributes: Readonly<Record<string, unknown>>,
    ) => (number | undefined)[],
  ) =>
  (
    ...[[x, target], { inputs, attributes }, { count }]: [
      readonly Values[],
      Parameters<Twin>[1],
      Parameters<Twin>[2],
      Round,
    ]
  ) => {
    const classes = attributes.classes as number;
    const counts = new Float64Array(classes * classes);
    const real = (count * target!.length) / inputs[0]!.shape[0]!;
    for (let row = 0; row < real; row++) {
      const [label, told] = of(x!, target!, row, attributes);
      if (label !== undefined && label < classes) counts[label * classes + told!]!++;
    }
    return [counts];
  };

export const confusion: Twin = counting((x, labels, row, { classes, ignored }) => {
  const own = x.subarray(row * (classes as number), (row + 1) * (classes as number));
  const told = own.reduce((best, value, c) => (value > own[best]! ? c : best), 0);
  return [labels[row] === ignored ? undefined : labels[row]!, told];
});

export const binaryConfusion: Twin = counting((x, targets, row, { logit = 0 }) => [
  Number(targets[row]! > 0.5),
  Number(x[row]! > Math.fround(logit as number)),
]);
