// Whether the label is among the k largest of its row, of equal ones the first before the others; never in a row with NaN. -1: it does
// not count. Rows from `count` on give zeros.

import type { Twin } from "../twin.ts";

export const inTop: Twin = ([x, labels], { inputs, attributes }, { count }) => {
  const classes = x!.length / labels!.length;
  const rows = new Float64Array(2 * labels!.length);
  for (const [row, label] of labels!.entries()) {
    if (row >= (count * labels!.length) / inputs[0]!.shape[0]!) break;
    const own = x!.subarray(row * classes, (row + 1) * classes);
    const order = [...own.keys()].sort((a, b) => own[b]! - own[a]! || a - b);
    const hit = Number(!own.some(Number.isNaN) && order.slice(0, attributes.k as number).includes(label));
    rows[2 * row + 1] = label === attributes.ignored ? -1 : hit;
  }
  return [rows];
};
