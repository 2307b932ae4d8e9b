// The adadelta update on the GPU, in all variants, against its twin.

import { describe, test } from "vitest";
import { adadelta } from "../../src/optim/rule/adadelta.ts";
import { checkUpdate } from "./update.ts";

const shapes = [[1], [3], [31, 33], [257], [65, 63], [256]];

describe.each([
  ["plain", adadelta()],
  ["with decay, another rho and a large eps", adadelta({ weightDecay: 0.1, rho: 0.8, eps: 1e-2 })],
])("%s", (_, optimizer) => {
  test.each([1, 1e-4, 1e4])("gradients x %s", async (scale) => {
    await checkUpdate({ optimizer, shapes, scale, before: 0 });
    await checkUpdate({ optimizer, shapes, scale, before: 1000 });
  });
});
