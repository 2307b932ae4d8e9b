// What is asked of a trainer while its device fails: each call from the same checkpoint, with all that it says as text, so that two runs are
// alike or not.

import {
  batchNorm,
  type CompileOptions,
  crossEntropy,
  dense,
  dropout,
  guard,
  inference,
  type Model,
  relu,
  sequential,
  type Trainer,
} from "../../../src/index.ts";
import type { RecoverableTrainer } from "../../../src/recover/index.ts";
import { plain, samples, slice } from "../../stories/small.ts";

export interface Setup {
  readonly model: Model;
  readonly settings: CompileOptions;
}

const shared = { input: [6], batch: 8, loss: crossEntropy(), averaging: 0.9, seed: 5, cacheFrozen: true } as const;

/** Trainers that have the fewest buffers, and nearly all. */
export const setups = {
  plain: {
    model: sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(2) }),
    settings: shared,
  },
  rich: {
    model: sequential({ stem: dense(8), body: [batchNorm(), relu(), dropout(0.2)], deep: dense(8), head: dense(2) }),
    settings: {
      ...{ ...shared, clip: { norm: 1 }, accumulate: 2, control: [guard()] },
      base: { except: ["body.**", "deep", "head"], dtype: "f16" },
    },
  },
} satisfies Readonly<Record<string, Setup>>;

export type SetupName = keyof typeof setups;

export const data = samples(40);
const more = samples(16, 9);

/** Where a call is made: trainers that survive their device have the same calls. */
export interface Scene {
  readonly device: GPUDevice;
  readonly model: Model;
}

export type Caller = Trainer | RecoverableTrainer;

/** A call of a trainer that stands at a checkpoint; what it gives is all that it says and leaves. */
export type Call = (trainer: Caller, scene: Scene) => Promise<unknown>;

const ended = async (trainer: Caller, told: unknown): Promise<unknown> => [told, await trainer.save()];

export const calls = {
  step: async (trainer) => ended(trainer, await trainer.step(slice(data, 0, 8))),
  fit: async (trainer) => {
    const steps: unknown[] = [];
    const found = await trainer.fit(data, {
      ...{ validation: more, statsEvery: 2 },
      onStep: ({ step, loss }) => steps.push([step, loss]),
      onStats: (statistics) => steps.push(statistics),
    });
    return ended(trainer, [found, steps]);
  },
  "fit of batches": async (trainer) => {
    const batches = [slice(data, 0, 8), slice(data, 8, 16), slice(data, 16, 24), slice(data, 24, 29)];
    return ended(trainer, await trainer.fit(batches));
  },
  "fit of what was uploaded": async (trainer) => {
    const uploaded = trainer.upload(data);
    const found = await trainer.fit(uploaded, { shuffle: false });
    uploaded.dispose();
    return ended(trainer, found);
  },
  "fit with frozen layers": async (trainer) => {
    trainer.rates.freeze(trainer.rates.table()[0]!.name);
    return ended(trainer, await trainer.fit(data, { shuffle: false }));
  },
  predict: (trainer) => trainer.predict(data.x, { batch: 16 }),
  "predict by the means": (trainer) => trainer.predict(data.x, { averaged: true }),
  evaluate: (trainer) => trainer.evaluate(data, { perSample: true }),
  "evaluate other weights": async (trainer) => {
    const before = await trainer.evaluate(data);
    trainer.setWeights({ "head.bias": [3, -3] });
    return [before, await trainer.evaluate(data)];
  },
  gradients: async (trainer) => {
    const { gradients } = await trainer.gradients(slice(data, 0, 8));
    await trainer.applyGradients(plain(gradients));
    return ended(trainer, gradients);
  },
  weights: (trainer) => trainer.weights(),
  averages: (trainer) => trainer.averages(),
  state: (trainer) => trainer.state(),
  save: (trainer) => trainer.save(),
  load: async (trainer) => {
    const bytes = await trainer.save();
    await trainer.step(slice(data, 0, 8));
    trainer.load(bytes);
    return ended(trainer, await trainer.predict(data.x));
  },
  findRate: async (trainer) => ended(trainer, await trainer.findRate(data, { steps: 6 })),
  fineTune: async (trainer) => ended(trainer, await trainer.fineTune(data, { epochs: 1 })),
  inference: async (trainer, { device, model }) => {
    const network = await inference(model, await trainer.save(), { device });
    try {
      return [await network.predict(data.x), await network.weights()];
    } finally {
      network.dispose();
    }
  },
} satisfies Readonly<Record<string, Call>>;

export type CallName = keyof typeof calls;

/** All of a value as text: typed arrays by their bits, maps and objects in their order, numbers as `said`. */
export function textOf(value: unknown, said: (number: number) => string = String): string {
  const own = (one: unknown): string => textOf(one, said);
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    return `${value.constructor.name} ${new Uint8Array(buffer, byteOffset, byteLength)}`;
  }
  if (value instanceof Map) return `Map ${own([...value])}`;
  if (Array.isArray(value)) return `[${value.map(own)}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value).map(([key, one]) => `${key}: ${own(one)}`)}}`;
  }
  if (Object.is(value, -0)) return "-0";
  return typeof value === "number" ? said(value) : String(value);
}
