// Row b of the batch is sample order[start + b], as it is. Rows from `count` on repeat the first one.

import { size } from "../../../src/op/tensor.ts";
import type { Twin } from "../twin.ts";

export const gatherWords: Twin = ([data, order], { outputs }, { start, count }) => {
  const { shape } = outputs[0]!;
  const width = size(shape.slice(1));
  const rows = Array.from({ length: shape[0]! }, (_, row) => order![start + (row < count ? row : 0)]! * width);
  return [Float64Array.from(rows.flatMap((at) => [...data!.subarray(at, at + width)]))];
};
