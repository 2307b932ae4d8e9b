// Where the forward pass ends: one slot of the metrics, which the host reads.

import source from "../../shaders/metrics.wgsl?raw";
import finite from "../../shaders/parts/finite.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import type { Kernel } from "./op.ts";
import { defineOp } from "./op.ts";
import { dims } from "./tensor.ts";

const kernel: Kernel<"rows" | "metrics"> = {
  name: "metrics",
  source,
  choose: ({ tensors: { rows }, halts }) => ({
    holes: { STEP: step, FINITE: finite, HALTING: halts },
    constants: { BATCH: rows.shape[0] as number },
    grid: [1, 1, 1],
    note: dims(rows),
  }),
};

/** [B, 2] or [B parts, 2] -> step, mean loss over the step's rows, hits, and whether all was finite. */
export const metrics = defineOp({
  name: "metrics",
  inputs: ["rows"],
  outputs: ["metrics"],
  shape: () => ({ metrics: { shape: [4], suffix: "metrics", role: "metrics" } }),
  kernel,
});
