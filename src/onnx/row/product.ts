// Products of matrices.

import { sizeOf } from "../../foreign/strided.ts";
import { dense, ops, type Scope, softmax, type Value } from "../../index.ts";
import { scale } from "../function.ts";
import type { Host } from "../host.ts";
import {
  type About,
  arrange,
  dimsOf,
  flowing,
  isHost,
  isLive,
  type Known,
  type Live,
  needed,
  operands,
  plain,
  type Row,
  type Step,
  stepOf,
  tiled,
  view,
  type Weight,
  weight,
} from "../live.ts";
import { inOrder, type Node, refuse } from "../node.ts";
import { joint } from "../shapes.ts";
import { pair } from "./elementwise.ts";

/** x W + b on the last axis: a dense layer. `bias` is what a Gemm or an Add behind it brings. */
function denseStep(node: Node, x: Live, w: Weight, bias: Weight | undefined): Step {
  const [length, units] = w.dims as [number, number];
  const rank = x.order.length;
  const last = dimsOf(x).at(-1);
  if (last !== length)
    refuse(node, `its weight is [${w.dims}], which takes ${length} channels; it is given [${dimsOf(x)}] with ${last}.`);
  // The last axis must stand last; those before it may stay as they are.
  const order = x.order.at(-1) === rank - 1 ? x.order : inOrder(rank);
  const layer = dense(units, { bias: bias !== undefined });
  const run = (scope: Scope, value: Value): Value =>
    rank > 1 ? layer.apply(scope, value) : view(scope, layer.apply(scope, view(scope, value, [1, length])), [units]);
  return stepOf(x, run, order, { kind: "dense", weights: { weight: w, ...(bias && { bias }) } });
}

/** Under more leading axes, and as often as they want. */
function led(scope: Scope, x: Value, lead: readonly number[]): Value {
  const own = x.shape.slice(0, -2);
  const full = view(scope, x, [...lead.slice(own.length).map(() => 1), ...x.shape]);
  const repeats = full.shape.map((length, i) => (i < lead.length ? (lead[i] as number) / length : 1));
  return tiled(scope, full, repeats);
}

/** A product of any two, with what is added. */
function productStep(
  node: Node,
  about: About,
  [a, b]: readonly [Known, Known],
  c: Known | undefined,
  {
    alpha,
    beta,
    transposeA,
    transposeB,
  }: { readonly alpha: number; readonly beta: number; readonly transposeA: boolean; readonly transposeB: boolean },
): Step {
  const { takes, weights, take } = operands(node, about);
  const [left, right, offset] = [take(a, "weight"), take(b, "weight"), c && take(c, "bias")];
  const [given, other] = [dimsOf(a), dimsOf(b)];
  const [m, n] = [given.length === 1, other.length === 1];
  const [first, second] = [m ? [1, ...given] : given, n ? [...other, 1] : other];
  const lead = joint(node, first.slice(0, -2), second.slice(0, -2));
  const [rows, units] = [first.at(transposeA ? -1 : -2) as number, second.at(transposeB ? -2 : -1) as number];
  const dims = [...lead, ...(m ? [] : [rows]), ...(n ? [] : [units])];
  if (c !== undefined) joint(node, dims, dimsOf(c));
  return {
    ...{ takes, weights, orders: [inOrder(dims.length)] },
    run(scope, values) {
      const [x, y] = [view(scope, left(scope, values), first), view(scope, right(scope, values), second)];
      const attributes = { transposeA, transposeB };
      const made = scope.op(ops.matmul, { a: led(scope, x, lead), b: led(scope, y, lead) }, attributes).c;
      const scaled = scale(scope, view(scope, made, dims), alpha);
      return offset === undefined ? scaled : pair("add")(scope, scaled, scale(scope, offset(scope, values), beta));
    },
  };
}

/** A bias that is one number, or a vector in a row, as one for each unit. */
const spread = (given: Host, units: number): Host => ({
  ...given,
  dims: [units],
  data: sizeOf(given.dims) === units ? given.data : new Float64Array(units).fill(given.data[0] as number),
});

/** With a matrix of weights it is a dense layer, else a product of any two; a product without attributes has those of Gemm by default. */
const gemm: Row = (node, ins, about) => {
  const [a, b] = [needed(node, ins, 0, "first matrix"), needed(node, ins, 1, "second matrix")];
  const c = ins[2];
  const [alpha, beta] = [node.float("alpha", 1), node.float("beta", 1)];
  const [transposeA, transposeB] = [node.int("transA", 0) !== 0, node.int("transB", 0) !== 0];
  const units = dimsOf(b)[transposeB ? 0 : 1] as number;
  const isRow = isHost(c) && sizeOf(c.dims) === (c.dims.at(-1) ?? 1) && [1, units].includes(sizeOf(c.dims));
  if (isLive(a) && isHost(b) && b.dims.length === 2 && !transposeA && (c === undefined || isRow)) {
    const of = (factor: number) => (factor === 1 ? {} : { of: (value: number) => factor * value });
    const w = weight(node, b, about, { axes: transposeB ? [1, 0] : [0, 1], ...of(alpha) });
    return denseStep(node, a, w, isHost(c) ? weight(node, spread(c, units), about, of(beta)) : undefined);
  }
  return productStep(node, about, [a, b], c, { alpha, beta, transposeA, transposeB });
};

/** softmax(scale q k) v, for each head of [B, heads, T, D], where k has its last two axes turned: a group that is recognised. */
const attention: Row = (node, ins) => {
  const given = [0, 1, 2].map((i) => flowing(node, ins[i], "operand")) as [Live, Live, Live];
  const [q, turned, v] = given;
  const factor = node.float("scale", 1);
  const rank = q.order.length;
  const swap = (axis: number): number => (axis < rank - 2 ? axis : 2 * rank - 3 - axis);
  const k = { ...turned, order: turned.order.map(swap) };
  const [dims, keys, values] = [dimsOf(q), dimsOf(k), dimsOf(v)];
  // Heads stand beside each other in a row.
  const order = { 3: [0, 1, 2], 4: [0, 2, 1, 3] }[rank];
  const isOne =
    String(dims.slice(0, rank - 2)) === String(keys.slice(0, rank - 2)) &&
    String(keys) === String(values) &&
    dims.at(-1) === keys.at(-1);
  if (order !== undefined && isOne) {
    const heads = rank === 4 ? (dims[1] as number) : 1;
    return {
      ...{ takes: [q, k, v], orders: [order] },
      run(scope, given) {
        const [a, b, c] = [q, k, v].map((one, i) => {
          const moved = arrange(scope, given[i] as Value, one.order, order);
          const [batch, length, ...rest] = moved.shape as [number, number, ...number[]];
          return view(scope, moved, [batch, length, sizeOf(rest)]);
        }) as [Value, Value, Value];
        const y = scope.op(ops.attention, { q: a, k: b, v: c }, { heads, scale: factor }).y;
        return view(
          scope,
          y,
          order.map((axis) => dims[axis] as number),
        );
      },
    };
  }
  // As it is written.
  const lead = given.reduce((lead: readonly number[], one) => joint(node, lead, dimsOf(one).slice(0, -2)), []);
  return {
    ...{ takes: given, orders: [inOrder(lead.length + 2)] },
    run(scope, values) {
      const [a, b, c] = given.map((one, i) => led(scope, plain(scope, values[i] as Value, one), lead)) as [
        Value,
        Value,
        Value,
      ];
      const scores = scale(scope, scope.op(ops.matmul, { a, b }).c, factor);
      return scope.op(ops.matmul, { a: softmax().apply(scope, scores), b: c }).c;
    },
  };
};

export const product: Readonly<Record<string, Row>> = { Attention: attention, Gemm: gemm, MatMul: gemm };
