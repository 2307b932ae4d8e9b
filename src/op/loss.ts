// What losses share: [B, 2], the loss and the hit of each row, and, when training, the gradient of the prediction at once.

import step from "../../shaders/parts/step.wgsl?raw";
import type { Grid } from "./kernel.ts";
import type { Choice, Kernel } from "./op.ts";
import { defineOp, type Op } from "./op.ts";
import { dims, size } from "./tensor.ts";

/** What a loss shares out in its own way: who takes which part of a row. */
interface Shares extends Partial<Pick<Choice, "holes" | "constants">> {
  readonly grid: Grid;
}

export type LossOp = Op<"prediction" | "target", "rows" | "dprediction", { readonly gradient: boolean }>;

interface LossParts {
  readonly name: string;
  readonly kernel: string;
  readonly source: string;
  /** The shader's names of prediction, target and length of a row. */
  readonly names: readonly [prediction: string, target: string, columns: string];
  /** Where parts of a long row go to several threads there are [B parts, 2], and their losses add up to that of the row. */
  readonly parts?: (columns: number) => number;
  readonly shares: (batch: number, columns: number, parts: number) => Shares;
}

/* @__NO_SIDE_EFFECTS__ */ export function lossOp({
  name,
  kernel,
  source,
  names,
  shares,
  parts = () => 1,
}: LossParts): LossOp {
  const [p, t, length] = names;
  return defineOp({
    name,
    inputs: ["prediction", "target"],
    outputs: ["rows", "dprediction"],
    shape: ({ prediction: { shape } }, { gradient }: { readonly gradient: boolean }) => ({
      rows: { shape: [(shape[0] as number) * parts(size(shape.slice(1))), 2], suffix: "loss" },
      ...(gradient && { dprediction: { shape, suffix: "loss.gradient" } }),
    }),
    back: ({ dprediction }, { give }) => give("prediction", () => dprediction),
    kernel: {
      name: kernel,
      source,
      choose({ tensors: { prediction, target, rows, dprediction } }) {
        const batch = prediction.shape[0] as number;
        const columns = size(prediction.shape) / batch;
        const { holes, constants, grid } = shares(batch, columns, (rows.shape[0] as number) / batch);
        return {
          holes: { STEP: step, GRADIENT: dprediction !== undefined, ...holes },
          constants: { BATCH: batch, [length]: columns, ...constants },
          tensors: { [p]: prediction, [t]: target, rows, ...(dprediction && { [`d${p}`]: dprediction }) },
          grid,
          note: dims(prediction),
        };
      },
    } satisfies Kernel<"prediction" | "target" | "rows" | "dprediction">,
  });
}
