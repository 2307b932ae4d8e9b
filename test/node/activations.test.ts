// Activations and functions of one number: values and gradients of the f64 twins against PyTorch's, what bad options are told, and
// where nothing is added to the graph.

import { expect, test } from "vitest";
import { differentiate } from "../../src/graph/backward.ts";
import { addTensor, emit, type Graph } from "../../src/graph/graph.ts";
import { plainFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import {
  type DenseOptions,
  dense,
  dropout,
  elu,
  type GeluOptions,
  gelu,
  glu,
  type Layer,
  leakyRelu,
  meanSquaredError,
  mish,
  ops,
  prelu,
  sequential,
  spatialDropout,
  stochasticDepth,
  swiglu,
} from "../../src/index.ts";
import type { Op } from "../../src/op/op.ts";
import golden from "../golden/activations.json";
import { interpret } from "../reference/interpret.ts";
import { opNamed } from "../reference/ops.ts";
import { alone } from "../reference/streams.ts";
import { tracedModel } from "../reference/traced-model.ts";
import { exact } from "../reference/twin.ts";
import { programOf } from "./program.ts";

test.each(golden.ops.map((one) => [`${one.op} ${JSON.stringify(one.attributes)}`, one] as const))(
  "%s is PyTorch's",
  (_, { op, attributes, ...one }) => {
    const graph: Graph = { tensors: [], nodes: [] };
    const shape = [1, one.x.length];
    const tensor = (name: string, role: "parameter" | "data") => addTensor(graph, { name, shape, dtype: "f32", role });
    const [x, t] = [tensor("x", "parameter"), tensor("t", "data")];
    const { z } = emit(graph, opNamed(op) as Op<"x", "z">, { x }, attributes as Record<string, number>);
    const { z: prediction } = emit(graph, ops.multiply, { x: z, y: t });
    const { rows } = emit(graph, opNamed("meanOf") as Op<"prediction", "rows">, { prediction }, { gradient: true });
    const dx = differentiate(graph, [rows.id], new Set([x.id])).get(x.id) as number;
    const given = new Map([x, t].map(({ id, name }) => [id, Float64Array.from(one[name as "x" | "t"])]));
    const values = interpret(graph, given, { step: 1, start: 0, count: 1 }, exact);
    // PyTorch takes 1 from 1 in gelu's tail and in elu near 0, x itself for softplus from 20 on, and a sixth as f32.
    const absolute = /elu/.test(op) ? 1e-14 : 0;
    const relative = op.startsWith("hard") ? 1e-7 : 1e-9;
    for (const [found, expected] of [
      [values.get(z.id), one.z],
      [values.get(dx), one.dx],
    ] as const) {
      for (const [i, value] of expected.entries()) {
        expect(Math.abs(found![i]! - value), `f(${one.x[i]})`).toBeLessThanOrEqual(
          relative * Math.abs(value) + absolute,
        );
      }
    }
  },
);

test("glu as torch.nn.functional.glu: the first half by the sigmoid of the second", () => {
  const made = tracedModel({ model: sequential([dense(4), glu()]), input: [4], batch: 2, loss: meanSquaredError() });
  const [x, , order, norm] = made.graph.nodes[0]!.inputs as [number, number, number, number];
  const [weight, bias] = made.parameterIds as [number, number];
  const given = new Map(made.given)
    .set(x, Float64Array.of(1, -2, 0.5, 3, 0.25, 4, -1, 2))
    .set(order, Float64Array.of(0, 1))
    .set(norm, Float64Array.of(1, 1, 1, 1, 0, 0, 0, 0))
    .set(weight, Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1))
    .set(bias, new Float64Array(4));
  const values = interpret(made.graph, given, { step: 1, start: 0, count: 2 }, exact);
  const expected = [0.6224593312018546, -1.9051482536448667, 0.06723535534249878, 3.5231883119115293];
  for (const [i, value] of values.get(made.prediction)!.entries()) expect(value).toBeCloseTo(expected[i]!, 14);
  expect(told(() => traced(glu(), [5]))).toBe("nothing was thrown");
  expect(told(() => programOf(sequential([dense(3), glu()])))).toBe(
    'ShapeError: glu "1": input has shape [32,3], its last axis must have two halves.',
  );
});

const traced = (layer: Layer, input: readonly number[] = [4]) => {
  const inputs = alone(input);
  const model = sequential({ stem: dense(4), own: layer });
  return trace(model, { inputs, batch: 3, format: plainFormat(inputs), loss: meanSquaredError(), mode: "train" });
};

const asked = (op: Op, attributes: Record<string, number>): Layer => ({
  kind: "asked",
  apply: (scope, x) => scope.op(op, { x }, attributes).z as typeof x,
});

const told = (use: () => unknown): string => {
  try {
    use();
  } catch (error) {
    return String(error);
  }
  return "nothing was thrown";
};

test("bad options are told by name, with what came and what to do", () => {
  const slips: (() => unknown)[] = [
    () => leakyRelu(0.2 as never),
    () => leakyRelu({ slope: -1 }),
    () => leakyRelu({ alpha: 0.2 } as never),
    () => elu({ alpha: Number.NaN }),
    () => gelu({ approximate: "tanh" } as unknown as GeluOptions),
    () => (mish as (given: unknown) => Layer)({ beta: 1 }),
    () => (prelu as (given: unknown) => Layer)(0.1),
    () => swiglu(0),
    () => swiglu(8, { activation: "silu" } as DenseOptions),
    () => dropout(1),
    () => dropout(-0.1),
    () => dropout(Number.NaN),
    () => dropout({ rate: 0.5 } as never),
    () => spatialDropout(2),
    () => traced(spatialDropout(0.5)),
    () => stochasticDepth([dense(4)], {} as never),
    () => stochasticDepth([dense(4)], { rate: 1 }),
    () => stochasticDepth([], { rate: 0.5 }),
    () => traced(stochasticDepth([dense(3)], { rate: 0.5 })),
    () => traced(asked(ops.pow, {})),
    () => traced(asked(ops.clip, {})),
    () => traced(asked(ops.clip, { min: 2, max: 1 })),
    () => traced(asked(ops.clip, { min: Number.NEGATIVE_INFINITY, max: 1 })),
  ];
  expect(slips.map(told)).toMatchInlineSnapshot(`
    [
      "OptionError: leakyRelu: its options are 0.2, they must be an object. Write leakyRelu({ slope: 0.2 }).",
      "OptionError: leakyRelu: slope is -1, it must be a finite number of at least 0.",
      "OptionError: leakyRelu: it has no "alpha". It may have slope.",
      "OptionError: elu: alpha is NaN, it must be a finite number of at least 0.",
      "OptionError: gelu: approximate is "tanh", it must be true or false.",
      "OptionError: mish: it was given {"beta":1}, but it has no options. Write mish().",
      "OptionError: prelu: it was given 0.1, but it has no options. Write prelu().",
      "OptionError: swiglu: units is 0, it must be a whole number of at least 1.",
      "OptionError: dense: it has no "activation". Put a layer after it, for example relu().",
      "OptionError: dropout: rate is 1, it must be at least 0 and below 1.",
      "OptionError: dropout: rate is -0.1, it must be at least 0 and below 1.",
      "OptionError: dropout: rate is NaN, it must be at least 0 and below 1.",
      "OptionError: dropout: rate is {"rate":0.5}, it must be at least 0 and below 1.",
      "OptionError: spatialDropout: rate is 2, it must be at least 0 and below 1.",
      "ShapeError: spatialDropout "own": input has shape [3,4], it must be [batch, .., channels] with an axis between. Use dropout().",
      "OptionError: stochasticDepth: rate is undefined, it must be at least 0 and below 1.",
      "OptionError: stochasticDepth: rate is 1, it must be at least 0 and below 1.",
      "OptionError: stochasticDepth: there are no layers. Give at least one.",
      "ShapeError: stochasticDepth "own": its layers turn [3,4] into [3,3], but both are added. Make them keep the shape.",
      "OptionError: pow "own": exponent is undefined, it must be a finite number.",
      "ShapeError: clip "own": it has neither min nor max. Give at least one.",
      "ShapeError: clip "own": min is 2 and max is 1. Give a min that is not above max.",
      "OptionError: clip "own": min is -Infinity, it must be a finite number.",
    ]
  `);
});

test("a rate of 0 adds nothing, and neither does who only looks", () => {
  const nodes = (layer: Layer, input?: readonly number[]) => traced(layer, input).graph.nodes.map(({ op }) => op.name);
  const bare = nodes(sequential([dense(4)]), [5, 4]);
  for (const layer of [dropout(0), spatialDropout(0)])
    expect(nodes(sequential([dense(4), layer]), [5, 4])).toEqual(bare);
  expect(nodes(stochasticDepth([dense(4)], { rate: 0 })).filter((name) => name === "drop" || name === "draw")).toEqual(
    [],
  );
  const inputs = alone([4]);
  const options = { inputs, batch: 3, format: plainFormat(inputs), loss: meanSquaredError() };
  for (const mode of ["evaluate", "predict"] as const) {
    const { graph, draws } = trace(sequential([dense(4), dropout(0.5)]), { ...options, mode });
    expect([graph.nodes.filter(({ op }) => op.name === "drop"), draws]).toEqual([[], []]);
  }
});

test("comparisons give no gradient, and what is chosen by them has one", () => {
  const masked: Layer = {
    kind: "masked",
    apply(scope, x) {
      const condition = scope.op(ops.greater, { x, y: scope.parameter("bound", [4], "zeros") }).z;
      return scope.op(ops.where, { condition, x, y: scope.op(ops.multiply, { x, y: condition }).z }).z;
    },
  };
  const { graph, objective, parameterIds, parameters } = traced(masked);
  const gradients = differentiate(graph, objective!.losses, new Set(parameterIds));
  const names = [...gradients.keys()].map((id) => parameters[parameterIds.indexOf(id)]!.name);
  expect(names).toEqual(["stem.weight", "stem.bias"]);
});
