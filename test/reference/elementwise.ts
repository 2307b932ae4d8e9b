// The elementwise ops, number by number: y from x and, for some, a second number, which is the saved value s for the
// backward ops. exp, tanh, sin and the normal distribution count as one operation each, correctly rounded.

import type { Attributes } from "../../src/op/op.ts";
import { normalCdf, normalPdf } from "./normal.ts";
import type { Round, Twin } from "./twin.ts";

type Formula = (
  round: Round,
  x: number,
  second: number,
  third: number,
  attributes: Attributes,
  ...more: number[]
) => number;

const sigmoid = (round: Round, x: number): number => round(1 / round(1 + round(Math.exp(-x))));
const softplus = (round: Round, x: number): number =>
  round(Math.max(x, 0) + round(Math.log1p(round(Math.exp(-Math.abs(x))))));
const mishGate = (round: Round, x: number): number => round(Math.tanh(softplus(round, x)));
const hardSigmoid = (round: Round, x: number): number => round(Math.min(Math.max(round(x + 3), 0), 6) / 6);

/** (1 + tanh(u)) / 2 of the u of gelu's approximation, far below 0 too. */
const geluGate = (round: Round, x: number): number =>
  sigmoid(round, round(2 * Math.sqrt(2 / Math.PI) * round(x + round(0.044715 * round(x ** 3)))));

/** NaN stays NaN, also to the power 0. */
const power = (round: Round, x: number, p: number): number =>
  Number.isNaN(x)
    ? x
    : Number.isInteger(2 * p) && Math.abs(p) <= 16
      ? round(x ** p)
      : round(Math.exp(round(p * round(Math.log(x)))));

/** elu, and its slope, with a scale before it. */
const elu =
  (alphaOf: (attributes: Attributes) => number, scale: number): Formula =>
  (round, x, _, __, attributes) =>
    x > 0 ? round(scale * x) : round(round(scale * alphaOf(attributes)) * round(Math.expm1(x)));
const eluBackward =
  (alphaOf: (attributes: Attributes) => number, scale: number): Formula =>
  (round, dz, s, _, attributes) =>
    s > 0 ? round(scale * dz) : round(round(round(scale * alphaOf(attributes)) * dz) * round(Math.exp(s)));
const SELU = [() => 1.6732632423543772, 1.0507009873554805] as const;

/** (x - mean) inverse gamma + beta. */
const normalized = (round: Round, x: number, mean: number, inverse: number, gamma = 1, beta = 0): number =>
  round(round(round(x - mean) * round(inverse * gamma)) + beta);

export const formulas: Readonly<Record<string, Formula>> = {
  relu: (_, x) => Math.max(x, 0),
  reluBackward: (_, dy, s) => (s <= 0 ? 0 : dy),
  relu6: (_, x) => Math.min(Math.max(x, 0), 6),
  relu6Backward: (_, dz, s) => (s <= 0 || s >= 6 ? 0 : dz),
  leakyRelu: (round, x, _, __, { slope }) => (x <= 0 ? round((slope as number) * x) : x),
  leakyReluBackward: (round, dz, s, _, { slope }) => (s <= 0 ? round((slope as number) * dz) : dz),
  elu: elu(({ alpha }) => alpha as number, 1),
  eluBackward: eluBackward(({ alpha }) => alpha as number, 1),
  selu: elu(...SELU),
  seluBackward: eluBackward(...SELU),
  gelu: (round, x, _, __, { approximate }) =>
    round(x * (approximate === true ? geluGate(round, x) : round(normalCdf(x)))),
  geluBackward(round, dy, s, _, { approximate }) {
    if (approximate !== true) return round(dy * round(round(normalCdf(s)) + round(s * round(normalPdf(s)))));
    const gate = geluGate(round, s);
    const slope = round(2 * Math.sqrt(2 / Math.PI) * round(1 + round(3 * 0.044715 * round(s * s))));
    return round(dy * round(gate + round(round(s * round(gate * round(1 - gate))) * slope)));
  },
  softplus,
  softplusBackward: (round, dz, s) => round(dz * -round(Math.expm1(-s))),
  mish: (round, x) => round(x * mishGate(round, x)),
  mishBackward(round, dz, s) {
    const gate = mishGate(round, s);
    const slope = round(round(s * sigmoid(round, s)) * round(round(1 - gate) * round(1 + gate)));
    return round(dz * round(gate + slope));
  },
  hardSigmoid,
  hardSigmoidBackward: (round, dz, s) => (s <= 0 || s >= 1 ? 0 : round(dz / 6)),
  hardSwish: (round, x) => round(x * hardSigmoid(round, x)),
  hardSwishBackward: (round, dz, s) => (s < -3 ? 0 : s <= 3 ? round(dz * round(round(s / 3) + 0.5)) : dz),
  prelu: (round, x, a) => (x <= 0 ? round(a * x) : x),
  preluBackward: (round, dz, x, a) => (x <= 0 ? round(a * dz) : dz),
  preluBackwardSlope: (round, dz, x) => (x > 0 ? 0 : round(dz * x)),
  drop: (round, x, u, _, { rate }) => round(x * (u >= (rate as number) ? round(1 / (1 - (rate as number))) : 0)),
  greater: (_, x, y) => Number(x > y),
  less: (_, x, y) => Number(x < y),
  equal: (_, x, y) => Number(x === y),
  where: (_, condition, x, y) => (condition !== 0 ? x : y),
  whereBackward: (_, dz, condition, __, { chosen }) => ((condition !== 0) === chosen ? dz : 0),
  sin: (round, x) => round(Math.sin(x)),
  sinBackward: (round, dz, s) => round(dz * round(Math.cos(s))),
  pow: (round, x, _, __, { exponent }) => power(round, x, exponent as number),
  powBackward: (round, dz, s, _, { exponent }) =>
    round(round(dz * (exponent as number)) * power(round, s, (exponent as number) - 1)),
  clip: (_, x, __, ___, { min = -Infinity, max = Infinity }) => Math.min(Math.max(x, min as number), max as number),
  clipBackward: (_, dz, s, __, { min = -Infinity, max = Infinity }) =>
    s < (min as number) || s > (max as number) ? 0 : dz,
  tanh: (round, x) => round(Math.tanh(x)),
  tanhBackward: (round, dy, s) => round(dy * round(round(1 - s) * round(1 + s))),
  sigmoid,
  sigmoidBackward: (round, dy, s) => round(dy * round(s * round(1 - s))),
  silu: (round, x) => round(x * sigmoid(round, x)),
  siluBackward(round, dy, s) {
    const gate = sigmoid(round, s);
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
  scaled: (round, x, _, __, { factor }) => round(x * round(factor as number)),
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
  batchNormPlain: (round, x, mean, inverse) => normalized(round, x, mean, inverse),
  batchNormScaled: (round, x, mean, inverse, _, gamma) => normalized(round, x, mean, inverse, gamma),
  batchNormShifted: (round, x, mean, inverse, _, beta) => normalized(round, x, mean, inverse, 1, beta),
  batchNormAffine: (round, x, mean, inverse, _, gamma, beta) => normalized(round, x, mean, inverse, gamma, beta),
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
  attributes: Attributes,
): Float64Array {
  const formula = formulas[op];
  if (formula === undefined) throw new Error(`There is no formula for "${op}" in test/reference/elementwise.ts.`);
  const z = new Float64Array(shape.reduce((a, b) => a * b, 1));
  const [x, second, third, ...more] = operands.map((operand) => spread(operand, shape, z.length));
  for (let i = 0; i < z.length; i++) {
    const others = more.map((values) => values[i]!);
    z[i] = formula(round, x![i]!, second?.[i] ?? 0, third?.[i] ?? 0, attributes, ...others);
  }
  return z;
}

/** The output may be the same numbers under another shape, where more ops follow in one kernel; what the inputs say holds. */
export const elementwise: Twin = (values, { op, inputs, attributes }, _step, round) => {
  const operands = inputs.map(({ shape }, i) => ({ shape, values: values[i]! }));
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  const shape = Array.from({ length: rank }, (_, i) => Math.max(...inputs.map((one) => one.shape.at(i - rank) ?? 1)));
  return [applyFormula(op, operands, shape, round, attributes)];
};
