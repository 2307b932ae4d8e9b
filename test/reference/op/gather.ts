// Row b of the batch is sample order[start + b] of the data set: number i of it is multiplied by scale
// i % period and added to shift i % period, where there is a period. Its label or target is as it is, or a byte that counts `factor`. Rows from `count` on repeat the first one.

import { size } from "../../../src/op/tensor.ts";
import type { Twin } from "../twin.ts";

export const gather: Twin = ([dataX, dataY, order, norm], { outputs, attributes }, { start, count }, round) => {
  const [x, y] = outputs.map(({ shape }) => new Float64Array(size(shape))) as [Float64Array, Float64Array?];
  const batch = outputs[0]!.shape[0]!;
  const period = attributes.period as number;
  const features = x.length / batch;
  const factor = attributes.factor as number;
  const counted = (value: number): number => (factor > 0 ? round(value * factor) : value);
  const targets = (y?.length ?? 0) / batch;
  for (let row = 0; row < batch; row++) {
    const sample = order![start + (row < count ? row : 0)]!;
    for (let i = 0; i < features; i++) {
      const value = dataX![sample * features + i]!;
      const [scale, shift] = [norm![i % period]!, norm![period + (i % period)]!];
      x[row * features + i] = period === 0 ? value : round(round(value * scale) + shift);
    }
    if (y === undefined || attributes.targets !== true) continue;
    for (let i = 0; i < targets; i++) y[row * targets + i] = counted(dataY![sample * targets + i]!);
  }
  return y !== undefined && attributes.targets === true ? [x, y] : [x];
};
