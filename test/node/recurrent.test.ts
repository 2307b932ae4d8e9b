// Recurrent layers: values and gradients of test/golden/recurrent.py on the f64 twins, how many dispatches they take, how a recording
// tells of them, what they begin with, and what they refuse.

import { describe, expect, test } from "vitest";
import {
  bidirectional,
  dense,
  flatten,
  functional,
  gru,
  type Layer,
  lstm,
  meanSquaredError,
  sequential,
  type Value,
  type WithoutState,
} from "../../src/index.ts";
import { initializer, initialValues } from "../../src/initializer.ts";
import type { Tensor } from "../../src/op/tensor.ts";
import { dispatchesOf, print } from "../../src/step/record.ts";
import golden from "../golden/recurrent.json";
import { expectGolden, type GoldenNumbers, type Make } from "../reference/golden-op.ts";
import { gradientErrors } from "../reference/gradient.ts";
import { tracedModel } from "../reference/traced-model.ts";
import { programOf } from "./program.ts";

interface GoldenCase {
  readonly kind: string;
  readonly reverse: boolean;
  readonly inputs: { readonly [name: string]: GoldenNumbers };
  readonly outputs: { readonly [name: string]: GoldenNumbers };
}

const cases = golden.cases as unknown as readonly GoldenCase[];
const nameOf = ({ kind, reverse, inputs, outputs }: GoldenCase): string =>
  `${kind} [${inputs.x!.shape}] -> [${outputs.y!.shape}]${"h0" in inputs ? " from a state" : ""}${reverse ? ", reverse" : ""}`;

test.each(cases.map((one) => [nameOf(one), one] as const))("%s has PyTorch's values and gradients", (_, one) => {
  const build = (make: Make, inputs: { readonly [name: string]: Tensor }) => {
    const { x, weight, bias, recurrentWeight, recurrentBias, ...states } = inputs as Record<string, Tensor>;
    const [batch, steps, features] = x!.shape as [number, number, number];
    const rows = make("reshape", { x: x! }, { shape: [batch * steps, features] }).y!;
    const product = make("bias", { x: make("matmul", { a: rows, b: weight! }).c!, b: bias! }).z!;
    const projected = make("reshape", { x: product }, { shape: [batch, steps, bias!.shape[0]!] }).y!;
    const own = { x: projected, u: recurrentWeight!, ...(recurrentBias && { b: recurrentBias }), ...states };
    return make(`${one.kind}Steps`, own, { reverse: one.reverse });
  };
  expectGolden(one.inputs, one.outputs, build, { values: 1e-13, gradients: 1e-11 });
});

/** A layer of 4 units, and how often its kernels run for a step. */
const kinds: readonly (readonly [name: string, stages: number, make: (options: WithoutState) => Layer])[] = [
  ["lstm", 1, (options) => lstm(4, options) as Layer],
  ["gru", 1, (options) => gru(4, options) as Layer],
  ["gru, reset before the product", 2, (options) => gru(4, { ...options, resetAfter: false }) as Layer],
];

describe.each(kinds)("%s", (name, stages, make) => {
  const layer = (options: WithoutState = {}): Layer => make(options);
  const model = (steps: number, batch = 8) => programOf(sequential([layer(), dense(2)]), { input: [steps, 3], batch });

  test("takes one run a step forward and one back, or two and two, and at most twelve dispatches more", () => {
    const without = programOf(sequential([flatten(), dense(2)]), { input: [20, 3] });
    const own = dispatchesOf(model(20).recording) - dispatchesOf(without.recording);
    expect(own).toBeGreaterThanOrEqual(2 * stages * 20);
    expect(own).toBeLessThanOrEqual(2 * stages * 20 + 12);
    expect(dispatchesOf(model(21).recording) - dispatchesOf(model(20).recording)).toBe(2 * stages);
    expect(model(21).recording.commands.length).toBe(model(20).recording.commands.length);
    expect(dispatchesOf(model(1).recording)).toBe(model(1).recording.commands.length + 2 * (stages - 1));
  });

  test("takes no more where sums are cut, it begins with a state, and its input has a gradient", () => {
    const { recording } = programOf(
      functional((x: Value, { use }) => {
        const { h, c } = use("start", lstm(4, { returnState: true }), x);
        const given = { x: use("wide", dense(4), x), h, ...(name === "lstm" && { c }) };
        return use("head", dense(2), use("read", layer() as Layer<object>, given));
      }),
      { input: [40, 3], batch: 64 },
    );
    const kernels = recording.commands.flatMap((command) => command.parts ?? [command]);
    const own = kernels.filter(({ layer, kernel }) => layer === "read" || kernel === "sum-rows");
    expect(own.filter(({ note }) => note.includes(" parts")).length).toBe(2);
    expect(dispatchesOf({ ...recording, commands: own })).toBeLessThanOrEqual(2 * stages * 40 + 12);
  });

  test("is computed again where that is asked for, as often as it has steps", () => {
    const chain = (recompute?: string) =>
      programOf(
        sequential({
          a: [layer({ returnSequences: true })],
          b: [layer({ returnSequences: true })],
          c: [layer(), dense(2)],
        }),
        {
          input: [6, 3],
          ...(recompute !== undefined && { recompute }),
        },
      ).recording.commands.filter(({ kernel }) => kernel === "recurrent");
    expect(chain()).toHaveLength(3);
    expect(chain("a").length).toBeGreaterThan(3);
    expect(chain("a").every(({ times }) => times === 6 * stages)).toBe(true);
  });
});

test("a recording says how often a command runs", () => {
  const { recording } = programOf(sequential({ read: lstm(4), head: dense(2) }), { input: [5, 3], batch: 8 });
  expect(
    print(recording)
      .split("\n")
      .filter((line, i) => i === 0 || line.includes("recurrent"))
      .map((line) => line.trim()),
  ).toMatchInlineSnapshot(`
    [
      "train: 9 commands in 17 dispatches, 4 activation arenas (0.01 MB planned, 0.01 MB at least, 0.01 MB naive), 1 submit",
      "2  recurrent                       read  lstm [8x5x16] [4x16]                                  grid 1x1x1 5 times  activations2 parameters@2048 -> activations3 activations0@3840 activations0 activations3@768",
      "5  recurrent-backward              read  lstm [8x5x20] [4x16]                                  grid 1x1x1 5 times  activations0 parameters@2048 activations1 -> activations2 activations3@768",
    ]
  `);
});

test("orthogonal starts have rows or columns of length 1 at right angles", () => {
  for (const shape of [
    [5, 20],
    [20, 5],
    [6, 6],
  ] as const) {
    const values = initialValues({ name: "u", shape }, initializer("lstm", "orthogonal"), 3);
    const [rows, columns] = shape;
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    const at = (vector: number, i: number): number =>
      values[rows <= columns ? vector * columns + i : i * columns + vector]!;
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        const dot = Array.from({ length }, (_, i) => at(a, i) * at(b, i)).reduce((x, y) => x + y, 0);
        expect(dot).toBeCloseTo(a === b ? 1 : 0, 6);
      }
    }
  }
});

test("the forget gate begins with a bias of 1, all other gates with 0", () => {
  const { parameters } = programOf(sequential([lstm(2), dense(2)]), { input: [5, 3] });
  const bias = parameters.find(({ name }) => name === "0.bias")!;
  expect([...initialValues(bias, bias.initializer, 0)]).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
  expect(parameters.slice(0, 3).map(({ name, shape }) => `${name} [${shape}]`)).toEqual([
    "0.weight [3,8]",
    "0.bias [8]",
    "0.recurrentWeight [2,8]",
  ]);
});

test("a GRU whose reset gate stands before the product has one bias and gives what it holds", () => {
  const layer = gru(4, { resetAfter: false, returnState: true });
  const model = functional((x: Value, { use }) =>
    use("read", layer, { x, h: use("start", dense(4), use("flat", flatten(), x)) }),
  );
  const { parameters, outputs } = programOf(model as never, { input: [5, 3], mode: "predict" });
  expect(parameters.map(({ name, shape }) => `${name} [${shape}]`)).toEqual([
    ...["start.weight [15,4]", "start.bias [4]"],
    ...["read.weight [3,12]", "read.bias [12]", "read.recurrentWeight [4,12]"],
  ]);
  expect(outputs.map(({ name, shape }) => `${name} [${shape}]`)).toEqual(["y [32,4]", "h [32,4]"]);
});

test("bidirectional: one layer from each end, under a name each, beside each other", () => {
  const model = sequential([bidirectional((reverse) => lstm(4, { reverse, returnSequences: true }))]);
  const { recording, parameters, outputs } = programOf(model, { input: [5, 3], mode: "predict" });
  expect(outputs).toEqual([{ name: "", shape: [32, 5, 8] }]);
  expect(parameters.map(({ name }) => name)).toEqual(
    ["forward", "backward"].flatMap((part) => [`0.${part}.weight`, `0.${part}.bias`, `0.${part}.recurrentWeight`]),
  );
  const kernels = recording.commands.map(({ kernel }) => kernel);
  expect(kernels).toEqual(["gather", "matmul", "recurrent", "matmul", "recurrent", "concat"]);
  // They differ in where they go alone.
  const both = tracedModel({ model, input: [5, 3], batch: 2, loss: meanSquaredError() });
  const bounds = gradientErrors(both, { step: 1, start: 0, count: 2 });
  expect(Math.max(...bounds.map(({ error }) => error))).toBeLessThan(1e-6);
  expect(() => bidirectional(lstm(4) as never)).toThrow(/^bidirectional: its argument is .*, it must be a function/);
  expect(() => bidirectional(() => 3 as never)).toThrow(/^bidirectional: what its function made is no layer/);
});

const traced = (layer: Layer, input: readonly number[] = [5, 3]) =>
  programOf(sequential([layer, flatten(), dense(2)]), { input });
const started = (start: (x: Value) => object, layer = lstm(4)) =>
  programOf(
    functional((x: Value, { use }) => use("head", dense(2), use("read", layer as Layer<object>, start(x)))),
    { input: [5, 4] },
  );

test.each([
  [() => lstm(0), "OptionError: lstm: units is 0, it must be a whole number of at least 1."],
  [
    () => gru(4, { activation: "relu" } as never),
    'OptionError: gru: it has no "activation". Put a layer after it, for example relu().',
  ],
  [
    () => lstm(4, { returnSequence: true } as never),
    'OptionError: lstm: it has no "returnSequence". Did you mean "returnSequences"? It may have returnSequences, returnState, reverse, initializer, recurrentInitializer.',
  ],
  [() => gru(4, { resetAfter: 0 as never }), "OptionError: gru: resetAfter is 0, it must be true or false."],
  [
    () => gru(4, { resetBefore: true } as never),
    'OptionError: gru: it has no "resetBefore". Did you mean "resetAfter"? It may have returnSequences, returnState, reverse, initializer, recurrentInitializer, resetAfter.',
  ],
  [
    () => lstm(4, { resetAfter: false } as never),
    'OptionError: lstm: it has no "resetAfter". It may have returnSequences, returnState, reverse, initializer, recurrentInitializer.',
  ],
  [() => gru(4, { reverse: 1 as never }), "OptionError: gru: reverse is 1, it must be true or false."],
  [
    () => traced(lstm(4), [3]),
    'ShapeError: lstm "0": input has shape [32,3], it must be [batch, steps, features]. Give a sequence, or a layer before it the option returnSequences.',
  ],
  [
    () => traced(gru(4), [5, 3, 2]),
    'ShapeError: gru "0": input has shape [32,5,3,2], it must be [batch, steps, features]. Reshape it.',
  ],
  [
    () => started((x) => ({ x, h: x })),
    'OptionError: lstm "read": its input is { x, h }, it must be one value or { x, h, c }.',
  ],
  [
    () => started((x) => ({ x, h: x, c: x })),
    'ShapeError: lstm "read": "c" has shape [32,5,4], it must be [32,4]. Give a number for each unit.',
  ],
])("is refused: %s", (make, message) => {
  expect(told(make)).toBe(message);
});

function told(make: () => unknown): string {
  try {
    make();
    return "nothing was thrown";
  } catch (error) {
    return String(error);
  }
}
