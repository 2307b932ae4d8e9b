// Where a graph is cut whose layers at the input are frozen: behind them, where each sample still has a row of its own.

import { describe, expect, test } from "vitest";
import { after, before, frontierOf } from "../../src/graph/cut.ts";
import { tensorAt } from "../../src/graph/graph.ts";
import { plainFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import {
  conv1d,
  dense,
  flatten,
  type Layer,
  meanSquaredError,
  ops,
  residual,
  sequential,
  tanh,
} from "../../src/index.ts";
import { alone } from "../reference/streams.ts";

/** The shape at which a model is cut whose layers below `frozen` rest, and the ops on either side. */
function cut(model: Layer, frozen: string) {
  const inputs = alone([5, 3]);
  const options = { inputs, batch: 4, format: plainFormat(inputs), loss: meanSquaredError(), mode: "train" } as const;
  const { graph, parameters, parameterIds } = trace(model, options);
  const wanted = new Set(parameterIds.filter((_, i) => !parameters[i]!.name.startsWith(frozen)));
  const frontier = frontierOf(graph, wanted, new Set());
  if (frontier === undefined) return undefined;
  const [stem, rest] = [before(graph, frontier), after(graph, frontier)].map(({ nodes }) =>
    nodes.map(({ op }) => op.name).filter((name) => name !== "gather"),
  );
  return { shape: tensorAt(graph, frontier).shape, stem, rest };
}

const normed = (batch: boolean): Layer => ({
  kind: "normed",
  apply(scope, x) {
    const attributes = batch ? { axes: [0], keepDims: true, batch } : { axes: [-1], keepDims: true };
    return scope.op(ops.subtract, { x, y: scope.op(ops.mean, { x }, attributes).y }).z;
  },
});

describe("a graph is cut", () => {
  test("at samples, where the next layer sees them as rows of rows", () => {
    const found = cut(sequential({ stem: [dense(6), tanh()], head: [dense(2), flatten()] }), "stem");
    expect(found?.shape).toEqual([4, 5, 6]);
    expect(found?.stem).toEqual(["reshape", "matmul", "bias", "reshape", "tanh"]);
    expect(found?.rest?.slice(0, 3)).toEqual(["reshape", "matmul", "bias"]);
  });

  test("once, where they are seen in two ways", () => {
    const found = cut(sequential({ stem: dense(6), head: [residual([dense(6)]), flatten(), dense(2)] }), "stem");
    expect(found?.shape).toEqual([4, 5, 6]);
  });

  test("where a frozen weight stands behind it that is seen under another shape", () => {
    const behind = { head: dense(3), stemLike: conv1d(4, { kernel: 2 }), flat: flatten(), out: dense(2) };
    expect(cut(sequential({ stem: dense(6), ...behind }), "stem")?.shape).toEqual([4, 5, 6]);
  });

  test("behind means over a sample, but not behind those over samples, which are others each time", () => {
    const model = (batch: boolean) => sequential({ stem: [dense(6), normed(batch)], head: [flatten(), dense(2)] });
    expect(cut(model(false), "stem")?.stem?.at(-1)).toBe("reshape");
    expect(cut(model(true), "stem")?.stem).toEqual(["reshape", "matmul", "bias", "reshape"]);
  });
});
