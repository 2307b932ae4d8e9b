// Normalizations: dispatches in a step, what is refused, and values, gradients and running statistics against PyTorch in f64.

import { expect, test } from "vitest";
import { differentiate } from "../../src/graph/backward.ts";
import { plainFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import { batchNorm, conv2d, dense, flatten, type Layer, relu, residual, sequential } from "../../src/index.ts";
import { errorOf, lossOf, modelOf, nameOf, normCases } from "../golden/norms.ts";
import { interpret } from "../reference/interpret.ts";
import { alone } from "../reference/streams.ts";
import { exact } from "../reference/twin.ts";
import { programOf } from "./program.ts";

/** The file has 9 digits. */
const TOLERANCE = 1e-8;

const image = [8, 8, 3];

/** Kernels of a step from a convolution on, in order, each with what is at its end. */
function kernels(model: Layer, options: Parameters<typeof programOf>[1] = {}): string[] {
  const { recording } = programOf(model, { input: image, ...options });
  return recording.commands.map(({ kernel, note }) => `${kernel}${(note.match(/ \+\w+/g) ?? []).join("")}`);
}

const conv = () => conv2d(8, { padding: "same", bias: false });
const block = [conv(), batchNorm(), relu()];

test("batchNorm adds two dispatches on the way forward, with relu or a sum at the end, and two on the way back", () => {
  const found = kernels(sequential([conv(), ...block, flatten(), dense(3)]));
  const bare = kernels(sequential([conv(), conv(), relu(), flatten(), dense(3)]));
  expect(found.filter((name) => /batch|channel|x/i.test(name))).toEqual([
    "batch-statistics",
    "elementwise +batchNormAffine +relu",
    "channel-sums",
    "batch-norm-backward +multiply",
  ]);
  // And one that moves both running values.
  expect(found.length).toBe(bare.length + 4 + 1);
  const summed = kernels(sequential([conv(), residual([conv(), batchNorm()]), relu(), flatten(), dense(3)]));
  expect(summed).toContain("elementwise +batchNormAffine +add +relu");
});

test("where gamma and beta are frozen, and in predictions, it ends the kernel before it", () => {
  const frozen = new Set(["1.gamma", "1.beta"]);
  const model = sequential([conv(), batchNorm(), relu(), flatten(), dense(3)]);
  const training = kernels(model, { frozen });
  expect(training).toEqual(
    expect.arrayContaining(["inverse-root +multiply", "conv2d +subtract +multiply +bias +relu"]),
  );
  expect(training.join()).not.toMatch(/batch|channel|commit/);
  expect(kernels(model, { mode: "predict" })).toContain("conv2d +subtract +multiply +bias +relu");
});

test("many rows are cut into parts", () => {
  const found = kernels(sequential(block), { input: [64, 64, 3], batch: 17 });
  expect(found.filter((name) => /batch-statistics|channel-sums/.test(name))).toHaveLength(4);
});

test.each(normCases.map((one) => [nameOf(one), one] as const))("%s is that of PyTorch in f64", (_, one) => {
  const inputs = alone([1]);
  const format = plainFormat(inputs);
  const batch = one.shape[0]!;
  const traced = trace(modelOf(one), { inputs, batch, format, loss: lossOf(one), mode: "train" });
  const { graph, parameters, parameterIds, states, stateIds } = traced;
  const gradients = differentiate(graph, traced.objective!.losses, new Set(parameterIds));
  const given = new Map<number, Float64Array>();
  for (const { id, name, role } of graph.tensors)
    if (role === "data") given.set(id, Float64Array.from(name === "data.order" ? one.x.keys() : one.target));
  const run = (x: readonly number[]) => {
    for (const [i, { name }] of parameters.entries())
      given.set(parameterIds[i]!, Float64Array.from(name === "x" ? x : one.weights[name]!));
    return interpret(graph, given, { step: 1, start: 0, count: batch }, exact);
  };
  for (const [i, { name, shape }] of states.entries())
    given.set(stateIds[i]!, new Float64Array(shape[0]!).fill(name === "movingVariance" ? 1 : 0));
  const after = [...(one.before ?? []), one.x].map((x) => {
    const values = run(x);
    for (const [state, { id }] of traced.commits) given.set(state, values.get(id)!);
    return values;
  });
  const values = after.at(-1)!;
  expect(errorOf(values.get(traced.outputs[0]!.id)!, one.y)).toBeLessThan(TOLERANCE);
  for (const [i, { name }] of parameters.entries())
    expect(errorOf(values.get(gradients.get(parameterIds[i]!)!)!, one.gradients[name]!), name).toBeLessThan(TOLERANCE);
  for (const [i, { name }] of states.entries())
    expect(errorOf(given.get(stateIds[i]!)!, one.states![name]!), name).toBeLessThan(TOLERANCE);
});
