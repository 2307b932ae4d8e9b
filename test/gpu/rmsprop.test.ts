// The rmsprop update on the GPU, in all variants, against its twin.

import { describe, test } from "vitest";
import { rmsprop } from "../../src/optim/rule/rmsprop.ts";
import { checkUpdate } from "./update.ts";

const shapes = [[1], [3], [31, 33], [257], [65, 63], [256]];

describe.each([
  ["plain", rmsprop()],
  ["with decay", rmsprop({ weightDecay: 0.1 })],
  [
    "with eps under the root and decoupled decay",
    rmsprop({ epsInside: true, eps: 1e-3, weightDecay: 0.1, decoupled: true }),
  ],
  ["with momentum", rmsprop({ momentum: 0.9 })],
])("%s", (_, optimizer) => {
  test.each([1, 1e-4, 1e4])("gradients x %s", async (scale) => {
    await checkUpdate({ optimizer, shapes, scale, before: 0 });
    await checkUpdate({ optimizer, shapes, scale, before: 1000 });
  });
});

// A mean gradient that was made up would not fit the mean square: centered, only real histories make sense.
describe.each([
  ["centered", rmsprop({ centered: true, alpha: 0.5 })],
  ["centered, with momentum", rmsprop({ centered: true, alpha: 0.5, momentum: 0.9, weightDecay: 0.1 })],
])("%s", (_, optimizer) => {
  test.each([1, 1e-4, 1e4])("gradients x %s", (scale) => checkUpdate({ optimizer, shapes, scale, before: 0 }));
});
