// Fusion must not change what is computed. Each graph is evaluated in symbols, before and after: a value is the op that
// made it and the values that went in, so equal symbols are equal numbers. And some fusions must happen, others never.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { differentiate } from "../../src/graph/backward.ts";
import { fuse } from "../../src/graph/fuse.ts";
import type { Graph, Node } from "../../src/graph/graph.ts";
import { plainFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import {
  conv2d,
  dense,
  dropout,
  flatten,
  functional,
  gelu,
  type Layer,
  maxPool2d,
  meanSquaredError,
  ops,
  relu,
  residual,
  sequential,
  sigmoid,
  stochasticDepth,
  tanh,
} from "../../src/index.ts";
import type { Op } from "../../src/op/op.ts";
import { size } from "../../src/op/tensor.ts";
import { apply as ask, outputsOf } from "../reference/ops.ts";
import { alone } from "../reference/streams.ts";
import { programOf } from "./program.ts";
import { modelOf, steps } from "./random-model.ts";

interface Traced {
  readonly graph: Graph;
  readonly kept: ReadonlySet<number>;
}

/** Forward and backward graph of a model, unfused; its prediction and all gradients are kept. */
function traced(model: Layer, input: readonly number[], batch = 8): Traced {
  const inputs = alone(input);
  const found = trace(model, { inputs, batch, format: plainFormat(inputs), loss: meanSquaredError(), mode: "train" });
  const gradients = differentiate(found.graph, found.objective!.losses, new Set(found.parameterIds));
  return { graph: found.graph, kept: new Set([found.outputs[0]!.id, ...gradients.values()]) };
}

/** Numbers for symbols: the same parts give the same number. */
function createSymbols() {
  const known = new Map<string, number>();
  return (...parts: readonly unknown[]): number => {
    const key = JSON.stringify(parts);
    const number = known.get(key) ?? known.size;
    known.set(key, number);
    return number;
  };
}

type Symbols = ReturnType<typeof createSymbols>;

/** The symbol of every tensor; throws where a node reads what is not made yet. */
function evaluate(graph: Graph, symbol: Symbols): Map<number, number> {
  const values = new Map<number, number>();
  for (const { id, role } of graph.tensors)
    if (role === "parameter" || role === "data") values.set(id, symbol("leaf", id));
  const symbolOf = (id: number): number => {
    const value = values.get(id);
    if (value === undefined) throw new Error(`tensor ${id} is read before it is made`);
    return value;
  };
  const apply = (op: string, attributes: Node["attributes"], inputs: readonly number[], seen: unknown, output = 0) => {
    const own = op === "add" ? [...inputs].sort() : inputs;
    return symbol(op, attributes, own, seen, output);
  };
  /** What an op makes of a number depends on how it sees its inputs; one that works on each by itself sees only what is repeated. */
  const seenBy = (op: Op, shapes: readonly (readonly number[])[], whole: readonly number[]): unknown => {
    if (op.elementwise === undefined) return shapes;
    const short = shapes.map((shape) => (size(shape) === size(whole) ? "" : shape));
    return short.some((shape) => shape !== "") ? [short, whole] : "";
  };
  const partsOf = new Map<number, number>();
  for (const { op, inputs, outputs, attributes, epilogue } of graph.nodes) {
    const read = inputs.map(symbolOf);
    const own = read.slice(0, op.inputs.length);
    const shapes = inputs.map((id) => graph.tensors[id]!.shape);
    const ownShapes = shapes.slice(0, op.inputs.length);
    const whole = ownShapes.find((shape) => size(shape) === Math.max(...ownShapes.map(size))) ?? [];
    const regular = outputsOf(
      op,
      inputs.map((id) => graph.tensors[id]!),
      attributes,
    ).length;
    for (const [i, id] of outputs.entries()) {
      if (epilogue.some(({ kept }) => kept === i)) continue;
      if (i >= regular) {
        // The second output of a product is the column sum of its second input, perhaps in parts.
        const total = apply("columnSum", {}, [own[1] as number], shapes[1]?.at(-1));
        values.set(id, (attributes.splits ?? 1) === 1 ? total : symbol("parts", attributes.splits, total));
        partsOf.set(values.get(id) as number, total);
      } else if (op.name === "sumPartials" && partsOf.has(own[0] as number)) {
        values.set(id, partsOf.get(own[0] as number) as number);
      } else if (op.name === "columnSum") {
        values.set(id, apply(op.name, {}, own, shapes[0]?.at(-1)));
      } else {
        const isView = graph.tensors[id]?.view !== undefined;
        values.set(id, isView ? own[0]! : apply(op.name, attributes, own, seenBy(op, ownShapes, whole), i));
      }
    }
    for (const step of epilogue) {
      const [first] = outputs as [number];
      const inHand = symbolOf(first);
      if (step.kept !== undefined) values.set(outputs[step.kept] as number, inHand);
      const all = step.inputs.map((place) => (place === undefined ? inHand : (read[place] as number)));
      const seen = step.inputs.map((place) => (place === undefined ? step.shape : shapes[place]!));
      values.set(first, apply(step.op.name, step.attributes, all, seenBy(step.op, seen, step.shape)));
    }
  }
  return values;
}

function expectSame({ graph, kept }: Traced): Graph {
  const fused = fuse(graph, kept);
  const symbol = createSymbols();
  const before = evaluate(graph, symbol);
  const after = evaluate(fused, symbol);
  const needed = [...kept, ...graph.tensors.filter(({ role }) => role === "metrics").map(({ id }) => id)];
  for (const id of needed) expect(after.get(id), graph.tensors[id]?.name).toBe(before.get(id));
  expect(fused.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
  return fused;
}

/** The numbers of each sample under another shape. */
const view = (shape: readonly number[]): Layer => ({
  kind: "view",
  apply: (scope, x) => scope.op(ops.reshape, { x }, { shape: [x.shape[0]!, ...shape] }).y,
});

const opsOf = (graph: Graph): string[] =>
  graph.nodes.map(({ op, epilogue }) => [op.name, ...epilogue.map((step) => step.op.name)].join("+"));

describe("fusion changes no value", () => {
  test("of any graph of dense layers, activations and sums", () => {
    const layers = [dense(6), relu(), tanh(), gelu(), sigmoid()];
    fc.assert(
      fc.property(steps, (drawn) => void expectSame(traced(modelOf(drawn, layers, [dense(2)]), [6]))),
      { numRuns: 200 },
    );
  });

  test("of any graph of dense layers on rows of rows and of views of them", () => {
    const layers = [dense(6), relu(), view([3, 4, 6]), view([2, 6, 6]), gelu()];
    const same = functional((x, { use }) => use("back", view([12, 6]), x));
    fc.assert(
      fc.property(steps, (drawn) => {
        const parts = layers.map((layer) => sequential([layer, same]));
        expectSame(traced(modelOf(drawn, parts, [dense(2)]), [12, 6]));
      }),
      { numRuns: 100 },
    );
  });

  test("of any graph of convolutions, where weight gradients are summed in parts", () => {
    const layers = [conv2d(3, { padding: "same" }), relu(), conv2d(3, { kernel: 1, bias: false }), maxPool2d(1)];
    const end = [flatten(), dense(2)];
    fc.assert(
      fc.property(steps, (drawn) => void expectSame(traced(modelOf(drawn, layers, end), [6, 6, 3], 32))),
      { numRuns: 100 },
    );
  });

  test("where the sum of a bias runs over another shape than the product beside it", () => {
    const flatBias: Layer = {
      kind: "flatBias",
      apply: (scope, x) =>
        ask(scope, "bias", [
          x,
          scope.parameter("bias", [x.shape[1] as number], (shape) => new Float32Array(shape[0] as number)),
        ]),
    };
    const model = sequential({ conv: conv2d(3, { bias: false }), flat: flatten(), shift: flatBias });
    expectSame(traced(model, [4, 4, 1]));
  });
});

test("a sum that is read, as a view, before the product beside it is not made there", () => {
  const late: Layer = {
    kind: "late",
    apply(scope, x) {
      const product = ask(scope, "matmul", [x, scope.parameter("w", [6, 4], "glorotNormal")]);
      const bent = ask(scope, "tanh", [scope.parameter("b", [2, 2], "glorotNormal")]);
      return ask(scope, "bias", [product, ask(scope, "reshape", [bent], { shape: [4] })]);
    },
  };
  expect(opsOf(expectSame(traced(late, [6])))).toContain("columnSum");
});

describe("fusion joins", () => {
  test("bias and activation with their product, and the way back of the activation with the next one", () => {
    const fused = expectSame(traced(sequential([dense(8), relu(), dense(2)]), [6]));
    expect(opsOf(fused)).toEqual([
      "gather",
      "matmul+bias+relu",
      "matmul+bias",
      "meanSquaredError",
      "metrics",
      "matmul",
      "matmul+reluBackward",
      "matmul",
    ]);
  });

  test("a bias gradient with the weight gradient, in one piece and in parts", () => {
    const small = expectSame(traced(sequential([dense(2)]), [6]));
    expect(small.nodes.at(-1)?.outputs).toHaveLength(2);
    const long = expectSame(traced(sequential([dense(2)]), [6], 512));
    expect(opsOf(long).slice(-3)).toEqual(["matmul", "sumPartials", "sumPartials"]);
  });
});

describe("a view stops no fusion", () => {
  const kernels = (model: Layer, input: readonly number[]): string[] =>
    opsOf(expectSame(traced(model, input))).filter((ops) => ops !== "reshape");
  const block = (): Layer => sequential([dense(6), gelu(), residual([dense(6), tanh()]), dense(6), relu(), dense(2)]);

  test("of dense layers on [B, T, C], which have the dispatches of those on [B T, C]", () => {
    const flat = kernels(block(), [6]);
    expect(kernels(block(), [5, 6])).toEqual(flat);
    expect(kernels(block(), [3, 5, 6])).toEqual(flat);
  });

  test("with a bias on the other side, whose entries then go through more than one axis", () => {
    const bias: Layer = {
      kind: "bias",
      apply: (scope, x) => ask(scope, "bias", [x, scope.parameter("b", [30], "zeros")]),
    };
    const model = sequential([dense(6, { bias: false }), flatten(), bias, relu(), view([3, 2, 5]), tanh(), dense(2)]);
    expect(kernels(model, [5, 4])).toEqual([
      "gather",
      "matmul+bias+relu",
      "tanh",
      "matmul+bias",
      "meanSquaredError",
      "metrics",
      "matmul",
      "matmul+tanhBackward+reluBackward",
      "columnSum",
      "matmul",
    ]);
  });

  test("and operands that are repeated join like any other", () => {
    const learned = (name: string, op: string, shape: readonly number[], swapped = false): Layer => ({
      kind: name,
      apply(scope, x) {
        const own = scope.parameter(name, shape, "glorotNormal");
        return ask(scope, op, swapped ? [own, x] : [x, own]);
      },
    });
    const model = sequential({
      stem: dense(6, { bias: false }),
      places: [learned("place", "add", [5, 6], true), learned("row", "subtract", [5, 1]), tanh()],
      head: [dense(4), learned("one", "subtract", [1], true)],
    });
    const found = kernels(model, [5, 3]);
    expect(found.slice(0, 3)).toEqual(["gather", "matmul+add+subtract+tanh", "matmul+bias+subtract"]);
    // The sums of their gradients lie where those of weights do, and none is copied there.
    expect(found).not.toContain("copy");
    expect(found).toContain("sumOver+neg");
  });

  test("and dropout ends what makes its numbers, though what it draws comes later", () => {
    const found = kernels(sequential([dense(6), dropout(0.5), dense(6), gelu(), dropout(0.25)]), [6]);
    expect(found).toEqual([
      ...["gather", "draw", "matmul+bias+drop", "matmul+bias", "draw", "gelu+drop", "meanSquaredError", "metrics"],
      ...["drop+geluBackward", "matmul", "matmul+drop", "matmul"],
    ]);
    const branch = stochasticDepth([dense(6)], { rate: 0.5 });
    expect(kernels(sequential([dense(6), branch]), [6])).toContain("matmul+bias+drop+add");
  });

  test("and the way back of a mean ends in what follows it", () => {
    const pooled: Layer = { kind: "pooled", apply: (scope, x) => scope.op(ops.mean, { x }, { axes: [1] }).y };
    const found = kernels(sequential([dense(6), tanh(), pooled, gelu(), dense(2)]), [5, 3]);
    expect(found).toEqual([
      "gather",
      "matmul+bias+tanh",
      "mean",
      "gelu",
      "matmul+bias",
      "meanSquaredError",
      "metrics",
      "matmul",
      "matmul+geluBackward",
      "spread+tanhBackward",
      "matmul",
    ]);
  });

  test("but where it is kept, or read by somebody else", () => {
    const { graph } = traced(sequential([dense(2, { bias: false }), flatten(), relu()]), [3, 4]);
    const flat = graph.tensors.find(({ shape, view }) => view !== undefined && String(shape) === "8,6");
    expect(opsOf(fuse(graph, new Set([flat?.id as number])))).toContain("relu");
    const both = (units: number) =>
      functional((x, { use, add }) => {
        const product = use("one", dense(units, { bias: false }), x);
        return add(use("flat", flatten(), use("act", gelu(), product)), use("flat", flatten(), product));
      });
    expect(kernels(both(3), [3, 4])).toContain("gelu+add");
    expect(kernels(both(4), [3, 4])).toContain("matmul+gelu"); // in fours it can keep what others read
  });
});

describe("fusion leaves alone", () => {
  test("a value that somebody else reads", () => {
    const model = functional((x, { use, add }) => {
      const product = use("one", dense(6, { bias: false }), x);
      return add(use("act", gelu(), product), product);
    });
    const ops = opsOf(expectSame(traced(model, [6])));
    expect(ops).toContain("matmul");
    expect(ops).toContain("gelu+add");
  });

  test("a value that is kept", () => {
    const { graph } = traced(sequential([dense(2, { bias: false }), relu()]), [6]);
    const product = graph.nodes.find(({ op }) => op.name === "matmul")?.outputs[0] as number;
    expect(opsOf(fuse(graph, new Set()))).not.toContain("relu");
    expect(opsOf(fuse(graph, new Set([product])))).toContain("relu");
  });

  test("a fourth operand, for which there is no binding", () => {
    const model = functional((x, { use, add }) => {
      const others = [0, 1, 2, 3].map((i) => use(`other${i}`, dense(6), x));
      return others.reduce((sum, other) => add(sum, other), use("main", dense(6, { bias: false }), x));
    });
    const fused = expectSame(traced(model, [6]));
    const operands = fused.nodes.map(({ op, inputs }) => inputs.length - op.inputs.length);
    expect(Math.max(...operands)).toBe(3);
  });
});

test("a product of more than 32,768 terms adds them in parts", () => {
  const kernels = (inputs: number, units: number): string[] =>
    programOf(sequential({ body: dense(units), head: dense(3) }), { input: [inputs], batch: 2 })
      .recording.commands.flatMap((one) => one.parts ?? [one])
      .filter(({ kernel, note }) => kernel === "sum-partials" || / parts/.test(note))
      .map(({ layer, note }) => `${layer} ${note}`);
  expect(kernels(32_768, 4)).toEqual([]);
  expect(kernels(32_769, 4)).toEqual(["body [2x32769] x [32769x4] in 2 parts", "body [2x2x4]"]);
});
