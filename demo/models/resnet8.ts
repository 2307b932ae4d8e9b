// A small residual network for images of 28 x 28 or 32 x 32 (He et al. 2015, the form for CIFAR-10 with one block a stage).

import {
  batchNorm,
  conv2d,
  dense,
  functional,
  globalAveragePool2d,
  type Layer,
  relu,
  sequential,
} from "../../src/index.ts";

const normed = (filters: number, stride = 1, kernel = 3): Layer =>
  sequential({ conv: conv2d(filters, { kernel, stride, padding: "same", bias: false }), norm: batchNorm() });

/** Two convolutions, and what they were given added; where the shape changes that goes through one of 1 x 1. */
const block = (filters: number, stride: number): Layer =>
  functional((x, { use, add }) => {
    const inner = use("inner", sequential({ one: normed(filters, stride), relu: relu(), two: normed(filters) }), x);
    const around = stride === 1 ? x : use("around", normed(filters, stride, 1), x);
    return use("relu", relu(), add(inner, around));
  });

/** [H, W, C] -> logits. */
export const resnet8 = (classes = 10, filters = 16): Layer =>
  sequential({
    stem: sequential({ one: normed(filters), relu: relu() }),
    stage1: block(filters, 1),
    stage2: block(2 * filters, 2),
    stage3: block(4 * filters, 2),
    pool: globalAveragePool2d(),
    head: dense(classes),
  });
