// Networks with live batch norms that others trained, one step and twenty in f64 against PyTorch in f64, with a rate for each group of
// layers: losses, and the way of each tensor and running statistic. In f32 the first switch of a relu would lead elsewhere.

import { expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { crossEntropy } from "../../src/index.ts";
import { tester } from "../../src/pattern.ts";
import golden from "../golden/families.json" with { type: "json" };
import { apart, BATCH, type Family, families, told } from "../reference/families.ts";
import { trainedTwin } from "../reference/trained-twin.ts";

const MOMENTUM = 0.9;
/** What f64 leaves of losses and ways, behind twenty steps that make much of little. */
const TOLERANCE = 1e-6;
const names = ["resnet20", "mobilenet"] as const;

test.each(names)("%s goes one step and twenty as in PyTorch, in f64", async (name) => {
  const { input, rates, read, samples, named }: Family = families[name];
  const { losses, tensors } = golden[name];
  const { model, weights } = await read(dataFile);
  const inputs = [{ name: "", shape: input as readonly number[] }];
  const step = trainedTwin(model, { batch: BATCH, inputs, loss: crossEntropy() });
  const start = new Map([...weights].map(([key, { data }]) => [key, Float64Array.from(data)]));
  const now = new Map(start);
  const buffers = new Map<string, Float64Array>();
  const rateOf = (key: string): number => rates.findLast(([pattern]) => tester("rates", pattern)(key))![1];
  const holds = (at: 0 | 1): void => {
    expect([...now.keys()].sort()).toEqual(Object.keys(tensors).map(named).sort());
    const wrong = Object.entries(tensors as Readonly<Record<string, readonly number[][]>>).flatMap(([key, ways]) => {
      const [from, to] = [start.get(named(key))!, now.get(named(key))!];
      const error = apart(told(to.map((value, i) => value - from[i]!)), ways[at]!) / ways[at]![0]!;
      return error <= TOLERANCE ? [] : [`${key} ${error.toExponential(2)}`];
    });
    expect(wrong, `after step ${at === 0 ? 1 : losses.length}`).toEqual([]);
  };
  for (const [at, expected] of losses.entries()) {
    const { x, y } = samples(at);
    const { loss, gradients, states } = step(now, { "": x }, y);
    expect(Math.abs(loss / expected - 1), `step ${at}: ${loss}, PyTorch ${expected}`).toBeLessThan(TOLERANCE);
    for (const [key, gradient] of gradients) {
      const buffer = gradient.map((one, i) => MOMENTUM * (buffers.get(key)?.[i] ?? 0) + one);
      buffers.set(key, buffer);
      const [before, rate] = [now.get(key)!, rateOf(key)];
      now.set(
        key,
        before.map((value, i) => value - rate * buffer[i]!),
      );
    }
    for (const [key, state] of states) now.set(key, Float64Array.from(state));
    if (at === 0) holds(0);
  }
  holds(1);
});
