// The nadam update on the GPU, in all variants, against its twin.

import { describe, test } from "vitest";
import { nadam } from "../../src/optim/rule/nadam.ts";
import { checkUpdate } from "./update.ts";

const shapes = [[1], [3], [31, 33], [257], [65, 63], [256]];

describe.each([
  ["plain", nadam()],
  ["with decoupled decay", nadam({ weightDecay: 0.1, decoupled: true })],
  ["with decay and another momentum decay", nadam({ weightDecay: 0.1, momentumDecay: 0.1 })],
])("%s", (_, optimizer) => {
  test.each([1, 1e-4, 1e4])("gradients x %s", async (scale) => {
    await checkUpdate({ optimizer, shapes, scale, before: 0 });
    await checkUpdate({ optimizer, shapes, scale, before: 1000 });
  });
});
