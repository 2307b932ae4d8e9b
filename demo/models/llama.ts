// A small Llama (Touvron et al. 2023), whose table of tokens is its last layer too.

import {
  dense,
  embedding,
  functional,
  type Layer,
  multiHeadAttention,
  ops,
  residual,
  rmsNorm,
  rotary,
  sequential,
  swiglu,
} from "../../src/index.ts";

export interface LlamaSize {
  readonly vocabulary: number;
  readonly units: number;
  readonly hidden: number;
  readonly blocks: number;
  readonly heads: number;
  readonly keyHeads: number;
}

/** Tokens [T] -> logits of the next one at each place, [T, vocabulary]. */
export const llama = ({ vocabulary, units, hidden, blocks, heads, keyHeads }: LlamaSize): Layer => {
  const bias = false;
  const positions = rotary({ interleaved: true });
  const norm = rmsNorm({ eps: 1e-5 });
  const block = sequential({
    look: residual({ norm, attention: multiHeadAttention({ heads, keyHeads, causal: true, bias, positions }) }),
    think: residual({ norm, hidden: swiglu(hidden, { bias }), output: dense(units, { bias }) }),
  });
  return functional((tokens, { use, scope }) => {
    let x = use("tokens", embedding(vocabulary, units), tokens);
    for (let i = 0; i < blocks; i++) x = use(`block${i}`, block, x);
    const table = scope.child("tokens").parameter("weight", [vocabulary, units], "uniform");
    const [batch = 0, places = 0] = x.shape;
    const rows = scope.op(ops.reshape, { x: use("norm", norm, x) }, { shape: [batch * places, units] }).y;
    const logits = scope.op(ops.matmul, { a: rows, b: table }, { transposeB: true }).c;
    return scope.op(ops.reshape, { x: logits }, { shape: [batch, places, vocabulary] }).y;
  });
};
