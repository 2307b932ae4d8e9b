// Clipping against f64 on the host: by the norm of all gradients, by that of each layer, and by value.

import { expect, test } from "vitest";
import { type Clip, lamb, sgd } from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, distance, doubles, gradientsOf, layerOf, norm, samples, small, type Tensors } from "./small.ts";

const LR = 0.25;

/** Gradients that are small in one layer and large in another. */
function uneven(weights: Tensors, step: number): Record<string, Float32Array> {
  const scale: Readonly<Record<string, number>> = { "stem.0": 0.01, "body.0": 1, head: 30 };
  return Object.fromEntries(
    Object.entries(gradientsOf(weights, step)).map(([name, values]) => [
      name,
      values.map((value) => value * (scale[layerOf(name)] as number) * (step % 2 === 0 ? 1 : 0.02)),
    ]),
  );
}

type Gradients = Readonly<Record<string, Float32Array>>;
const normOf = (gradients: Gradients, layer?: string): number =>
  norm(
    Object.entries(gradients).flatMap(([name, values]) =>
      layer === undefined || layerOf(name) === layer ? [...values] : [],
    ),
  );
const factor = (most: number, found: number): number => Math.min(1, most / (found + 1e-6));

const cases: Record<
  string,
  { clip: Clip; clipped: (gradients: Gradients, name: string) => (value: number) => number }
> = {
  norm: {
    clip: { norm: 2 },
    clipped: (gradients) => (value) => value * factor(2, normOf(gradients)),
  },
  layerNorm: {
    clip: { layerNorm: 0.5 },
    clipped: (gradients, name) => (value) => value * factor(0.5, normOf(gradients, layerOf(name))),
  },
  value: {
    clip: { value: 0.2 },
    clipped: () => (value) => Math.max(-0.2, Math.min(0.2, value)),
  },
};

test.each(Object.entries(cases))("%s", (_, { clip, clipped }) =>
  guarded(async (device) => {
    const optimizer = sgd({ lr: LR });
    const trainer = await small(device, { optimizer, clip });
    const start = await trainer.weights();
    const reference = doubles(start);
    const before = doubles(start);
    for (let step = 0; step < 6; step++) {
      const gradients = uneven(start, step);
      await trainer.applyGradients(gradients);
      for (const [name, values] of Object.entries(gradients)) {
        const cut = clipped(gradients, name);
        const weights = reference.get(name) as number[];
        reference.set(
          name,
          weights.map((weight, i) => weight - LR * cut(values[i] as number)),
        );
      }
    }
    const after = await trainer.weights();
    for (const [name] of start) {
      // Of the way that each tensor has gone, so that the small gradients count as much as the large.
      const way = norm(
        (reference.get(name) as number[]).map((value, i) => value - ((before.get(name) as number[])[i] as number)),
      );
      const gap = norm(
        [...(after.get(name)?.data ?? [])].map((value, i) => value - ((reference.get(name) as number[])[i] as number)),
      );
      const size = norm(reference.get(name) as number[]);
      expect(gap, name).toBeLessThan(1e-6 * way + 6 * 2 ** -24 * size);
    }
  }),
);

test.each(Object.entries({ norm: { norm: 1e4 }, layerNorm: { layerNorm: 1e4 }, value: { value: 1e4 } }))(
  "%s: below the bound nothing changes, to the bit, and a bound that is met does",
  (kind, clip) =>
    guarded(async (device) => {
      const data = samples(60);
      const run = async (options: object) => {
        const trainer = await small(device, { optimizer: sgd({ lr: 0.1, momentum: 0.9 }), ...options });
        await trainer.fit(data, { epochs: 2 });
        return bits(await trainer.weights());
      };
      const free = await run({});
      expect(await run({ clip })).toEqual(free);
      expect(await run({ clip: { [kind]: 1e-3 } })).not.toEqual(free);
    }),
);

test("layers that are frozen or left out have no say in the norm", () =>
  guarded(async (device) => {
    const trainer = await small(device, { optimizer: sgd({ lr: LR }), clip: { norm: 1 } });
    trainer.rates.freeze("head");
    const start = await trainer.weights();
    const all = gradientsOf(start, 1, 100);
    await trainer.applyGradients({ "stem.0.bias": all["stem.0.bias"] as Float32Array, "head.bias": [1e6, 1e6] });
    const [from, to] = [doubles(start), doubles(await trainer.weights())];
    const length = norm(
      (to.get("stem.0.bias") as number[]).map((value, i) => value - (from.get("stem.0.bias")?.[i] ?? 0)),
    );
    expect(length).toBeCloseTo(LR, 6);
  }));

test("lamb takes its step from the clipped gradients", () =>
  guarded(async (device) => {
    const [lr, eps, weightDecay, beta1, beta2] = [0.01, 1e-6, 0.01, 0.9, 0.999];
    const trainer = await small(device, { optimizer: lamb({ lr }), clip: { layerNorm: 0.5 } });
    const start = await trainer.weights();
    const reference = doubles(start);
    const moments = new Map(
      [...start].map(([name, { data }]) => [name, [...data].map(() => [0, 0] as [number, number])]),
    );
    for (let step = 0; step < 10; step++) {
      const gradients = uneven(start, step);
      await trainer.applyGradients(gradients);
      for (const [name, values] of Object.entries(gradients)) {
        const weights = reference.get(name) as number[];
        const scale = factor(0.5, normOf(gradients, layerOf(name)));
        const steps = weights.map((weight, i) => {
          const moment = moments.get(name)?.[i] as [number, number];
          const g = scale * (values[i] as number);
          moment[0] = beta1 * moment[0] + (1 - beta1) * g;
          moment[1] = beta2 * moment[1] + (1 - beta2) * g * g;
          const m = moment[0] / (1 - beta1 ** (step + 1));
          const v = moment[1] / (1 - beta2 ** (step + 1));
          return m / (Math.sqrt(v) + eps) + weightDecay * weight;
        });
        const [p, u] = [norm(weights), norm(steps)];
        const ratio = p > 0 && u > 0 ? p / u : 1;
        reference.set(
          name,
          weights.map((weight, i) => weight - lr * ratio * (steps[i] as number)),
        );
      }
    }
    expect(distance(await trainer.weights(), reference)).toBeLessThan(1e-6);
    expect(distance(start, reference)).toBeGreaterThan(0.01);
  }));
