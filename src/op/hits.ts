// What tells hits and no loss: for metrics, which have neither weights nor a gradient.

import step from "../../shaders/parts/step.wgsl?raw";
import type { LossOp, LossParts } from "./loss.ts";
import { defineOp } from "./op.ts";
import { dims } from "./tensor.ts";

type HitsParts = Pick<LossParts, "name" | "kernel" | "source" | "spanOf" | "parts" | "shares"> & {
  /** The shader's names of prediction and target. */
  readonly names: readonly [prediction: string, target: string];
};

/** An op that leaves rows as a loss does, of which nothing is the loss. */
/* @__NO_SIDE_EFFECTS__ */ export function hitsOp({ names: [p, t], spanOf, parts, shares, ...own }: HitsParts): LossOp {
  return defineOp({
    name: own.name,
    inputs: ["prediction", "target"],
    outputs: ["rows", "dprediction"],
    shape: ({ prediction: { shape } }) => {
      const span = spanOf(shape);
      return { rows: { shape: [(shape[0] as number) * (parts?.(span) ?? span), 2], suffix: "hits" } };
    },
    kernel: {
      name: own.kernel,
      source: own.source,
      choose({ tensors: { prediction, target, rows }, attributes, device }) {
        const { shape } = prediction;
        const batch = shape[0] as number;
        const parts = (rows.shape[0] as number) / batch;
        const asked = { batch, parts, shape, attributes, classed: false, device };
        const { holes, constants, grid } = shares(asked);
        return {
          holes: { STEP: step, ...holes },
          constants: { SPAN: spanOf(shape), ...constants },
          tensors: { [p]: prediction, [t]: target, rows },
          grid,
          note: dims(prediction),
        };
      },
    },
  }) as unknown as LossOp;
}
