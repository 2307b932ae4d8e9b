// From weights, and from labels, to what each value of a loss counts in its mean.

import step from "../../shaders/parts/step.wgsl?raw";
import source from "../../shaders/weigh.wgsl?raw";
import type { Kernel } from "./op.ts";
import { defineOp } from "./op.ts";
import { size } from "./tensor.ts";

export type WeighAttributes = {
  /** Values of the loss in a batch. */
  readonly values: number;
  readonly factor: number;
  /** Whether the sum is divided by the number of values, and not by the sum of weights. */
  readonly counted: boolean;
  /** A label that does not count at all. Default: none. */
  readonly ignored?: number;
  /** Whether targets are probabilities, which have no labels. Default false. */
  readonly soft?: boolean;
};

const kernel: Kernel<"weights" | "target" | "classes" | "scales"> = {
  name: "weigh",
  source,
  choose({ tensors: { weights, target, classes, scales }, attributes }) {
    const { values, factor, counted, ignored = 2 ** 32 - 1, soft = false } = attributes as WeighAttributes;
    const length = size(scales.shape);
    const [labelled, weighted] = [target !== undefined && !soft, weights !== undefined];
    return {
      holes: { STEP: step, SUMMED: !counted, LABELLED: labelled, WEIGHTED: weighted },
      constants: {
        ...{ LENGTH: length, WIDTH: length / (scales.shape[0] as number), VALUES: values / length, FACTOR: factor },
        ...(labelled && { CLASSES: size(classes.shape), IGNORED: ignored }),
        ...(weighted && { EACH: length / size(weights.shape) }),
      },
      tensors: { ...(weighted && { weights }), ...(labelled && { labels: target, classes }), scales },
      grid: [1, 1, 1],
    };
  },
};

/** [B, ..] weights -> [B, ..] scales. */
export const weigh = defineOp({
  name: "weigh",
  inputs: ["weights"],
  outputs: ["scales"],
  moves: () => true,
  shape: ({ weights: { shape } }, _: WeighAttributes) => ({ scales: { shape } }),
  kernel: kernel as Kernel<"weights" | "scales">,
});

/** Labels [B, ..] or probabilities [B, .., classes], what each class counts, and weights, if there are any -> [B, ..] scales. */
export const weighClasses = defineOp({
  name: "weighClasses",
  inputs: ["target", "classes", "weights"],
  optional: ["weights"],
  outputs: ["scales"],
  moves: () => true,
  shape: ({ target: { shape } }, { soft = false }: WeighAttributes) => ({
    scales: { shape: soft ? shape.slice(0, -1) : shape },
  }),
  kernel,
});
