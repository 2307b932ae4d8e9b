// Forms of networks that exporters write and that are easily read wrong: their values are told here by plain arithmetic.

import { expect, test } from "vitest";
import { type LossFunction, ops } from "../../src/index.ts";
import { fromOnnx } from "../../src/onnx/index.ts";
import { branch, floats, info, ints, longs, node, onnxFile } from "../reference/onnx-file.ts";
import { runModel } from "../reference/run-model.ts";

const [BATCH, STEPS, WIDTH] = [2, 3, 4];
const numbers = Float64Array.from({ length: BATCH * STEPS * WIDTH }, (_, i) => Math.sin(3 * i * i));
const at = (sample: number, step: number, k: number): number => numbers[(sample * STEPS + step) * WIDTH + k] as number;

/** What a file makes of the numbers as [samples, steps, width], in training if there is a loss. */
async function run(graph: Parameters<typeof onnxFile>[0], loss?: LossFunction): Promise<readonly number[]> {
  const { model, weights } = await fromOnnx(onnxFile({ input: [info("x", [STEPS, WIDTH])], ...graph }));
  const given = new Map([["x", { shape: [STEPS, WIDTH], data: numbers }]]);
  return [...(runModel(model, given, weights, BATCH, loss).outputs.get("")?.data ?? [])];
}

function expectNear(made: readonly number[], wanted: readonly number[]): void {
  expect(made).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) expect(made[i]).toBeCloseTo(value, 10);
}

const places = Array.from({ length: BATCH * WIDTH }, (_, i) => [Math.floor(i / WIDTH), i % WIDTH] as const);

test("steps that lie before samples, as recurrent layers have them, are all of them reduced", async () => {
  const made = await run({
    node: [
      node("Transpose", ["x"], ["turned"], [ints("perm", [1, 0, 2])]),
      node("Reshape", ["turned", "shape"], ["moved"]),
      node("Transpose", ["moved"], ["back"], [ints("perm", [1, 0, 2, 3])]),
      node("ReduceMax", ["back"], ["y"], [ints("axes", [1]), { name: "keepdims", i: 0, type: 2 }]),
    ],
    initializer: [longs([STEPS, -1, 2, WIDTH / 2], "shape")],
    output: [info("y", [2, WIDTH / 2])],
  });
  expectNear(
    made,
    places.map(([sample, k]) => Math.max(at(sample, 0, k), at(sample, 1, k), at(sample, 2, k))),
  );
});

test("all numbers of a weight are reduced, however few samples there are", async () => {
  const weight = floats([WIDTH, 1], "weight");
  const made = await run({
    node: [
      node("ReduceL2", ["weight"], ["length"], [ints("axes", [0])]),
      node("Div", ["weight", "length"], ["direction"]),
      node("MatMul", ["x", "direction"], ["y"]),
    ],
    initializer: [weight],
    output: [info("y", [STEPS, 1])],
  });
  const list = (weight.floats as readonly number[]).map(Math.fround);
  const length = Math.hypot(...list);
  expectNear(
    made,
    Array.from({ length: BATCH * STEPS }, (_, row) =>
      list.reduce((sum, w, k) => sum + (w / length) * (numbers[row * WIDTH + k] as number), 0),
    ),
  );
});

test("a batch normalization behind a Reshape that takes samples apart sees all rows", async () => {
  const made = await run(
    {
      node: [
        node("Reshape", ["x", "rows"], ["flat"]),
        node("BatchNormalization", ["flat", "gamma", "beta", "mean", "var"], ["normal"]),
        node("Reshape", ["normal", "shape"], ["y"]),
      ],
      initializer: [
        longs([-1, WIDTH], "rows"),
        longs([-1, STEPS, WIDTH], "shape"),
        ...["gamma", "beta", "mean", "var"].map((name) => ({ ...floats([WIDTH], name), floats: Array(WIDTH).fill(1) })),
      ],
      output: [info("y", [STEPS, WIDTH])],
    },
    (output, _, scope) => ({ values: scope.op(ops.square, { x: output }).z }),
  );
  const rows = BATCH * STEPS;
  const mean = (of: (row: number) => number): number =>
    Array.from({ length: rows }, (_, row) => of(row)).reduce((a, b) => a + b) / rows;
  const wanted = Array.from(numbers, (value, i) => {
    const each = (row: number): number => numbers[row * WIDTH + (i % WIDTH)] as number;
    const middle = mean(each);
    const variance = mean((row) => (each(row) - middle) ** 2);
    return (value - middle) / Math.sqrt(variance + Math.fround(1e-5)) + 1;
  });
  expectNear(made, wanted);
});

/** x doubled where its axis 1 has `length` places, else its sum with a constant of the branch; as PyTorch writes a squeeze. */
const either = (length: number, condition = "is") => ({
  node: [
    node("Shape", ["x"], ["shape"]),
    node("Gather", ["shape", "one"], ["steps"]),
    node("Equal", ["steps", "length"], ["is"]),
    node(
      "If",
      [condition],
      ["y"],
      [
        branch("then_branch", { node: [node("Add", ["x", "x"], ["a"])], output: [info("a", [])] }),
        branch("else_branch", {
          node: [node("Add", ["x", "three"], ["b"])],
          initializer: [{ dims: [], name: "three", type: 1, floats: [3] }],
          output: [info("b", [])],
        }),
      ],
    ),
  ],
  initializer: [longs([1], "one"), longs([length], "length")],
  output: [info("y", [STEPS, WIDTH])],
});

test("of an If the branch runs that shapes decide for, with what lies outside and its own constants", async () => {
  expectNear(
    await run(either(STEPS)),
    Array.from(numbers, (value) => 2 * value),
  );
  expectNear(
    await run(either(STEPS + 1)),
    Array.from(numbers, (value) => value + 3),
  );
});

test("an If is refused by name whose condition is a value of the network, or that lies too deep", async () => {
  await expect(run(either(STEPS, "x"))).rejects.toThrow(
    'If "the If": its condition is reckoned by the network, it must be a constant',
  );
  let deep = { node: [node("Add", ["x", "x"], ["a"])], output: [info("a", [])] };
  for (let i = 0; i < 10; i++)
    deep = {
      node: [node("If", ["is"], ["a"], [branch("then_branch", deep)])],
      output: [info("a", [])],
    };
  await expect(run({ ...deep, initializer: [longs([1], "is")] })).rejects.toThrow(
    "it lies in 10 graphs, 9 are the most",
  );
});
