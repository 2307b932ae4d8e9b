// The adam update on the GPU, with decay in the gradient or decoupled, against its twin.

import { describe, test } from "vitest";
import { adam, adamw } from "../../src/optim/rule/adam.ts";
import { checkUpdate } from "./update.ts";

const shapes = [[1], [3], [31, 33], [257], [65, 63], [256], [3, 3, 3, 5]];

describe.each([
  ["adam", adam()],
  ["adam with decay", adam({ weightDecay: 0.1 })],
  ["adam with other betas and a large eps", adam({ betas: [0.5, 0.95], eps: 0.1 })],
  ["adamw", adamw({ weightDecay: 0.1 })],
  ["adam with eps under the root", adam({ epsInside: true, eps: 1e-3 })],
  ["adam with eps before the correction", adam({ epsFirst: true, eps: 1e-3 })],
  ["adam with eps under the root before the correction", adam({ epsInside: true, epsFirst: true, eps: 1e-3 })],
  ["adam with amsgrad", adam({ amsgrad: true })],
  ["adamw with amsgrad", adamw({ amsgrad: true, weightDecay: 0.1 })],
])("%s", (_, optimizer) => {
  test.each([1, 1e-4, 1e4])("gradients x %s", async (scale) => {
    await checkUpdate({ optimizer, shapes, scale, before: 0 });
    await checkUpdate({ optimizer, shapes, scale, before: 1000 });
  });
});

test.each([4096, 4097])("%i tensors with a rate each", async (count) => {
  const many = Array.from({ length: count }, (_, i) => [1 + (i % 5)]);
  await checkUpdate({ optimizer: adamw(), shapes: many, scale: 1, before: 0 });
});
