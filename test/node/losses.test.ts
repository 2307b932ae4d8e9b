// Every loss with all its options in f64, from what a user says to the gradient of the output, against PyTorch.

import { describe, expect, test } from "vitest";
import { differentiate } from "../../src/graph/backward.ts";
import { trace } from "../../src/graph/trace.ts";
import type { Loss } from "../../src/op/layer.ts";
import golden from "../golden/losses.json";
import { difference, largest } from "../reference/gradient.ts";
import { interpret } from "../reference/interpret.ts";
import { alone } from "../reference/streams.ts";
import { exact } from "../reference/twin.ts";
import { asOutput, casesOf, losses } from "../stories/losses.ts";

const numbersOf = (values: unknown): Float64Array =>
  Float64Array.from((values as number[][][]).flat(2) as unknown as number[], (value) =>
    value === -100 ? 2 ** 32 - 100 : value,
  );

/** Loss and gradient of the output, by the twins. */
function found(loss: Loss, one: ReturnType<typeof casesOf>[number]) {
  const { output, target, weight, shape } = one;
  const [batch] = shape as [number];
  const inputs = alone(shape.slice(1));
  const format = {
    inputs: [{ bytes: false, period: 0 }],
    targets: [],
    weights: weight ? [{ name: "", shape: [] }] : [],
  };
  const traced = trace(asOutput(shape), { inputs, batch, loss, format, mode: "train" });
  const { graph, parameterIds, constants, objective } = traced;
  const gradients = differentiate(graph, objective!.losses, new Set(parameterIds));
  const data: Readonly<Record<string, Float64Array>> = {
    "data.x": numbersOf(output),
    "data.y": numbersOf(target),
    "data.weight": Float64Array.from(weight ?? []),
    "data.order": Float64Array.from({ length: batch }, (_, i) => i),
    "data.norm": new Float64Array(0),
    ...Object.fromEntries([...constants].map(([name, values]) => [name, Float64Array.from(values)])),
  };
  const given = graph.tensors.flatMap(({ id, name, role }): [number, Float64Array][] =>
    role === "data" ? [[id, data[name]!]] : role === "parameter" ? [[id, numbersOf(output).fill(0)]] : [],
  );
  const values = interpret(graph, new Map(given), { step: 1, start: 0, count: batch }, exact);
  const rows = values.get(objective!.losses[0]!)!;
  return {
    value: rows.filter((_, i) => i % 2 === 0).reduce((sum, row) => sum + row, 0) / batch,
    gradient: values.get(gradients.get(parameterIds[0]!)!)!,
  };
}

describe.each(Object.entries(losses))("%s", (name, make) => {
  test.each(casesOf(name).map((one) => [one.title, one] as const))("%s", (_, one) => {
    const loss = make(one.options);
    const { value, gradient } = found(loss, one);
    expect(Math.abs(value / one.value - 1)).toBeLessThan(1e-9);
    const wrong = largest(difference(gradient, Float64Array.from(one.gradient)));
    expect(wrong / largest(Float64Array.from(one.gradient))).toBeLessThan(1e-9);
  });
});

test("by the count weights of classes do not divide, and labels that are ignored are not counted", () => {
  const [one] = casesOf("crossEntropy").filter(({ shape, options }) => shape.length === 2 && !("soft" in options));
  const output = one!.output;
  const classWeights = [0.5, 2, 0.25, 1.25];
  const target = [3, 1, 1, 0, 2] as unknown as number[][];
  const values = output.map((row, i) => {
    const label = target[i] as unknown as number;
    const sum = row.reduce((all, z) => all + Math.exp(z), 0);
    return label === 1 ? 0 : classWeights[label]! * (Math.log(sum) - row[label]!);
  });
  const loss = losses.crossEntropy({ classWeights, ignoreIndex: 1, reduction: "count" });
  const { value } = found(loss, { ...one!, target, weight: undefined });
  expect(value).toBeCloseTo(values.reduce((a, b) => a + b) / 3, 12);
});

test("the file has a case of each", () => {
  expect([...new Set(golden.cases.map(({ loss }) => loss))].sort()).toEqual(Object.keys(losses).sort());
});
