// infoNCE in f64, from what a user says to the gradients of both outputs, against PyTorch.

import { expect, test } from "vitest";
import { differentiate } from "../../src/graph/backward.ts";
import { trace } from "../../src/graph/trace.ts";
import { infoNCE } from "../../src/index.ts";
import { difference, largest } from "../reference/gradient.ts";
import { interpret } from "../reference/interpret.ts";
import { exact, single } from "../reference/twin.ts";
import { asPair, pairs } from "../stories/losses.ts";

type Pair = (typeof pairs)[number];

/** Loss and gradients of the first `count` samples of a batch; what the others hold is not to be seen. */
function found(
  { temperature, outputs, weight }: Pick<Pair, "temperature" | "outputs" | "weight">,
  count: number,
  round = exact,
) {
  const shape = [outputs[0].length, outputs[0][0]!.length] as const;
  const { graph, parameterIds, objective } = trace(asPair(shape), {
    inputs: ["a", "b"].map((name) => ({ name, shape: shape.slice(1) })),
    batch: shape[0],
    loss: infoNCE({ temperature }),
    targets: [],
    format: {
      inputs: ["a", "b"].map(() => ({ bytes: false, period: 0 })),
      targets: [],
      weights: weight ? [{ name: "", shape: [] }] : [],
    },
    mode: "train",
  });
  const gradients = differentiate(graph, objective!.losses, new Set(parameterIds));
  const data: Readonly<Record<string, readonly number[]>> = {
    ...{ "data.x.a": outputs[0].flat(), "data.x.b": outputs[1].flat(), "data.weight": weight ?? [] },
    ...{ "data.order": outputs[0].map((_, i) => i), "data.norm": [] },
  };
  // Rows beyond a short batch come as row 0: the weights make of them what they are to be.
  const weightOf = ([first, ...rows]: readonly number[][]): Float64Array =>
    Float64Array.from(
      [first!, ...rows].flatMap((row, i) => row.map((value, c) => (i < count ? 0 : value - first![c]!))),
    );
  const given = graph.tensors.flatMap(({ id, name, role }): [number, Float64Array][] =>
    role === "data"
      ? [[id, Float64Array.from(data[name] ?? [])]]
      : role === "parameter"
        ? [[id, weightOf(outputs[name === "a" ? 0 : 1])]]
        : [],
  );
  const values = interpret(graph, new Map(given), { step: 1, start: 0, count }, round);
  const rows = values.get(objective!.losses[0]!)!;
  return {
    value: rows.filter((_, i) => i % 2 === 0).reduce((sum, row) => sum + row, 0) / count,
    gradients: parameterIds.map((id) => values.get(gradients.get(id)!)!),
  };
}

test.each(pairs.map((one) => [one.title, one] as const))("%s", (_, one) => {
  const { value, gradients } = found(one, one.outputs[0].length);
  expect(Math.abs(value / one.value - 1)).toBeLessThan(1e-9);
  const zeros = one.outputs[1].findIndex((row) => row.every((number) => number === 0));
  for (const [i, gradient] of gradients.entries()) {
    const expected = Float64Array.from(one.gradients[i]!);
    // Of a row of zeros it is what came for it, times 1e12, in a direction that nothing depends on.
    if (i === 1) gradient.fill(0, zeros * 7, (zeros + 1) * 7);
    expect(largest(difference(gradient, expected)) / largest(expected)).toBeLessThan(1e-9);
  }
});

test.each([0.07, 0.01])("a short batch is one of fewer pairs, at temperature %s", (temperature) => {
  const [a, b] = pairs[0]!.outputs;
  const weight = undefined;
  const short = found({ temperature, weight, outputs: [a.slice(0, 3), b.slice(0, 3)] }, 3);
  // The rows behind are those of other pairs, or far nearer to all others than any of a pair is to its own.
  const apart: [number[][], number[][]] = [a, b.map((row, i) => (i < 3 ? a[i]!.map((value) => -value) : row))];
  const near = apart.map((rows) => rows.map((row, i) => (i < 3 ? row : apart[1][i - 3]!))) as [number[][], number[][]];
  const f32 = found({ temperature, weight, outputs: near }, 3, single);
  expect([f32.value, ...f32.gradients.flatMap((gradient) => [...gradient])].every(Number.isFinite)).toBe(true);
  const alone = near.map((rows) => rows.slice(0, 3)) as [number[][], number[][]];
  for (const [outputs, few] of [
    [[a, b], short],
    [near, found({ temperature, weight, outputs: alone }, 3)],
  ] as const) {
    const long = found({ temperature, weight, outputs: outputs as [number[][], number[][]] }, 3);
    expect(long.value).toBeCloseTo(few.value, 9);
    for (const [i, gradient] of long.gradients.entries()) {
      expect(largest(difference(gradient.subarray(0, 21), few.gradients[i]!))).toBeLessThan(1e-9);
      expect(gradient.subarray(21).every((value) => value === 0)).toBe(true);
    }
  }
});
