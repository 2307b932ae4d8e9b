// Twenty steps of networks that PyTorch trained, with a rate for each group of layers, against PyTorch in f64: losses, and the way that
// each tensor went, running statistics among them.

import { expect, test } from "vitest";
import {
  adam,
  compile,
  crossEntropy,
  meanSquaredError,
  type Objective,
  type Optimizer,
  type Rates,
  type Samples,
  summary,
} from "../../src/index.ts";
import { fromPyTorch, loadWeights, toPyTorch } from "../../src/pytorch/index.ts";
import { pytorchNetworks } from "../foreign/pytorch.ts";
import golden from "../golden/pytorch-training.json" with { type: "json" };
import { foreignFile as get } from "./foreign.ts";
import { guarded } from "./guarded.ts";

interface Case {
  readonly batch: number;
  readonly loss: Objective;
  readonly optimizer: Optimizer;
  /** The last that fits counts. */
  readonly rates: Rates;
  samples(step: number): Promise<Samples>;
}

const rule = (count: number, start: number, scale: number, shift: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => ((((i + start) * 7919) % 1009) / 1009) * scale + shift);
const turned = (count: number, step: number, classes: number): number[] =>
  Array.from({ length: count }, (_, i) => (i + step) % classes);
const cases: Readonly<Record<keyof typeof golden, Case>> = {
  vit3: {
    batch: 6,
    loss: crossEntropy(),
    optimizer: adam({ lr: 8e-4, eps: 1e-4 }),
    rates: [
      ["transformer", { lr: 3e-4 }],
      ["transformer.layers.3", { lr: 5e-4 }],
      ["mlp_head", { lr: 1e-3 }],
    ],
    samples: async (step) => ({ x: rule(4704, 4704 * step, 3, -0.4), y: turned(6, step, 3) }),
  },
  agent: {
    batch: 8,
    loss: { action: crossEntropy(), value: meanSquaredError() },
    optimizer: adam({ lr: 1e-3, eps: 1e-4 }),
    rates: [
      ["mlp_extractor", { lr: 3e-4 }],
      ["mlp_extractor.policy_net.0", { lr: 1e-4 }],
    ],
    samples: async (step) => ({
      x: rule(32, 32 * step, 0.4, -0.2),
      y: { action: turned(8, step, 2), value: rule(8, 8 * step, 10, 40) },
    }),
  },
};

/** How many numbers of a tensor the golden file has at most, evenly spread. */
const SAMPLES = 64;

const norm = (values: readonly number[]): number => Math.hypot(...values);

test.each(Object.entries(cases))("%s goes twenty steps as in PyTorch", (name, { samples, ...options }) =>
  guarded(async (device) => {
    const { losses, tensors } = golden[name as keyof typeof golden];
    const { file, options: load, model, input } = { options: {}, ...pytorchNetworks[name as keyof typeof golden] };
    const { weights } = await loadWeights(summary(model, { input }), await get(file), load);
    const trainer = await compile(model, { device, input, weights, ...options });
    const told = async () => (await fromPyTorch((await toPyTorch(trainer, model)).weights)).tensors;
    const start = await told();
    for (const [step, expected] of losses.entries()) {
      const { loss } = await trainer.step(await samples(step));
      expect(Math.abs(loss - expected) / expected, `step ${step}: ${loss}, PyTorch ${expected}`).toBeLessThan(1e-4);
    }
    const end = await told();
    expect(end.size).toBe(Object.keys(tensors).length);
    const wrong: string[] = [];
    for (const [key, { path, count, way }] of Object.entries(tensors)) {
      // A parameter of the model itself is that of a layer here.
      const own = end.has(key) ? key : `${key}.weight`;
      const [from, to] = [start.get(own)!.data, end.get(own)!.data];
      const error = norm(
        way.map((one, i) => {
          const at = count > SAMPLES ? Math.floor((i * count) / SAMPLES) : i;
          return to[at]! - from[at]! - one;
        }),
      );
      // Some of a tensor's numbers have their part of the way.
      const part = path * Math.sqrt(way.length / count);
      if (!(error <= 1e-4 * part)) wrong.push(`${key} ${(error / part).toExponential(2)}`);
    }
    expect(wrong).toEqual([]);
    trainer.dispose();
  }),
);
