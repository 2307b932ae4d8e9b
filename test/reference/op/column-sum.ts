// Y[n] = sum over all rows of X[row, n], in their order; or for each of so many parts of the rows, the last perhaps shorter.

import { addScaled } from "../product.ts";
import type { Twin } from "../twin.ts";

export const columnSum: Twin = ([x], { inputs, attributes }, _step, round) => {
  const columns = inputs[0]!.shape.at(-1) as number;
  const { splits = 1 } = attributes as { splits?: number };
  const height = Math.ceil(x!.length / columns / splits);
  const y = new Float64Array(splits * columns);
  for (let row = 0; row * columns < x!.length; row++)
    addScaled(y, Math.floor(row / height) * columns, x!, row * columns, columns, 1, round);
  return [y];
};
