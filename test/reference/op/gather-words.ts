// Row b of the batch is sample order[start + b], as it is, or its bytes, each of which counts `factor`. Rows from `count` on repeat the first one.

import { size } from "../../../src/op/tensor.ts";
import type { Twin } from "../twin.ts";

export const gatherWords: Twin = ([data, order], { outputs, attributes }, { start, count }, round) => {
  const { shape } = outputs[0]!;
  const width = size(shape.slice(1));
  const rows = Array.from({ length: shape[0]! }, (_, row) => order![start + (row < count ? row : 0)]! * width);
  const factor = attributes.factor as number;
  const numbers = rows.flatMap((at) => [...data!.subarray(at, at + width)]);
  return [Float64Array.from(numbers, (value) => (factor > 0 ? round(value * factor) : value))];
};
