// One step and twenty of networks that others trained, with a rate for each group of layers, against PyTorch in f64: losses, and the way
// that each tensor went. Those with live batch norms stand in test/node, since f32 cannot follow twenty layers of them on four samples.

import { expect, test } from "vitest";
import { compile, crossEntropy, type HostTensor } from "../../src/index.ts";
import golden from "../golden/families.json" with { type: "json" };
import { apart, BATCH, type Family, families, length, told } from "../reference/families.ts";
import { foreignFile } from "./foreign.ts";
import { guarded } from "./guarded.ts";

const get = async (path: string) => (await foreignFile(path)).slice();
const names = ["tinystories", "char-rnn", "resnet20-frozen"] as const;

test.each(names)("%s goes one step and twenty as in PyTorch", (name) =>
  guarded(async (device) => {
    const { input, optimizer, rates, read, samples, named }: Family = families[name];
    const { losses, tensors } = golden[name];
    const { model, weights } = await read(get);
    const trainer = await compile(model, { device, input, weights, optimizer, loss: crossEntropy(), batch: BATCH });
    for (const [pattern, lr] of rates) {
      if (lr > 0) trainer.rates.set(pattern, { lr });
      else trainer.rates.freeze(pattern);
    }
    const start = await trainer.weights();
    const holds = (now: ReadonlyMap<string, HostTensor>, at: 0 | 1): void => {
      const moved = [...now].filter(([key, { data }]) => data.some((value, i) => value !== start.get(key)!.data[i]));
      expect(moved.map(([key]) => key).sort()).toEqual(Object.keys(tensors).map(named).sort());
      const wrong = Object.entries(tensors as Readonly<Record<string, readonly number[][]>>).flatMap(([key, ways]) => {
        const [from, to] = [start.get(named(key))!.data, now.get(named(key))!.data];
        const expected = ways[at] as readonly number[];
        const error = apart(told(Float64Array.from(from, (value, i) => to[i]! - value)), expected);
        // What f32 holds cannot be nearer than half of its last bit.
        const most = 1e-4 * expected[0]! + length(from) * 2 ** -25;
        return error <= most ? [] : [`${key}: ${error.toExponential(2)} away, its way is ${expected[0]}`];
      });
      expect(wrong, `after step ${at === 0 ? 1 : losses.length}`).toEqual([]);
    };
    for (const [step, expected] of losses.entries()) {
      const { loss } = await trainer.step(samples(step));
      expect(Math.abs(loss / expected - 1), `step ${step}: ${loss}, PyTorch ${expected}`).toBeLessThan(1e-5);
      if (step === 0) holds(await trainer.weights(), 0);
    }
    holds(await trainer.weights(), 1);
    trainer.dispose();
  }),
);
