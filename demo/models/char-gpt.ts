// A small GPT over characters (Radford et al. 2019), whose table of characters is its last layer too.

import {
  embedding,
  functional,
  type Layer,
  layerNorm,
  ops,
  positionEmbedding,
  transformerBlock,
} from "../../src/index.ts";

export interface GptSize {
  readonly vocabulary: number;
  /** Longest text that it sees. */
  readonly length: number;
  readonly units?: number;
  readonly heads?: number;
  readonly blocks?: number;
}

/** Characters [T] -> logits of the next one at each place, [T, vocabulary]. */
export const charGpt = ({ vocabulary, length, units = 128, heads = 4, blocks = 4 }: GptSize): Layer =>
  functional((tokens, { use, scope }) => {
    let x = use("places", positionEmbedding(length), use("tokens", embedding(vocabulary, units), tokens));
    for (let i = 0; i < blocks; i++) x = use(`block${i}`, transformerBlock({ heads, causal: true }), x);
    const table = scope.child("tokens").parameter("weight", [vocabulary, units], "uniform");
    const [batch = 0, places = 0] = x.shape;
    const rows = scope.op(ops.reshape, { x: use("norm", layerNorm(), x) }, { shape: [batch * places, units] }).y;
    const logits = scope.op(ops.matmul, { a: rows, b: table }, { transposeB: true }).c;
    return scope.op(ops.reshape, { x: logits }, { shape: [batch, places, vocabulary] }).y;
  });
