// Twins of the ops that the reader of ONNX brings with it.

import { addFormulas } from "./add-formulas.ts";
import { normalCdf } from "./normal.ts";

addFormulas({
  erf: (round, x) => round(2 * normalCdf(x * Math.SQRT2) - 1),
  erfBackward: (round, dz, x) => round(round(dz * (2 / Math.sqrt(Math.PI))) * round(Math.exp(-x * x))),
  floor: (_, x) => Math.floor(x),
  ceil: (_, x) => Math.ceil(x),
  round: (_, x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)),
  trunc: (_, x) => Math.trunc(x),
  affine: (round, x, _, __, { factor, offset }) => round(round(x * (factor as number)) + (offset as number)),
  affineSlope: (round, x, _, __, { factor }) => round(x * (factor as number)),
});
