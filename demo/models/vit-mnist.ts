// A Vision Transformer (Dosovitskiy et al. 2020) with a class token, under the names of the package vit-pytorch, so its files fit:
// attention with one layer for queries, keys and values, and patches cut by (row, column, channel).

import * as gradus from "../../src/index.ts";

const { dense, functional, layerNorm, ops, relu, residual, sequential } = gradus;
type Layer = gradus.Layer;
export interface VitMnistOptions {
  readonly classes: number;
  readonly patch: number;
  readonly layers: number;
  readonly heads: number; // of `length` numbers each
  readonly length: number;
}

const units = 64;

/** Attention of queries, keys and values beside one another: [B, T, 3 heads length] -> [B, T, heads length]. */
const attend = (heads: number, length: number): Layer =>
  functional((x, { scope }) => {
    const [q, k, v] = [0, 1, 2].map((i) => {
      const [begin, end] = [i * heads * length, (i + 1) * heads * length];
      return scope.op(ops.slice, { x }, { begin: [0, 0, begin], end: [Infinity, Infinity, end] }).y;
    }) as [gradus.Value, gradus.Value, gradus.Value];
    return scope.op(ops.attention, { q, k, v }, { heads }).y;
  });

const block = ({ heads, length }: VitMnistOptions): Layer => {
  const look = {
    to_qkv: dense(3 * heads * length, { bias: false }),
    attend: attend(heads, length),
    to_out: [dense(units)],
  };
  const think = { net: [dense(2 * units), relu(), gradus.dropout(0), dense(units)] };
  return sequential([look, think].map((fn) => residual({ norm: layerNorm(), fn: sequential(fn) })));
};

/** [B, T, C] -> [B, 1 + T, C]. */
const classToken: Layer = functional((x, { scope }) => {
  const token = scope.parameter("weight", [1, 1, units], "zeros");
  const tokens = scope.op(ops.tile, { x: token }, { repeats: [x.shape[0] as number, 1, 1] }).y;
  return scope.op(ops.concat, { a: tokens, b: x }, { axis: 1 }).y;
});

const first: Layer = functional((x, { scope }) => scope.op(ops.slice, { x }, { end: [Infinity, 1] }).y);
/** [28, 28, 1] -> logits. */
export function vitMnist(options: VitMnistOptions): Layer {
  const { classes, patch, layers } = options;
  const side = 28 / patch;
  const cells = [gradus.reshape([side, patch, side, patch]), gradus.permute([1, 3, 2, 4])];
  return sequential({
    to_patch_embedding: [sequential([...cells, gradus.reshape([side * side, patch * patch])]), dense(units)],
    cls_token: classToken,
    pos_embedding: gradus.positionEmbedding(side * side + 1),
    transformer: sequential({ layers: Array.from({ length: layers }, () => block(options)) }),
    to_latent: sequential([first, gradus.reshape([units])]),
    mlp_head: [layerNorm(), dense(classes)],
  });
}
