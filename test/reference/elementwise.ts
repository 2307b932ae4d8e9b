// The elementwise ops, number by number: y from x and, for some, a second number, which is the saved value s for the
// backward ops. exp, tanh and the normal distribution count as one operation each, correctly rounded.

import { normalCdf, normalPdf } from "./normal.ts";
import type { Round, Twin } from "./twin.ts";

type Formula = (x: number, second: number, round: Round) => number;

const sigmoid: Formula = (x, _, round) => round(1 / round(1 + round(Math.exp(-x))));

export const formulas: Readonly<Record<string, Formula>> = {
  relu: (x) => Math.max(x, 0),
  reluBackward: (dy, s) => (s <= 0 ? 0 : dy),
  gelu: (x, _, round) => round(x * round(normalCdf(x))),
  geluBackward: (dy, s, round) => round(dy * round(round(normalCdf(s)) + round(s * round(normalPdf(s))))),
  tanh: (x, _, round) => round(Math.tanh(x)),
  tanhBackward: (dy, s, round) => round(dy * round(round(1 - s) * round(1 + s))),
  sigmoid,
  sigmoidBackward: (dy, s, round) => round(dy * round(s * round(1 - s))),
  silu: (x, _, round) => round(x * sigmoid(x, 0, round)),
  siluBackward(dy, s, round) {
    const gate = sigmoid(s, 0, round);
    return round(dy * round(gate * round(1 + round(s * round(1 - gate)))));
  },
  bias: (x, b, round) => round(x + b),
  add: (x, y, round) => round(x + y),
  copy: (x) => x,
};

/** Applies a formula to all of x. A second operand that is shorter than x repeats: one number for each column. */
export function applyFormula(
  op: string,
  x: Float64Array,
  second: Float64Array | undefined,
  round: Round,
): Float64Array {
  const formula = formulas[op];
  if (formula === undefined) throw new Error(`There is no formula for "${op}" in test/reference/elementwise.ts.`);
  const y = new Float64Array(x.length);
  if (second === undefined) {
    for (let i = 0; i < x.length; i++) y[i] = formula(x[i]!, 0, round);
  } else {
    for (let i = 0; i < x.length; i++) y[i] = formula(x[i]!, second[i % second.length]!, round);
  }
  return y;
}

export const elementwise: Twin = ([x, second], { op }, _step, round) => [applyFormula(op, x!, second, round)];
