// Losses that look at each number by itself.

import source from "../../shaders/element-loss.wgsl?raw";
import { threads } from "./kernel.ts";
import { lossOp } from "./loss.ts";
import { partsOfRow } from "./split.ts";
import { size } from "./tensor.ts";
import { neg } from "./unary.ts";

/** WGSL of a number's loss and of its slope, in p and, with a target, d: p less the target. */
interface Formula {
  readonly value: string;
  readonly slope: string;
  readonly target?: boolean;
}

const elementLoss = /* @__NO_SIDE_EFFECTS__ */ (
  name: string,
  kernel: string,
  { value, slope, target = true }: Formula,
) =>
  lossOp({
    ...{ name, kernel, source, target, ...(target && { negated: neg }) },
    names: ["prediction", "targets"],
    spanOf: (shape) => size(shape.slice(1)),
    parts: partsOfRow,
    shares: (batch, parts) => ({
      holes: { VALUE: value, SLOPE: slope, TARGET: target },
      constants: { BATCH: batch, PARTS: parts },
      grid: threads(batch * parts),
    }),
  });

/** The squared differences. */
export const meanSquaredError = elementLoss("meanSquaredError", "mean-squared-error", {
  value: "d * d",
  slope: "2 * d",
});

/** Values that a model has made of its outputs are the loss themselves. */
export const meanOf = elementLoss("meanOf", "mean-of", { value: "p", slope: "1", target: false });
