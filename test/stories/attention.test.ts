// Attention on the GPU: against PyTorch in f64, on short batches, where a query sees nothing, and a small network that learns by it.

import { expect, test } from "vitest";
import {
  adam,
  checkGradients,
  compile,
  crossEntropy,
  dense,
  functional,
  meanSquaredError,
  multiHeadAttention,
  rotary,
  sequential,
  type Value,
} from "../../src/index.ts";
import { distance, type LayerCase, layerCases, masked, numbers, weightsOf } from "../golden/attention.ts";
import { guarded } from "./guarded.ts";

const TOLERANCE = 2e-6;

/** A model of the layer of a case, and what goes into it. */
function looking({ batch, queries, features, heads, keyHeads, causal = false, ...one }: LayerCase) {
  const layer = multiHeadAttention({ heads, keyHeads, causal });
  const x = numbers(1, batch * queries * features);
  const y = numbers(4, batch * queries * features);
  const { keys, valueFeatures: width } = one;
  if (keys === undefined || width === undefined)
    return { model: sequential({ look: layer }), input: [queries, features], x, y };
  const model = functional(({ text, memory, mask }: Record<"text" | "memory" | "mask", Value>, { use }) =>
    use("look", layer, { query: text, value: memory, mask }),
  );
  const input = { text: [queries, features], memory: [keys, width], mask: [keys] };
  return { model, input, x: { text: x, memory: numbers(2, batch * keys * width), mask: masked(batch, keys) }, y };
}

test.each(layerCases.map((one) => [`${one.heads} heads, ${one.keyHeads} of keys, to ${one.keys}`, one] as const))(
  "a layer as PyTorch has it, in whole batches and in short ones: %s",
  (_, one) =>
    guarded(async (device) => {
      const { model, input, x, y } = looking(one);
      for (const batch of [one.batch, one.batch + 2]) {
        const trainer = await compile(model, { device, input, batch, loss: meanSquaredError() });
        const weights = Object.entries(weightsOf(one)).map(([name, values]) => [`look.${name}`, values]);
        trainer.setWeights(Object.fromEntries(weights));
        const errors = [distance((await trainer.predict(x)).data, one.y)];
        const { gradients } = await trainer.gradients({ x, y });
        const all = Object.values(one.gradients).flat();
        for (const [name, expected] of Object.entries(one.gradients))
          errors.push(distance(gradients.get(`look.${name}`)!.data, expected, all));
        console.log(`attention against PyTorch: forward ${errors[0]}, backward ${Math.max(...errors.slice(1))}`);
        expect(Math.max(...errors), `in batches of ${batch}: ${errors}`).toBeLessThan(TOLERANCE);
        expect((await trainer.gradients({ x, y })).gradients).toEqual(gradients);
      }
    }),
);

test("a query that sees nothing gives the bias, and leaves no NaN in any gradient", () =>
  guarded(async (device) => {
    const layer = multiHeadAttention({ heads: 2, causal: true });
    const model = functional(({ text, mask }: Record<"text" | "mask", Value>, { use }) =>
      use("look", layer, { query: use("stem", dense(4), text), mask }),
    );
    const input = { text: [3, 4], mask: [3] };
    const trainer = await compile(model, { device, input, batch: 2, loss: meanSquaredError() });
    const bias = [0.5, -1, 0.25, 2];
    trainer.setWeights({ "look.output.bias": bias });
    // The first sample hides its first key, which is all that its first query would see; the second hides all.
    const x = { text: numbers(1, 24), mask: [0, 1, 1, 0, 0, 0] };
    const { data } = await trainer.predict(x);
    for (const row of [0, 3, 4, 5]) expect([...data.slice(row * 4, row * 4 + 4)]).toEqual(bias);
    expect([...data.slice(4, 8)]).not.toEqual(bias);
    const { gradients } = await trainer.gradients({ x, y: numbers(4, 24) });
    for (const [name, { data }] of gradients) {
      expect(data.every(Number.isFinite), name).toBe(true);
      // Softmax does not change where all scores do by one number.
      if (name !== "look.key.bias")
        expect(
          data.some((value) => value !== 0),
          name,
        ).toBe(true);
    }
    const nothing = { text: x.text, mask: new Float32Array(6) };
    const none = await trainer.gradients({ x: nothing, y: numbers(4, 24) });
    for (const [name, { data }] of none.gradients)
      expect(
        data.every((value) => value === 0),
        name,
      ).toBe(name !== "look.output.bias");
  }));

test("its gradients are the slopes of its loss, behind positions and shared heads of keys", () =>
  guarded(async (device) => {
    const layer = multiHeadAttention({ heads: 4, keyHeads: 2, causal: true, positions: rotary({ interleaved: true }) });
    const model = sequential({ stem: dense(16), look: layer, head: dense(3) });
    const errors = await checkGradients(model, { device, input: [7, 5] });
    for (const [name, error] of errors) if (name !== "look.key.bias") expect(error, name).toBeLessThan(0.01);
  }));

test("angles are exact up to place 4,095, to 1.5e-7 of a radius of 1", () =>
  guarded(async (device) => {
    const [places, length, base] = [4096, 6, 10_000];
    const model = sequential({ turn: rotary({ base, interleaved: true }), as: dense(length, { bias: false }) });
    const trainer = await compile(model, { device, input: [places, length], batch: 1, loss: meanSquaredError() });
    trainer.setWeights({
      "as.weight": Array.from({ length: length ** 2 }, (_, i) => (i % (length + 1) === 0 ? 1 : 0)),
    });
    const { data } = await trainer.predict(Float32Array.from({ length: places * length }, (_, i) => 1 - (i % 2)));
    const errors = Array.from(data, (value, i) => {
      const angle = Math.floor(i / length) * base ** (-((i % length) & ~1) / length);
      return Math.abs(value - (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle)));
    });
    console.log(`rotary: worst error ${Math.max(...errors)}`);
    expect(Math.max(...errors)).toBeLessThan(1.5e-7);
  }));

test("learns by places: the symbol before, which no network without positions could tell", () =>
  guarded(async (device) => {
    const [samples, places, symbols] = [32, 8, 4];
    const order = numbers(7, samples * places).map((value) => Math.floor(value * 512 + 510) % symbols);
    const x = new Float32Array(order.length * symbols);
    for (const [i, symbol] of order.entries()) x[i * symbols + symbol] = 1;
    const y = order.map((_, i) => (i % places === 0 ? 0 : order[i - 1]!));
    const trained = async (positions: { positions?: ReturnType<typeof rotary> }) => {
      const layer = multiHeadAttention({ heads: 2, keyHeads: 1, causal: true, ...positions });
      const trainer = await compile(sequential({ stem: dense(16), look: layer, head: dense(symbols) }), {
        ...{
          device,
          input: [places, symbols],
          batch: 16,
          loss: crossEntropy(),
          optimizer: adam({ lr: 0.02 }),
          seed: 3,
        },
      });
      const { epochs } = await trainer.fit({ x, y }, { epochs: 60 });
      return { loss: epochs.at(-1)!.loss, bytes: await trainer.save() };
    };
    const [one, again, without] = [
      await trained({ positions: rotary() }),
      await trained({ positions: rotary() }),
      await trained({}),
    ];
    expect(one.loss).toBeLessThan(0.3);
    expect(without.loss).toBeGreaterThan(2 * one.loss);
    expect(again.bytes).toEqual(one.bytes);
  }));
