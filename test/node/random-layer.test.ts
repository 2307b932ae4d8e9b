// Custom layers at random: every parameter has a gradient of its own, it is right in f64, and the step can be recorded.

import { describe, expect, test } from "vitest";
import { differentiate } from "../../src/graph/backward.ts";
import { fuse } from "../../src/graph/fuse.ts";
import { isView, storageOf, tensorAt } from "../../src/graph/graph.ts";
import { plainFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import { type Layer, meanSquaredError, ops, type Scope, type Value } from "../../src/index.ts";
import type { Op } from "../../src/op/op.ts";
import { columnSum } from "../../src/op/sum.ts";
import { size, type Tensor } from "../../src/op/tensor.ts";
import { plan } from "../../src/plan/plan.ts";
import { record } from "../../src/step/record.ts";
import { difference, gradientErrors, largest } from "../reference/gradient.ts";
import { interpret } from "../reference/interpret.ts";
import { apply } from "../reference/ops.ts";
import { randomLayer } from "../reference/random-layer.ts";
import { alone } from "../reference/streams.ts";
import { type TracedModel, tracedModel } from "../reference/traced-model.ts";
import { exact } from "../reference/twin.ts";

const SEEDS = Array.from({ length: 80 }, (_, seed) => seed);
const step = { step: 1, start: 0, count: 3 };

/** Each gradient is a tensor that no kernel reads, as long as its parameter, and the step obeys the memory laws. */
function expectOwned({ graph, gradients, parameterIds, layout }: TracedModel): void {
  const kernels = graph.nodes.filter((node) => !isView(graph, node));
  const read = new Set(kernels.flatMap(({ inputs }) => inputs.map((id) => storageOf(graph, id))));
  for (const [parameter, id] of gradients) {
    expect(tensorAt(graph, id)).toMatchObject({ role: "gradient", of: parameter });
    expect(size(tensorAt(graph, id).shape)).toBe(size(tensorAt(graph, parameter).shape));
    expect(tensorAt(graph, id).view).toBeUndefined();
    expect(read).not.toContain(id);
  }
  expect(new Set(gradients.values()).size).toBe(gradients.size);
  const fused = fuse(graph, new Set());
  record(fused, plan(fused, layout, parameterIds, new Set()), { name: "train", device: { software: true } });
}

/** Fusion changes no gradient. */
function expectFusedEqual({ graph, given, gradients }: TracedModel): void {
  const [plain, fused] = [graph, fuse(graph, new Set())].map((one) => interpret(one, given, step, exact));
  for (const id of gradients.values()) {
    const [a, b] = [plain!.get(id)!, fused!.get(id)!];
    expect(largest(difference(a, b)), tensorAt(graph, id).name).toBeLessThanOrEqual(1e-12 * largest(a));
  }
}

describe("the gradient of a random layer is right", () => {
  test.each(SEEDS)("%d", (seed) => {
    const made = tracedModel(randomLayer(seed));
    expectOwned(made);
    for (const { parameter, error } of gradientErrors(made, step)) {
      expect(error, `gradient of ${parameter}`).toBeLessThan(1e-6);
    }
    expectFusedEqual(made);
  });

  test("and they use every op that there is, every form of a product, and copies", () => {
    const nodes = SEEDS.flatMap((seed) => tracedModel(randomLayer(seed)).graph.nodes);
    const seen = new Set(nodes.map(({ op }) => op.name));
    expect(Object.keys(ops).filter((op) => !seen.has(op))).toEqual([]);
    expect(seen).toContain("copy");
    const forms = nodes.flatMap(({ op, attributes }) =>
      op.name === "matmul" ? [`${attributes.transposeA === true} ${attributes.transposeB === true}`] : [],
    );
    expect(new Set(forms).size).toBe(4);
  });
});

const layer = (apply: (scope: Scope, x: Value) => Value): Layer => ({ kind: "custom", apply });
const ones = (shape: readonly number[]): Float32Array => new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1);
const traced = (model: Layer): TracedModel => tracedModel({ model, input: [4], batch: 3, loss: meanSquaredError() });

describe("a gradient that somebody else reads is copied", () => {
  const cases: Readonly<Record<string, [Layer, copies: number]>> = {
    // What a loss makes beside its rows is copied.
    "x + p": [layer((s, x) => apply(s, "add", [x, s.parameter("p", [3, 4], ones)])), 1],
    "x + p + q": [
      layer((s, x) =>
        apply(s, "add", [apply(s, "add", [x, s.parameter("p", [3, 4], ones)]), s.parameter("q", [3, 4], ones)]),
      ),
      2,
    ],
    "p + p": [
      layer((s, x) => {
        const p = s.parameter("p", [3, 4], ones);
        return apply(s, "add", [x, apply(s, "add", [p, p])]);
      }),
      0,
    ],
    "x w + p": [
      layer((s, x) =>
        apply(s, "add", [apply(s, "matmul", [x, s.parameter("w", [4, 2], ones)]), s.parameter("p", [3, 2], ones)]),
      ),
      1,
    ],
    "a view": [
      layer((s, x) => apply(s, "matmul", [x, apply(s, "reshape", [s.parameter("p", [8], ones)], { shape: [4, 2] })])),
      0,
    ],
    "views of one gradient": [
      layer((s, x) => {
        const seen = (name: string) => apply(s, "reshape", [s.parameter(name, [4, 2], ones)], { shape: [2, 4] });
        return apply(s, "matmul", [x, apply(s, "add", [seen("p"), seen("q")])], { transposeB: true });
      }),
      2,
    ],
    "a product of two transposed parameters, with a bias": [
      layer((s, x) => {
        const [p, q] = [s.parameter("p", [3, 4], "glorotNormal"), s.parameter("q", [2, 3], "glorotNormal")];
        const product = apply(s, "matmul", [p, q], { transposeA: true, transposeB: true });
        return apply(s, "matmul", [x, apply(s, "bias", [product, s.parameter("b", [2], ones)])]);
      }),
      0,
    ],
    "a parameter and its view": [
      layer((s, x) => {
        const p = s.parameter("p", [4, 4], ones);
        const y = apply(s, "matmul", [x, p]);
        return apply(s, "matmul", [
          y,
          apply(s, "reshape", [apply(s, "reshape", [p], { shape: [16] })], { shape: [4, 4] }),
        ]);
      }),
      0,
    ],
  };

  test.each(Object.entries(cases))("%s", (_, [model, copies]) => {
    const made = traced(model);
    expectOwned(made);
    expect(made.gradients.size).toBe(made.parameterIds.length);
    for (const { error } of gradientErrors(made, step)) expect(error).toBeLessThan(1e-6);
    expectFusedEqual(made);
    expect(made.graph.nodes.filter(({ op }) => op.name === "copy")).toHaveLength(copies);
  });
});

test("a backward rule that gives a gradient of another shape is found when the graph is made", () => {
  const wrong = {
    ...ops.gelu,
    back: ({ dz }, { give, emit }) => give("x", () => emit(columnSum, { x: dz as Tensor }).y),
  } satisfies Op<"x", "z">;
  const model = layer((s, x) => s.op(wrong, { x: apply(s, "matmul", [x, s.parameter("w", [4, 2], ones)]) }).z);
  const inputs = alone([4]);
  const { graph, objective, parameterIds } = trace(model, {
    inputs,
    batch: 3,
    format: plainFormat(inputs),
    loss: meanSquaredError(),
    mode: "train",
  });
  expect(() => differentiate(graph, objective!.losses, new Set(parameterIds))).toThrow(
    'internal: "gelu" has "x" as [3,2] and gives its gradient as [2].',
  );
});
