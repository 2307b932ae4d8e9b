// The adagrad update on the GPU, in all variants, against its twin.

import { describe, test } from "vitest";
import { adagrad } from "../../src/optim/rule/adagrad.ts";
import { checkUpdate } from "./update.ts";

const shapes = [[1], [3], [31, 33], [257], [65, 63], [256]];

describe.each([
  ["plain", adagrad()],
  ["with eps under the root", adagrad({ epsInside: true, eps: 1e-3 })],
  ["with decays and a start", adagrad({ weightDecay: 0.1, lrDecay: 0.01, initialAccumulator: 0.1 })],
])("%s", (_, optimizer) => {
  test.each([1, 1e-4, 1e4])("gradients x %s", async (scale) => {
    await checkUpdate({ optimizer, shapes, scale, before: 0 });
    await checkUpdate({ optimizer, shapes, scale, before: 1000 });
  });
});
