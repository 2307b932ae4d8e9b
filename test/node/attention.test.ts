// Attention and rotary positions in f64 against PyTorch, and what is refused.

import { describe, expect, test } from "vitest";
import { differentiate } from "../../src/graph/backward.ts";
import { addTensor, emit, type Graph } from "../../src/graph/graph.ts";
import {
  dense,
  functional,
  type Layer,
  meanSquaredError,
  multiHeadAttention,
  ops,
  relu,
  rotary,
  sequential,
  summary,
  transformerBlock,
  type Value,
} from "../../src/index.ts";
import type { Attributes, Op } from "../../src/op/op.ts";
import { size, type Tensor } from "../../src/op/tensor.ts";
import golden from "../golden/attention.json";
import { distance, type LayerCase, layerCases, masked, numbers, weightsOf } from "../golden/attention.ts";
import { interpret } from "../reference/interpret.ts";
import { opNamed } from "../reference/ops.ts";
import { tracedModel } from "../reference/traced-model.ts";
import { exact } from "../reference/twin.ts";
import { programOf } from "./program.ts";

const TOLERANCE = 1e-9;

/** The first output of an op and the gradients of its parameters, where the loss is the mean squared distance from `numbers(4)`. */
function learned(
  op: Op,
  inputs: readonly { shape: readonly number[]; values: Float64Array; wanted?: boolean }[],
  attributes: Attributes,
) {
  const graph: Graph = { tensors: [], nodes: [] };
  const given = new Map<number, Float64Array>();
  const add = (name: string, shape: readonly number[], values: Float64Array, wanted: boolean): Tensor => {
    const tensor = addTensor(graph, { name, shape, dtype: "f32", role: wanted ? "parameter" : "data" });
    given.set(tensor.id, values);
    return tensor;
  };
  const tensors = inputs.map(({ shape, values, wanted = true }, i) => add(`input ${i}`, shape, values, wanted));
  const made = emit(
    graph,
    op,
    Object.fromEntries(op.inputs.map((name, i) => [name, tensors[i] as Tensor])),
    attributes,
  );
  const y = made[op.outputs[0] as string] as Tensor;
  const target = add("target", y.shape, numbers(4, size(y.shape)), false);
  const loss = emit(graph, opNamed("meanSquaredError"), { prediction: y, target }, { gradient: true });
  const wanted = tensors.filter(({ role }) => role === "parameter").map(({ id }) => id);
  const gradients = differentiate(graph, [loss.rows!.id], new Set(wanted));
  const values = interpret(graph, given, { step: 1, start: 0, count: y.shape[0]! }, exact);
  return { y: values.get(y.id)!, gradients: wanted.map((id) => values.get(gradients.get(id)!)!) };
}

test.each(golden.products.map((one) => [JSON.stringify({ ...one, y: 0, dq: 0, dk: 0, dv: 0 }), one] as const))(
  "attention as PyTorch has it: %s",
  (_, one) => {
    const { batch, queries, keys, heads, keyHeads, length, causal = false, scale } = one;
    const [q, k] = [
      [batch, queries, heads * length],
      [batch, keys, keyHeads * length],
    ] as const;
    const inputs = [
      { shape: q, values: numbers(1, size(q), 2) },
      { shape: k, values: numbers(2, size(k), 2) },
      { shape: k, values: numbers(3, size(k)) },
      ...(one.masked ? [{ shape: [batch, keys], values: masked(batch, keys), wanted: false }] : []),
    ];
    const { y, gradients } = learned(opNamed("attention"), inputs, { heads, keyHeads, causal, scale });
    expect(distance(y, one.y)).toBeLessThan(TOLERANCE);
    const expected = [one.dq, one.dk, one.dv];
    const all = expected.flat();
    for (const [i, values] of gradients.entries()) expect(distance(values, expected[i]!, all)).toBeLessThan(TOLERANCE);
  },
);

test.each(golden.rotary.map((one) => [`${one.shape} ${one.base} ${one.interleaved}`, one] as const))(
  "rotary positions as PyTorch has them: %s",
  (_, { shape, base, interleaved, y: turned, dx }) => {
    const inputs = [{ shape, values: numbers(1, size(shape)) }];
    const { y, gradients } = learned(opNamed("rotary"), inputs, { base, interleaved });
    expect(distance(y, turned)).toBeLessThan(TOLERANCE);
    expect(distance(gradients[0]!, dx)).toBeLessThan(TOLERANCE);
  },
);

interface Learned extends Pick<LayerCase, "batch" | "queries" | "features" | "y" | "gradients"> {}

/** A layer with these weights on `numbers(1)`, whose output, and the gradients of whose weights, are those of the case. */
function expectLearned(model: Layer, one: Learned, weights: Readonly<Record<string, Float64Array>>): void {
  const { batch, queries, features } = one;
  const made = tracedModel({ model, input: [queries, features], batch, loss: meanSquaredError() });
  const [x, y, order, norm] = made.graph.nodes[0]!.inputs as [number, number, number, number];
  const count = batch * queries * features;
  const given = new Map(made.given)
    .set(x, numbers(1, count))
    .set(y, numbers(4, count))
    .set(
      order,
      Float64Array.from({ length: batch }, (_, i) => i),
    )
    .set(norm, Float64Array.of(1, 1, 1, 1, 0, 0, 0, 0));
  const names = made.layout.tensors.map(({ name }) => name);
  for (const [i, name] of names.entries()) given.set(made.parameterIds[i]!, weights[name]!);
  const values = interpret(made.graph, given, { step: 1, start: 0, count: batch }, exact);
  expect(distance(values.get(made.prediction)!, one.y)).toBeLessThan(TOLERANCE);
  const all = Object.values(one.gradients).flat();
  expect(names.toSorted()).toEqual(Object.keys(one.gradients).sort());
  for (const [i, name] of names.entries()) {
    const gradient = values.get(made.gradients.get(made.parameterIds[i]!)!)!;
    expect(distance(gradient, one.gradients[name]!, all), name).toBeLessThan(TOLERANCE);
  }
}

test.each(
  layerCases
    .filter(({ keys }) => keys === undefined)
    .map((one) => [`${one.heads} heads, ${one.keyHeads} of keys`, one] as const),
)("multiHeadAttention as PyTorch has it: %s", (_, one) => {
  const { heads, keyHeads, causal = false } = one;
  expectLearned(multiHeadAttention({ heads, keyHeads, causal }) as Layer, one, weightsOf(one));
});

test.each(golden.blocks.map((one) => [one.norm, one] as const))(
  "transformerBlock as PyTorch's TransformerEncoderLayer: %s",
  (_, one) => {
    const { heads, hidden, causal } = one;
    const weights = Object.entries(one.shapes).map(([name, shape], i) => [name, numbers(30 + i, size(shape))] as const);
    const block = transformerBlock({ heads, hidden, causal, norm: one.norm as "pre" | "post" });
    expectLearned(block, one as Learned, Object.fromEntries(weights));
  },
);

test("a block refuses what it cannot be, and drops in training alone", () => {
  expect(() => transformerBlock({ heads: 2, norm: "both" as never })).toThrow(
    'transformerBlock: norm is "both", it must be "pre" or "post".',
  );
  expect(() => transformerBlock({ heads: 2, dropout: 1 })).toThrow(
    "transformerBlock: dropout is 1, it must be at least 0 and below 1.",
  );
  expect(() => transformerBlock({ heads: 2, units: 4 } as never)).toThrow('transformerBlock: it has no "units".');
  expect(() => transformerBlock({ heads: 2, activation: "relu" as never })).toThrow(
    'transformerBlock: "activation" is no layer',
  );
  expect(() =>
    programOf(sequential([transformerBlock({ heads: 4 })]), { input: [3, 6], loss: meanSquaredError() }),
  ).toThrow(/^multiHeadAttention "0.attention": /);
  const block = sequential([transformerBlock({ heads: 2, dropout: 0.1 })]);
  const draws = (mode: "train" | "evaluate") =>
    programOf(block, { input: [3, 6], loss: meanSquaredError(), mode }).recording.commands.filter(
      ({ kernel }) => kernel === "draw",
    ).length;
  expect([draws("train"), draws("evaluate")]).toEqual([2, 0]);
});

const loss = meanSquaredError();
const trained = (model: Layer, input: readonly number[], more: object = {}) =>
  programOf(model, { input, batch: 2, loss, ...more });

test("a layer has three dispatches forward, its projections beside each other, two on the way back, and weights under four names", () => {
  const model = multiHeadAttention({ heads: 4, keyHeads: 2, causal: true, units: 16 });
  const { recording, parameters } = trained(model, [9, 6], { mode: "predict" });
  expect(recording.commands.map(({ kernel }) => kernel)).toEqual(["gather", ...["matmul", "attention", "matmul"]]);
  expect(recording.commands[1]?.layer).toBe("query + key + value");
  expect(parameters.map(({ name, shape }) => `${name} [${shape}]`)).toEqual([
    ...["query.weight [6,16]", "query.bias [16]", "key.weight [6,8]", "key.bias [8]", "value.weight [6,8]"],
    ...["value.bias [8]", "output.weight [16,6]", "output.bias [6]"],
  ]);
  const training = trained(model, [9, 6]).recording.commands.map(
    ({ kernel, parts = [0] }) => `${kernel} x ${parts.length}`,
  );
  expect(training.filter((kernel) => kernel.startsWith("attention"))).toEqual([
    ...["attention x 1", "attention-delta x 1", "attention-backward x 2"],
  ]);
  // Frozen weights before the keys leave no gradient of keys and values behind.
  const frozen = new Set(["key.weight", "key.bias", "value.weight", "value.bias"]);
  const rest = trained(model, [9, 6], { frozen }).recording.commands.map(({ kernel }) => kernel);
  expect(rest.filter((kernel) => kernel === "attention-backward")).toHaveLength(1);
});

test("positions turn queries and keys, and nothing else", () => {
  const model = multiHeadAttention({ heads: 2, positions: rotary() });
  const { recording } = trained(model, [9, 8], { mode: "predict" });
  const { commands } = recording;
  expect(commands.filter(({ kernel }) => kernel === "rotary").map(({ note }) => note)).toEqual([
    "[2x9x2x4]",
    "[2x9x2x4]",
  ]);
});

test("no tensor holds a matrix of scores", () => {
  const { graph } = tracedModel({ model: multiHeadAttention({ heads: 2 }), input: [300, 4], batch: 1, loss });
  expect(Math.max(...graph.tensors.map(({ shape }) => size(shape)))).toBeLessThan(300 * 300);
});

test("counts its products and those of its dense layers", () => {
  const { layers } = summary(multiHeadAttention({ heads: 2 }), { input: [10, 4] });
  const all = layers.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
  expect(all).toBe(4 * 10 * 4 * 4 + 2 * 10 * 10 * 4);
});

describe("refused is", () => {
  const named = (input: Record<string, readonly number[]>, build: (x: Record<string, Value>) => object) => () =>
    programOf(
      functional((x: Record<string, Value>, { use }) =>
        use("look", multiHeadAttention({ heads: 2 }), build(x) as { query: Value }),
      ),
      { inputs: Object.entries(input).map(([name, shape]) => ({ name, shape })), batch: 2, loss } as never,
    );
  const q = [3, 4];

  test.each([
    [
      () => multiHeadAttention(undefined as never),
      "OptionError: multiHeadAttention: its options are undefined, they must be an object. Write multiHeadAttention({ heads: 8 }).",
    ],
    [
      () => multiHeadAttention({} as never),
      "OptionError: multiHeadAttention: heads is undefined, it must be a whole number of at least 1.",
    ],
    [
      () => multiHeadAttention({ heads: 4, keyHeads: 3 }),
      "OptionError: multiHeadAttention: 4 heads cannot share 3 heads of keys. Let keyHeads divide heads.",
    ],
    [
      () => multiHeadAttention({ heads: 4, keyHeads: 0 }),
      "OptionError: multiHeadAttention: keyHeads is 0, it must be a whole number of at least 1.",
    ],
    [
      () => multiHeadAttention({ heads: 4, units: 6 }),
      "OptionError: multiHeadAttention: 6 units cannot be divided into 4 heads.",
    ],
    [
      () => multiHeadAttention({ heads: 4, positions: relu as never }),
      'OptionError: multiHeadAttention: "positions" is no layer, it is a function. Call it, for example relu() and not relu.',
    ],
    [
      () => multiHeadAttention({ heads: 4, dropout: 0.1 } as never),
      'OptionError: multiHeadAttention: it has no "dropout". It may have heads, keyHeads, units, causal, bias, positions, initializer.',
    ],
    [
      () => trained(sequential({ look: multiHeadAttention({ heads: 4 }) }), [3, 6]),
      'ShapeError: multiHeadAttention "look": 6 features cannot be divided into 4 heads. Give units.',
    ],
    [
      () => trained(multiHeadAttention({ heads: 2 }), [6]),
      "ShapeError: multiHeadAttention: it was given [2,6], it must be [batch, length, features].",
    ],
    [
      named({ q, m: [4] }, ({ q, m }) => ({ query: q, mask: m })),
      'ShapeError: attention "look": it was given [2,3,4] and [2,3,4] and [2,3,4] and [2,4]. The mask must be [2,3]: a number for each key of a sample, 0 where it is hidden.',
    ],
    [
      named({ q, k: [5, 4], v: [6, 4] }, ({ q, k, v }) => ({ query: q, key: k, value: v })),
      'ShapeError: attention "look": it was given [2,3,4] and [2,5,4] and [2,6,4]. Give queries [batch, queries, features], and keys and values [batch, keys, features] of one shape.',
    ],
    [
      named({ q, v: q }, ({ q, v }) => ({ query: q, memory: v })),
      'OptionError: multiHeadAttention "look": its input has no "memory". It may have query, value, key, mask.',
    ],
    [
      named({ q, v: q }, ({ v }) => ({ value: v })),
      'OptionError: multiHeadAttention "look": its input has no "query". Give { query, value, mask }.',
    ],
    [() => rotary({ base: 0 }), "OptionError: rotary: base is 0, it must be a finite number of at least 1."],
    [
      () => trained(sequential({ turn: rotary(), head: dense(2) }), [3, 5]),
      'ShapeError: rotary "turn": it was given [2,3,5]. Give [batch, places, .., length of a head], with an even length and at most 1048576 places.',
    ],
    [
      () => trained(multiHeadAttention({ heads: 2, positions: rotary() }), [3, 6]),
      'ShapeError: rotary "positions": it was given [2,3,2,3]. Give [batch, places, .., length of a head], with an even length and at most 1048576 places.',
    ],
    [
      () =>
        trained(
          functional((x, { use, scope }) =>
            use("d", dense(4), scope.op(ops.attention, { q: x, k: x, v: x }, { heads: 4, keyHeads: 3 }).y),
          ),
          [3, 8],
        ),
      "ShapeError: attention: it was given [2,3,8] and [2,3,8] and [2,3,8]. Its 4 heads of queries and 3 of keys must divide the last axes into heads of one length, and the second number the first.",
    ],
    [
      () =>
        trained(
          functional((x, { use, scope }) =>
            use("d", dense(4), scope.op(ops.attention, { q: x, k: x, v: x }, { scale: Number.NaN }).y),
          ),
          [3, 8],
        ),
      "OptionError: attention: scale is NaN, it must be a finite number.",
    ],
  ] as const)("%#", (make, message) => {
    let found = "accepted";
    try {
      make();
    } catch (error) {
      found = String(error);
    }
    expect(found).toBe(message);
  });
});
