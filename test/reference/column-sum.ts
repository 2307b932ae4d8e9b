// Y[n] = sum over all rows of X[row, n], in their order.

import { addScaled } from "./product.ts";
import type { Twin } from "./twin.ts";

export const columnSum: Twin = ([x], { outputs }, _step, round) => {
  const [columns] = outputs[0]!.shape as [number];
  const y = new Float64Array(columns);
  for (let at = 0; at < x!.length; at += columns) addScaled(y, 0, x!, at, columns, 1, round);
  return [y];
};
