// The elementwise ops, number by number: y from x and, for some, a second number, which is the saved value s for the
// backward ops. exp, tanh and the normal distribution count as one operation each, correctly rounded.

import { normalCdf, normalPdf } from "./normal.ts";
import type { Round, Twin } from "./twin.ts";

type Formula = (round: Round, x: number, ...others: number[]) => number;

const sigmoid: Formula = (round, x) => round(1 / round(1 + round(Math.exp(-x))));

/** (x - mean) inverse gamma + beta. */
const normalized = (round: Round, x: number, mean: number, inverse: number, gamma = 1, beta = 0): number =>
  round(round(round(x - mean) * round(inverse * gamma)) + beta);

export const formulas: Readonly<Record<string, Formula>> = {
  relu: (_, x) => Math.max(x, 0),
  reluBackward: (_, dy, s) => (s <= 0 ? 0 : dy),
  gelu: (round, x) => round(x * round(normalCdf(x))),
  geluBackward: (round, dy, s) => round(dy * round(round(normalCdf(s)) + round(s * round(normalPdf(s))))),
  tanh: (round, x) => round(Math.tanh(x)),
  tanhBackward: (round, dy, s) => round(dy * round(round(1 - s) * round(1 + s))),
  sigmoid,
  sigmoidBackward: (round, dy, s) => round(dy * round(s * round(1 - s))),
  silu: (round, x) => round(x * sigmoid(round, x, 0, 0)),
  siluBackward(round, dy, s) {
    const gate = sigmoid(round, s, 0, 0);
    return round(dy * round(gate * round(1 + round(s * round(1 - gate)))));
  },
  bias: (round, x, b) => round(x + b),
  add: (round, x, y) => round(x + y),
  subtract: (round, x, y) => round(x - y),
  multiply: (round, x, y) => round(x * y),
  divide: (round, x, y) => round(x / y),
  minimum: (_, x, y) => Math.min(x, y),
  maximum: (_, x, y) => Math.max(x, y),
  ifLess: (round, dz, x, y) => (x === y ? round(dz / 2) : x < y ? dz : 0),
  neg: (_, x) => -x,
  abs: (_, x) => Math.abs(x),
  absBackward: (round, dz, s) => round(dz * Math.sign(s)),
  square: (round, x) => round(x * x),
  squareBackward: (round, dz, s) => round(2 * round(dz * s)),
  sqrt: (round, x) => round(Math.sqrt(x)),
  sqrtBackward: (round, dz, s) => round(dz / round(2 * s)),
  exp: (round, x) => round(Math.exp(x)),
  expBackward: (round, dz, s) => round(dz * s),
  log: (round, x) => round(Math.log(x)),
  logBackward: (round, dz, s) => round(dz / s),
  reciprocal: (round, x) => round(1 / x),
  reciprocalBackward: (round, dz, s) => round(-round(dz * s) * s),
  copy: (_, x) => x,
  batchNormPlain: normalized,
  batchNormScaled: normalized,
  batchNormShifted: (round, x, mean, inverse, beta) => normalized(round, x, mean!, inverse!, 1, beta),
  batchNormAffine: normalized,
};

/** Numbers and how they lie. */
export interface Shaped {
  readonly values: Float64Array;
  readonly shape: readonly number[];
}

/** The numbers of an operand as if it had this shape: repeated along the axes that it has not. */
function spread({ values, shape: own }: Shaped, shape: readonly number[], length: number): Float64Array {
  if (values.length === length) return values;
  let spread = values;
  // Axis by axis from the last: what lies behind it is whole by then.
  let behind = 1;
  for (let axis = 1; axis <= shape.length; axis++) {
    const [wanted, there] = [shape.at(-axis)!, own.at(-axis) ?? 1];
    if (there !== wanted) {
      const blocks = spread.length / behind;
      const longer = new Float64Array(spread.length * wanted);
      for (let block = 0; block < blocks; block++) {
        const one = spread.subarray(block * behind, (block + 1) * behind);
        for (let i = 0; i < wanted; i++) longer.set(one, (block * wanted + i) * behind);
      }
      spread = longer;
    }
    behind *= wanted;
  }
  return spread;
}

/** Applies a formula to operands, for a result of this shape. */
export function applyFormula(
  op: string,
  operands: readonly Shaped[],
  shape: readonly number[],
  round: Round,
): Float64Array {
  const formula = formulas[op];
  if (formula === undefined) throw new Error(`There is no formula for "${op}" in test/reference/elementwise.ts.`);
  const z = new Float64Array(shape.reduce((a, b) => a * b, 1));
  const [x, ...others] = operands.map((operand) => spread(operand, shape, z.length));
  for (let i = 0; i < z.length; i++) z[i] = formula(round, x![i]!, ...others.map((values) => values[i]!));
  return z;
}

/** The output may be the same numbers under another shape, where more ops follow in one kernel; what the inputs say holds. */
export const elementwise: Twin = (values, { op, inputs }, _step, round) => {
  const operands = inputs.map(({ shape }, i) => ({ shape, values: values[i]! }));
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  const shape = Array.from({ length: rank }, (_, i) => Math.max(...inputs.map((one) => one.shape.at(i - rank) ?? 1)));
  return [applyFormula(op, operands, shape, round)];
};
