// Losses that look at each number by itself.

import source from "../../shaders/element-loss.wgsl?raw";
import math from "../../shaders/parts/math.wgsl?raw";
import { threads } from "./kernel.ts";
import { type LossAttributes, lossOp } from "./loss.ts";
import { partsOfRow } from "./split.ts";
import { size } from "./tensor.ts";
import { neg } from "./unary.ts";

/** WGSL of a number's loss and of its slope, in p, K and, with a target, t and d: p less the target. */
interface Formula {
  readonly value: string;
  readonly slope: string;
  readonly target?: boolean;
  /** Whether it is of the difference of both, so that the target's gradient is the other's, negated; else the target has none. */
  readonly difference?: boolean;
  /** When a number is a hit; left out where there is no such thing. */
  readonly hit?: string;
  /** The attribute that K stands for. */
  readonly tuned?: "delta" | "posWeight";
  /** Whether it calls functions of shaders/parts/math.wgsl. */
  readonly math?: boolean;
}

type ElementAttributes = LossAttributes & { readonly delta?: number; readonly posWeight?: number };

const elementLoss = /* @__NO_SIDE_EFFECTS__ */ (name: string, kernel: string, formula: Formula) => {
  const { value, slope, target = true, difference = false, hit, tuned, math: functions = false } = formula;
  return lossOp({
    ...{ name, kernel, source, target, ...(difference && { negated: neg }) },
    names: ["prediction", "targets"],
    spanOf: (shape) => size(shape.slice(1)),
    parts: partsOfRow,
    shares: ({ batch, parts, attributes }) => ({
      holes: {
        ...{ MATH: functions ? math : "", VALUE: value, SLOPE: slope, HIT: hit ?? "false" },
        ...{ TARGET: target, HITS: hit !== undefined, TUNED: tuned !== undefined },
      },
      constants: {
        ...{ BATCH: batch, PARTS: parts },
        ...(tuned && { K: (attributes as ElementAttributes)[tuned] ?? 1 }),
      },
      grid: threads(batch * parts),
    }),
  });
};

/** The squared differences. */
export const meanSquaredError = elementLoss("meanSquaredError", "mean-squared-error", {
  value: "d * d",
  slope: "2 * d",
  difference: true,
});

/** The differences without their sign; the slope at 0 is 0. */
export const meanAbsoluteError = elementLoss("meanAbsoluteError", "mean-absolute-error", {
  value: "abs(d)",
  slope: "or_nan(d, sign(d))",
  difference: true,
  math: true,
});

/** Half the square of differences up to `delta`, and beyond it a line with the slope that the square has there. */
export const huber = elementLoss("huber", "huber", {
  value: "select(K * (abs(d) - 0.5 * K), 0.5 * d * d, abs(d) <= K)",
  slope: "or_nan(d, clamp(d, -K, K))",
  difference: true,
  tuned: "delta",
  math: true,
});

/** Of a logit against a probability. Neither value nor slope is a difference of large numbers where the target is 0 or 1. */
export const binaryCrossEntropy = elementLoss("binaryCrossEntropy", "binary-cross-entropy", {
  value: "(1 - t) * softplus(p) + K * t * softplus(-p)",
  slope: "(1 - t) * sigmoid(p) - K * t * sigmoid(-p)",
  hit: "((p > 0) == (t > 0.5)) & (or_nan(p, 0) == 0)",
  tuned: "posWeight",
  math: true,
});

/** Of a logarithm of a probability against a probability; a target of 0 adds nothing. */
export const klDivergence = elementLoss("klDivergence", "kl-divergence", {
  value: "select(t * log(t), 0, t == 0) - t * p",
  slope: "-t",
});

/** Values that a model has made of its outputs are the loss themselves. */
export const meanOf = elementLoss("meanOf", "mean-of", { value: "p", slope: "1", target: false });
