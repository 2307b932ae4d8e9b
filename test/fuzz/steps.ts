// Training that lasts: one trainer over very many steps, and very many trainers after one another. Runs in the browser, on the built file; the
// heap is read from outside, after a collection.

import type { Trainer } from "../../src/index.ts";
import type { Engine } from "./config.ts";
import { over } from "./faults/over.ts";

/** What a device has of buffers. */
export interface Buffers {
  /** Not destroyed yet. */
  readonly alive: number;
  /** Since the beginning. */
  readonly made: number;
}

/** Milliseconds of blocks of steps, in turn: of the trainer that has trained for long, and of a fresh one. */
export interface Blocks {
  readonly old: readonly number[];
  readonly fresh: readonly number[];
}

const SAMPLES = 1024;
const BATCH = 4;

/** A device that counts its buffers. */
function counting(below: GPUDevice) {
  const alive = new Set<GPUBuffer>();
  let made = 0;
  const device = over(below, {
    createBuffer(descriptor: GPUBufferDescriptor) {
      const buffer = below.createBuffer(descriptor);
      made++;
      alive.add(buffer);
      const destroy = buffer.destroy.bind(buffer);
      const value = () => {
        alive.delete(buffer);
        destroy();
      };
      Object.defineProperty(buffer, "destroy", { value, configurable: true });
      return buffer;
    },
  });
  return { device, buffers: (): Buffers => ({ alive: alive.size, made }) };
}

export async function openSteps(
  { adamw, compile, crossEntropy, dense, layerDecay, relu, sequential }: Engine,
  below: GPUDevice,
) {
  const { device, buffers } = counting(below);
  const samples = {
    x: Float32Array.from({ length: SAMPLES * 4 }, (_, i) => Math.sin(i)),
    y: Uint8Array.from({ length: SAMPLES }, (_, i) => (i >> 2) % 4),
  };
  const begun = (): Promise<Trainer> =>
    compile(sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(4) }), {
      ...{ device, input: [4], batch: BATCH, loss: crossEntropy() },
      ...{ optimizer: adamw({ lr: 1e-3 }), rates: layerDecay(0.75) },
    });
  const trainer = await begun();
  const data = trainer.upload(samples);
  const timed = async (one: Trainer, given: Parameters<Trainer["fit"]>[0], steps: number): Promise<number> => {
    const begin = performance.now();
    await one.fit(given, { steps, shuffle: false });
    return performance.now() - begin;
  };

  return {
    /** Trains on, and gives steps and buffers as they stand then. */
    async train(steps: number): Promise<Buffers & { readonly steps: number; readonly loss: number }> {
      let loss = Number.NaN;
      await trainer.fit(data, { steps, shuffle: false, onStep: (step) => (loss = step.loss) });
      return { ...buffers(), steps: trainer.steps, loss };
    },

    /** So many blocks of each, in turn, with the first of a pair changing. */
    async blocks(count: number, steps: number): Promise<Blocks> {
      const fresh = await begun();
      const own = fresh.upload(samples);
      const found = { old: [] as number[], fresh: [] as number[] };
      await timed(fresh, own, steps);
      for (let i = 0; i < count; i++) {
        const runs = [
          async () => found.old.push(await timed(trainer, data, steps)),
          async () => found.fresh.push(await timed(fresh, own, steps)),
        ];
        for (const run of i % 2 === 0 ? runs : runs.toReversed()) await run();
      }
      fresh.dispose();
      return found;
    },

    /** Compiles, fits and disposes of so many trainers; the long one is disposed of first. */
    async rounds(count: number): Promise<Buffers> {
      trainer.dispose();
      for (let i = 0; i < count; i++) {
        const one = await begun();
        await one.fit(samples, { steps: 2, shuffle: false });
        await one.predict(samples.x.subarray(0, 16));
        one.dispose();
      }
      return buffers();
    },
  };
}
