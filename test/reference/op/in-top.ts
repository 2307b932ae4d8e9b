// y[r] = whether the label is among the k largest of its row, of equal ones the first before the others; never in a row with NaN.

import type { Twin } from "../twin.ts";

export const inTop: Twin = ([x, labels], { attributes }) => {
  const classes = x!.length / labels!.length;
  return [
    labels!.map((label, row) => {
      const own = x!.subarray(row * classes, (row + 1) * classes);
      const order = [...own.keys()].sort((a, b) => own[b]! - own[a]! || a - b);
      return Number(!own.some(Number.isNaN) && order.slice(0, attributes.k as number).includes(label));
    }),
  ];
};
