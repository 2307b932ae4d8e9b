// Depthwise convolutions between those of 1 x 1 (Howard et al. 2017, "MobileNets"), as many as small images want.

import {
  batchNorm,
  conv2d,
  dense,
  depthwiseConv2d,
  globalAveragePool2d,
  type Layer,
  relu6,
  sequential,
} from "../../src/index.ts";

const normed = (conv: Layer): Layer => sequential({ conv, norm: batchNorm(), relu: relu6() });

const block = (filters: number, stride = 1): Layer =>
  sequential({
    depthwise: normed(depthwiseConv2d({ stride, padding: "same", bias: false })),
    pointwise: normed(conv2d(filters, { kernel: 1, bias: false })),
  });

/** [H, W, C] -> logits. */
export const mobilenet = (classes = 10): Layer =>
  sequential({
    stem: normed(conv2d(16, { stride: 2, padding: "same", bias: false })),
    block1: block(32),
    block2: block(64, 2),
    block3: block(64),
    pool: globalAveragePool2d(),
    head: dense(classes),
  });
