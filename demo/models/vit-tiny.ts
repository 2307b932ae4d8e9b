// A small Vision Transformer (Dosovitskiy et al. 2020): patches of the image are its words.

import {
  conv2d,
  dense,
  globalAveragePool1d,
  type Layer,
  layerNorm,
  positionEmbedding,
  reshape,
  sequential,
  transformerBlock,
} from "../../src/index.ts";

/** [28, 28, 1] -> logits. */
export const vitTiny = (classes = 10, units = 64, blocks = 3): Layer =>
  sequential({
    patches: [conv2d(units, { kernel: 7, stride: 7 }), reshape([16, units]), positionEmbedding(16)],
    blocks: Array.from({ length: blocks }, () => transformerBlock({ heads: 4, hidden: 2 * units })),
    norm: layerNorm(),
    pool: globalAveragePool1d(),
    head: dense(classes),
  });
