// What losses share: the share of each row in the loss and its hits, and, when training, the gradient of the prediction at once.
// What a value counts is known before the loss is: the same for all, or by its weight.

import share from "../../shaders/parts/share.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { anyFinite } from "../option.ts";
import { type DeviceFacts, type Grid, inLines } from "./kernel.ts";
import type { Attributes, Choice } from "./op.ts";
import { defineOp, type Op } from "./op.ts";
import { dims, size } from "./tensor.ts";

/** What a loss shares out in its own way: who takes which part of a row. */
interface Shares extends Partial<Pick<Choice, "holes" | "constants" | "by">> {
  readonly grid: Grid;
}

/** The options of a weighting, as `resolved` takes them. */
export const weighting = { weight: [1, anyFinite], reduction: ["mean", ["mean", "count"]] } as const;

/** What a loss is told as it is put into a graph. */
export type LossAttributes = {
  /** Whether the gradient is made: in steps that train. */
  readonly gradient: boolean;
  /** What the loss is multiplied by, where no scales say it. Default 1. */
  readonly factor?: number;
};

/** Of classes, a weight for each, only beside scales. */
export type LossOp = Op<"prediction" | "target" | "scales" | "classes", "rows" | "dprediction", LossAttributes>;

/** What a loss is to be shared out for. */
interface Asked {
  readonly batch: number;
  /** Of each row. */
  readonly parts: number;
  /** Of the prediction. */
  readonly shape: readonly number[];
  readonly attributes: Attributes;
  /** Whether classes have weights. */
  readonly classed: boolean;
  readonly device: DeviceFacts;
}

export interface LossParts {
  readonly name: string;
  readonly kernel: string;
  readonly source: string;
  /** The shader's names of prediction and target. */
  readonly names: readonly [prediction: string, target: string | ((attributes: Attributes) => string)];
  /** Of a loss of the difference of both: what makes the target's gradient of the prediction's. */
  readonly negated?: Op<"x", "z">;
  /** Whether it has a target. Default true. */
  readonly target?: boolean;
  /** Values in a sample, from the shape of the prediction. */
  readonly spanOf: (shape: readonly number[]) => number;
  /** Where parts of a long row go to several threads there are [rows parts, 2], and their losses add up to that of the row. */
  readonly parts?: (columns: number) => number;
  /** The shader's name of weights of classes, where it can have them. */
  readonly classes?: string;
  readonly shares: (asked: Asked) => Shares;
  /** Whether a row of the prediction, along its last axis, is one thread's or one workgroup's. Default false. */
  readonly byRow?: boolean;
}

/* @__NO_SIDE_EFFECTS__ */ export function lossOp({ names: [p, t], ...loss }: LossParts): LossOp {
  const { name, kernel, source, shares, spanOf, parts, target: hasTarget = true, negated, classes: table } = loss;
  const { byRow = false } = loss;
  const optional = ["scales", ...(table === undefined ? [] : (["classes"] as const))] as const;
  return defineOp({
    name,
    inputs: ["prediction", ...(hasTarget ? (["target"] as const) : []), ...optional],
    optional,
    outputs: ["rows", "dprediction"],
    shape: ({ prediction: { shape } }, { gradient }: LossAttributes) => ({
      rows: { shape: [(shape[0] as number) * (parts ?? (() => spanOf(shape)))(spanOf(shape)), 2], suffix: "loss" },
      ...(gradient && { dprediction: { shape, suffix: "loss.gradient" } }),
    }),
    back({ dprediction }, { give, emit }) {
      give("prediction", () => dprediction);
      // Of a loss of their difference.
      if (negated !== undefined) give("target", () => emit(negated, { x: dprediction }).z);
    },
    kernel: {
      name: kernel,
      source: inLines(share, source),
      beside: byRow,
      rows: ({ tensors: { prediction } }) =>
        byRow ? { of: "prediction", length: prediction.shape.at(-1) as number } : undefined,
      choose({ tensors: { prediction, target, scales, classes, rows, dprediction }, attributes, device }) {
        const { factor = 1 } = attributes as LossAttributes;
        const { shape } = prediction;
        const batch = shape[0] as number;
        const span = spanOf(shape);
        const parts = (rows.shape[0] as number) / batch;
        const classed = classes !== undefined;
        const { holes, constants, grid, by } = shares({ batch, parts, shape, attributes, classed, device });
        const weighted = scales !== undefined;
        return {
          holes: { STEP: step, WEIGHTED: weighted, GRADIENT: dprediction !== undefined, ...holes },
          constants: {
            SPAN: span,
            FACTOR: factor,
            ...(weighted && { VALUES: (batch * span) / size(scales.shape) }),
            ...constants,
          },
          tensors: {
            [p]: prediction,
            ...(target && { [typeof t === "string" ? t : t(attributes)]: target }),
            ...(scales && { scales }),
            ...(classes && table !== undefined && { [table]: classes }),
            rows,
            ...(dprediction && { [`d${p}`]: dprediction }),
          },
          grid,
          by,
          note: dims(prediction),
        };
      },
    },
  });
}
