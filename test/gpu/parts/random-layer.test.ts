// Random custom layers on the engine's own path: fused, planned and recorded, forward and backward, against the twins. Shared
// parameters, views and sums of parameters and transposed products must leave each gradient in its own place.

import { test } from "vitest";
import { fuse } from "../../../src/graph/fuse.ts";
import { randomLayer } from "../../reference/random-layer.ts";
import { tracedModel } from "../../reference/traced-model.ts";
import { check } from "../harness.ts";

test.each(Array.from({ length: 24 }, (_, seed) => seed))("layer %d", async (seed) => {
  const one = randomLayer(seed);
  const { graph, given, gradients, prediction } = tracedModel(one);
  const results = new Set([prediction, ...gradients.values()]);
  const fused = fuse(graph, results);
  // The metrics are read another way, and the data stands in f32 here.
  const nodes = fused.nodes.filter(({ op }) => op.name !== "metrics");
  const tensors = fused.tensors.map((tensor) =>
    tensor.name === "data.x" || tensor.name === "data.y" ? { ...tensor, dtype: "f32" as const } : tensor,
  );
  const step = { step: 1, start: 1, count: one.batch };
  await check({ graph: { tensors, nodes }, given, bytes: new Set(), results, step }, seed % 3 > 0);
});
