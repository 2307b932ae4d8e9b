// Operators that look along axes: sums and extremes, softmax, layer normalization.

import { sizeOf } from "../../foreign/strided.ts";
import { layerNorm, logSoftmax, ops, rmsNorm, type Scope, softmax, type Value } from "../../index.ts";
import { scale } from "../function.ts";
import type { Host } from "../host.ts";
import { constant, dimsOf, hostAt, inputOf, type Row, stepOf, view, weight, z } from "../live.ts";
import { axesOf, axisAsked, expectDims, inOrder } from "../node.ts";
import { reducedAxes } from "../shapes.ts";

/** What is summed, or reduced else, over the same axes each time. */
type Over = (name: "sum" | "mean" | "max" | "min", x: Value) => Value;

const over =
  (scope: Scope, axes: readonly number[], batch = false): Over =>
  (name, x) =>
    scope.op(ops[name], { x }, { axes, keepDims: true, batch }).y;

type Along = (scope: Scope, x: Value, of: Over) => Value;

const plain =
  (name: "sum" | "mean" | "max" | "min"): Along =>
  (_, x, of) =>
    of(name, x);

const square = (scope: Scope, x: Value): Value => z(scope, "square", x);
const log = (scope: Scope, x: Value): Value => z(scope, "log", x);

/** The logarithm of a sum of powers, without powers that are too large. */
const logSumExp: Along = (scope, x, of) => {
  const most = of("max", x);
  const powers = z(scope, "exp", z(scope, "subtract", x, most));
  return z(scope, "add", log(scope, of("sum", powers)), most);
};

const reduction =
  (along: Along): Row =>
  (node, ins) => {
    const x = inputOf(node, ins);
    const rank = x.order.length;
    const axes = reducedAxes(node, rank, constant(node, ins[1], "axes"));
    if (axes === undefined || rank === 0) return x;
    const places = x.order.flatMap((axis, place) => (axes.includes(axis) ? [place] : []));
    const keep = node.int("keepdims", 1) === 1;
    const left = inOrder(rank).filter((axis) => !axes.includes(axis));
    const order = keep ? x.order : x.order.filter((axis) => !axes.includes(axis)).map((axis) => left.indexOf(axis));
    const run = (scope: Scope, value: Value, per?: number): Value => {
      const y = along(scope, value, over(scope, places, per === 1 && places.includes(0)));
      return keep
        ? y
        : view(
            scope,
            y,
            y.shape.filter((_, place) => !places.includes(place)),
          );
    };
    return stepOf(x, run, x.order, { orders: [order] });
  };

/** Along one axis, which is brought to the end; before opset 13, along all from an axis on. */
const shares =
  (kind: "softmax" | "logSoftmax"): Row =>
  (node, ins) => {
    const x = inputOf(node, ins);
    const dims = dimsOf(x);
    const rank = dims.length;
    const isOld = node.opset < 13;
    const axis = axisAsked(node, rank, isOld ? 1 : -1);
    const layer = kind === "softmax" ? softmax() : logSoftmax();
    if (isOld && axis !== rank - 1 && sizeOf(dims.slice(axis + 1)) !== 1) {
      const rows = [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis))];
      return stepOf(
        x,
        (scope, value) => view(scope, layer.apply(scope, view(scope, value, rows)), dims),
        inOrder(rank),
      );
    }
    const order = [...x.order.filter((one) => one !== axis), axis];
    return stepOf(x, layer.apply, order);
  };

/** Over all axes from one on, or over those that the attribute `axes` of a recognised one names. */
const normalization: Row = (node, ins, about) => {
  const x = inputOf(node, ins);
  const dims = dimsOf(x);
  const rank = dims.length;
  const first = axisAsked(node, rank, -1);
  const axes = axesOf(node, node.ints("axes") ?? inOrder(rank).slice(first), rank);
  const order = [...x.order.filter((axis) => !axes.includes(axis)), ...axes];
  const length = sizeOf(axes.map((axis) => dims[axis] as number));
  const names = ["gamma", "beta"] as const;
  const weights = Object.fromEntries(
    names.flatMap((name, i) => {
      const one = ins[i + 1];
      if (one === undefined) return [];
      const given = constant(node, one, name) as Host;
      const count = sizeOf(given.dims);
      if (count !== 1) expectDims(node, name, [count], [length]);
      const data = count === length ? given.data : new Float64Array(length).fill(given.data[0] as number);
      return [[name, weight(node, { ...given, dims: [length], data }, about)]];
    }),
  );
  const eps = node.float("epsilon", 1e-5);
  const layer = layerNorm({ eps, scale: "gamma" in weights, offset: "beta" in weights });
  const more = [1, 2].some((output) => about.isUsed(node, output));
  const last = inOrder(rank).slice(rank - axes.length);
  const run = (scope: Scope, moved: Value): Value | readonly Value[] => {
    const rows = view(scope, moved, [...moved.shape.slice(0, rank - axes.length), length]);
    const safe = rows.shape.length > 1 ? rows : view(scope, rows, [1, length]);
    const y = view(scope, layer.apply(scope, safe), moved.shape);
    if (!more) return y;
    const of = over(scope, last);
    const mean = of("mean", moved);
    const centered = z(scope, "subtract", moved, mean);
    const variance = of("mean", square(scope, centered));
    return [y, mean, scope.op(ops.pow, { x: scale(scope, variance, 1, eps) }, { exponent: -0.5 }).z];
  };
  return stepOf(x, run, order, { weights, orders: [order, order, order] });
};

/** By the root mean square of the last axis: a group that is recognised. */
const rms: Row = (node, ins, about) => {
  const x = inputOf(node, ins);
  const rank = x.order.length;
  const gamma = hostAt(node, ins, 1, "scale");
  const length = dimsOf(x).at(-1) as number;
  expectDims(node, "scale", gamma.dims, [length]);
  const order = [...x.order.filter((axis) => axis !== rank - 1), rank - 1];
  const layer = rmsNorm({ eps: node.float("epsilon", 1e-5) });
  return stepOf(x, layer.apply, order, { weights: { gamma: weight(node, gamma, about) } });
};

export const reduce: Readonly<Record<string, Row>> = {
  LayerNormalization: normalization,
  LogSoftmax: shares("logSoftmax"),
  ReduceL1: reduction((scope, x, of) => of("sum", z(scope, "abs", x))),
  ReduceL2: reduction((scope, x, of) => z(scope, "sqrt", of("sum", square(scope, x)))),
  ReduceLogSum: reduction((scope, x, of) => log(scope, of("sum", x))),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceMax: reduction(plain("max")),
  ReduceMean: reduction(plain("mean")),
  ReduceMin: reduction(plain("min")),
  ReduceSum: reduction(plain("sum")),
  ReduceSumSquare: reduction((scope, x, of) => of("sum", square(scope, x))),
  RmsNormalization: rms,
  Softmax: shares("softmax"),
};
