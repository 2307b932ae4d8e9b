// Faults of a device that goes on: each submission by itself is dropped, or refused by it, and each buffer by itself is none.
// Whatever is asked then gives the numbers of a sound device or a typed error, never zeros or those of before.

import { expect, test } from "vitest";
import { compile, crossEntropy, dense, GradusError, relu, sequential, type Trainer } from "../../src/index.ts";
import { plain, samples, slice } from "./small.ts";

const model = sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(2) });
const settings = { input: [6], batch: 8, loss: crossEntropy(), averaging: 0.9, seed: 5 } as const;
const data = samples(40);

/** What happens to the submission, or the buffer, of a number that counts down to 0. */
type Fault = "dropped" | "refused" | "no buffer";

async function faulty() {
  const below = (await (await navigator.gpu.requestAdapter())?.requestDevice()) as GPUDevice;
  let [fault, left]: [Fault | undefined, number] = [undefined, 0];
  const seen = { submits: 0, buffers: 0 };
  const hits = (...faults: Fault[]): boolean => fault !== undefined && faults.includes(fault) && left-- === 0;
  const lasting = <T extends object>(target: T, own: object): T =>
    new Proxy(target, {
      get(_, key) {
        const value = Reflect.get(key in own ? own : target, key);
        return typeof value === "function" && !(key in own) ? value.bind(target) : value;
      },
    });
  const queue = lasting(below.queue, {
    submit(list: GPUCommandBuffer[]) {
      seen.submits++;
      if (!hits("dropped", "refused")) return below.queue.submit(list);
      // What was written before it is written all the same.
      if (fault === "dropped") below.queue.submit([]);
      else {
        // A list that was submitted before is refused as a whole.
        const used = below.createCommandEncoder().finish();
        below.queue.submit([used]);
        below.queue.submit([...list, used]);
      }
    },
  });
  const device = lasting(below, {
    queue,
    createBuffer(descriptor: GPUBufferDescriptor) {
      seen.buffers++;
      // To be read and written by the host is more than a buffer can.
      return below.createBuffer(hits("no buffer") ? { ...descriptor, usage: 3 } : descriptor);
    },
  });
  const arm = (next: Fault | undefined, at = 0): void => {
    [fault, left] = [next, at];
  };
  return { device, below, seen, arm };
}

const numbers = (found: unknown): unknown => (found instanceof Map ? plain(found) : found);

/** All that asks a device for something. */
const calls: Readonly<Record<string, (trainer: Trainer) => Promise<unknown>>> = {
  step: (trainer) => trainer.step(slice(data, 0, 8)),
  fit: async (trainer) => [await trainer.fit(data), numbers(await trainer.weights())],
  predict: (trainer) => trainer.predict(data.x, { batch: 16 }),
  evaluate: (trainer) => trainer.evaluate(data, { perSample: true }),
  "evaluate of other weights": async (trainer) => {
    await trainer.evaluate(data);
    trainer.setWeights({ "head.bias": [3, -3] });
    return trainer.evaluate(data);
  },
  gradients: async (trainer) => numbers((await trainer.gradients(slice(data, 0, 8))).gradients),
  "gradients, applied": async (trainer) => {
    const { gradients } = await trainer.gradients(slice(data, 0, 8));
    await trainer.applyGradients(gradients);
    return [trainer.steps, numbers(await trainer.weights())];
  },
  weights: async (trainer) => numbers(await trainer.weights()),
  averages: async (trainer) => numbers(await trainer.averages()),
  state: (trainer) => trainer.state(),
  save: (trainer) => trainer.save(),
  "features of frozen layers": async (trainer) => {
    trainer.rates.freeze("stem");
    return [await trainer.fit(data, { shuffle: false }), numbers(await trainer.weights())];
  },
};

/** What a call gives, or the typed error that it throws; what is no error of ours fails the test. */
const outcome = async (call: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await call();
  } catch (error) {
    if (error instanceof GradusError) return error;
    throw error;
  }
};

test.each(["dropped", "refused"] as const)(
  "a submission that is %s is a typed error, whatever it was for",
  async (fault) => {
    const { device, below, seen, arm } = await faulty();
    const trainer = await compile(model, { ...settings, device, cacheFrozen: true });
    await trainer.step(slice(data, 8, 16));
    const start = await trainer.save();
    for (const [name, call] of Object.entries(calls)) {
      trainer.load(start);
      const before = seen.submits;
      const sound = await call(trainer);
      const submits = seen.submits - before;
      expect(submits, name).toBeGreaterThan(0);
      let errors = 0;
      for (let at = 0; at < submits; at++) {
        trainer.load(start);
        arm(fault, at);
        const found = await outcome(() => call(trainer));
        arm(undefined);
        if (found instanceof GradusError) errors++;
        else expect(found, `${name}: submission ${at} of ${submits}`).toEqual(sound);
      }
      expect(errors, name).toBeGreaterThan(0);
      // And nothing of it stays.
      trainer.load(start);
      expect(await call(trainer), name).toEqual(sound);
    }
    trainer.dispose();
    below.destroy();
  },
);

test("a buffer that is none is a typed error in all that needs it", async () => {
  const { device, below, seen, arm } = await faulty();
  const all = async (): Promise<unknown> => {
    const trainer = await compile(model, { ...settings, device });
    try {
      const found: unknown[] = [];
      for (const name of ["step", "predict", "evaluate", "gradients", "weights", "state", "save"]) {
        found.push(await outcome(() => calls[name]!(trainer)));
      }
      return found;
    } finally {
      trainer.dispose();
    }
  };
  const sound = (await all()) as unknown[];
  const buffers = seen.buffers;
  expect(buffers).toBeGreaterThan(20);
  let errors = 0;
  for (let at = 0; at < buffers; at++) {
    arm("no buffer", at);
    const found = (await all()) as unknown[];
    arm(undefined);
    for (const [i, one] of found.entries()) {
      // What an update never reached is as it was before; that its step failed was said.
      const behind = i > 0 && found[0] instanceof GradusError;
      if (one instanceof GradusError) errors++;
      else if (!behind) expect(one, `buffer ${at}, call ${i}`).toEqual(sound[i]);
    }
  }
  expect(errors).toBeGreaterThan(buffers / 2);
  below.destroy();
});
