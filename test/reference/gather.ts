// Row b of the batch is sample order[start + b] of the data set: x * scale + shift, and its label or target as it is.
// Rows from `count` on repeat the first one.

import { size } from "../../src/graph/graph.ts";
import type { Twin } from "./twin.ts";

export const gather: Twin = ([dataX, dataY, order], { outputs, attributes }, { start, count }, round) => {
  const [x, y] = outputs.map(({ shape }) => new Float64Array(size(shape))) as [Float64Array, Float64Array];
  const batch = outputs[0]!.shape[0]!;
  const scale = round(attributes.scale as number);
  const shift = round(attributes.shift as number);
  const features = x.length / batch;
  const targets = y.length / batch;
  for (let row = 0; row < batch; row++) {
    const sample = order![start + (row < count ? row : 0)]!;
    for (let i = 0; i < features; i++) {
      x[row * features + i] = round(round(dataX![sample * features + i]! * scale) + shift);
    }
    if (attributes.targets !== true) continue;
    for (let i = 0; i < targets; i++) y[row * targets + i] = dataY![sample * targets + i]!;
  }
  return attributes.targets === true ? [x, y] : [x];
};
