// The radam update on the GPU, in all variants, against its twin.

import { describe, test } from "vitest";
import { radam } from "../../src/optim/rule/radam.ts";
import { checkUpdate } from "./update.ts";

const shapes = [[1], [3], [31, 33], [257], [65, 63], [256]];

describe.each([
  ["plain", radam()],
  ["with decay and other betas", radam({ weightDecay: 0.1, betas: [0.8, 0.9] })],
])("%s", (_, optimizer) => {
  test.each([1, 1e-4, 1e4])("gradients x %s", async (scale) => {
    await checkUpdate({ optimizer, shapes, scale, before: 0 });
    await checkUpdate({ optimizer, shapes, scale, before: 1000 });
  });
});
