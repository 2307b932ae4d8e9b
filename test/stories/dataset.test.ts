// Batches of gradus/dataset in a fit: an order of its own for each epoch, the bits of a run that never stopped after one that did, schedules that
// know the epoch, and images of which only some are in memory.

import { expect, test } from "vitest";
import { arrays, type ByteSource, batch, map, records, split, whole } from "../../src/dataset/index.ts";
import {
  compile,
  conv2d,
  crossEntropy,
  dense,
  dropout,
  flatten,
  maxPool2d,
  relu,
  type Samples,
  sequential,
  stepLR,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { compileRecoverable } from "../../src/recover/index.ts";
import { guarded } from "./guarded.ts";
import { losing } from "./losing.ts";
import { bits, samples, small } from "./small.ts";

const rows = arrays(samples(60), { input: [6] });
const options = { shuffle: true, seed: 4 } as const;

/** Batches that note which labels and places they gave. */
function noted(size = 8) {
  const places: string[] = [];
  const batches = map(batch(rows, size, options), (found: Samples, { epoch, batch }) => {
    places.push(`${epoch}.${batch}`);
    return found;
  });
  return { batches, places };
}

test("a fit that stops, is saved and goes on in another trainer ends with the bits of one that never stopped", () =>
  guarded(async (device) => {
    const straight = await small(device);
    const { batches, places } = noted();
    await straight.fit(batches, { epochs: 3, lockstep: true });
    expect(places.slice(0, 9)).toEqual(["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "1.0"]);
    expect(places).toHaveLength(24);

    const first = await small(device);
    await first.fit(noted().batches, { epochs: 3, steps: 13, lockstep: true });
    const saved = await first.save();
    const second = await small(device, { seed: 9 });
    second.load(saved, { allow: ["seed"] });
    const rest = noted();
    await second.fit(rest.batches, { epochs: 3, resume: true, lockstep: true });
    // What was trained on is not made again.
    expect(rest.places).toEqual(places.slice(13));
    expect(bits(await second.weights())).toEqual(bits(await straight.weights()));
    // Another order would have given others.
    const other = await small(device);
    await other.fit(batch(rows, 8, { ...options, seed: 5 }), { epochs: 3 });
    expect(bits(await other.weights())).not.toEqual(bits(await straight.weights()));
    // A fit that begins anew goes on with the epochs, so that it has orders of its own.
    const anew = noted();
    await second.fit(anew.batches, { lockstep: true });
    expect(anew.places[0]).toBe("3.0");
    for (const trainer of [straight, first, second, other]) trainer.dispose();
  }));

test("with micro-batches too, and where the stream of a training is asked again after a loss", () =>
  guarded(async (device) => {
    const straight = await small(device, { accumulate: 3 });
    await straight.fit(batch(rows, 8, options), { epochs: 2 });
    const first = await small(device, { accumulate: 3 });
    await first.fit(batch(rows, 8, options), { epochs: 2, steps: 4 });
    await first.fit(batch(rows, 8, options), { epochs: 2, resume: true });
    expect(bits(await first.weights())).toEqual(bits(await straight.weights()));
    for (const trainer of [straight, first]) trainer.dispose();

    const model = sequential({ body: [dense(8), relu(), dropout(0.2)], head: dense(2) });
    const settings = { input: [6], batch: 8, loss: crossEntropy(), seed: 5 } as const;
    const sound = await compile(model, { ...settings, device });
    await sound.fit(batch(rows, 8, options), { epochs: 3 });
    const devices: ReturnType<typeof losing>[] = [];
    const next = () => {
      const one = losing(device);
      devices.push(one);
      return one.device;
    };
    const survivor = await compileRecoverable(model, { ...settings, device: next }, { everySteps: 4, wait: 1 });
    await survivor.fit(batch(rows, 8, options), {
      epochs: 3,
      lockstep: true,
      onStep: ({ step }) => (step === 11 && devices.length === 1 ? devices[0]!.lose("unknown", 0) : undefined),
    });
    expect(devices.length).toBe(2);
    expect(bits(await survivor.weights())).toEqual(bits(await sound.weights()));
    for (const trainer of [sound, survivor]) trainer.dispose();
  }));

test("a schedule over epochs knows how long they are, as with samples in one piece", () =>
  guarded(async (device) => {
    const settings = { schedule: stepLR({ epochs: 1, gamma: 0.1 }) };
    const rates = async (data: Parameters<Awaited<ReturnType<typeof small>>["fit"]>[0]): Promise<number[]> => {
      const trainer = await small(device, settings);
      const found: number[] = [];
      await trainer.fit(data, { epochs: 2, onStep: ({ rates }) => found.push(Object.values(rates())[0] as number) });
      trainer.dispose();
      return found;
    };
    const plain = await rates(await whole(rows));
    expect(new Set(plain).size).toBe(2);
    expect(await rates(batch(rows, 8))).toEqual(plain);
  }));

const IMAGE = [12, 12, 3] as const;
const PIXELS = 12 * 12 * 3;
const COUNT = 400;

/** Images in a file, bright on the left or on the right: the label, then the bytes. */
function images(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(COUNT * (1 + PIXELS));
  for (let i = 0; i < COUNT; i++) {
    const label = i % 2;
    bytes[i * (1 + PIXELS)] = label;
    for (let p = 0; p < PIXELS; p++) {
      const isRight = Math.floor(p / 3) % 12 >= 6;
      bytes[i * (1 + PIXELS) + 1 + p] = 200 * uniform(i, p) * (isRight === (label === 1) ? 1 : 0.7);
    }
  }
  return bytes;
}

const fields = { y: { shape: [], dtype: "u8" }, x: { shape: IMAGE, dtype: "u8" } } as const;

/** The origin's own files, where there are any; else bytes as a file of Node or Deno is read. */
async function stored(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<{ source: Blob | ByteSource; remove: () => Promise<void> }> {
  const storage = (globalThis.navigator as Partial<Navigator> | undefined)?.storage;
  if (typeof storage?.getDirectory !== "function") {
    const read = async (offset: number, length: number) => bytes.slice(offset, offset + length);
    return { source: { size: bytes.length, read }, remove: async () => undefined };
  }
  const folder = await storage.getDirectory();
  const handle = await folder.getFileHandle("dataset-story.bin", { create: true });
  const writer = await handle.createWritable();
  await writer.write(bytes);
  await writer.close();
  return { source: await handle.getFile(), remove: () => folder.removeEntry("dataset-story.bin") };
}

test("images are streamed from a file: a fraction of them is in memory, and training is what it is with all of them there", () =>
  guarded(async (device) => {
    const { source, remove } = await stored(images());
    const set = records(source, fields);
    const [training, held] = split(set, [0.8, 0.2], { seed: 1 }) as [typeof set, typeof set];
    const memory = 40_000;
    const stream = batch(training, 16, { shuffle: true, seed: 2, block: 8, memory });
    const model = sequential({ stem: [conv2d(4, { kernel: 3 }), relu(), maxPool2d(2), flatten()], head: dense(2) });
    const made = () => compile(model, { device, input: IMAGE, batch: 16, loss: crossEntropy(), seed: 1 });
    const trainer = await made();
    const validation = batch(held, 16, { memory });
    const { epochs } = await trainer.fit(stream, { epochs: 4, validation });
    expect(epochs.at(-1)!.validation!.accuracy).toBeGreaterThan(0.9);
    expect(epochs.at(-1)!.validation!.samples).toBe(80);
    expect(stream.mostHeld).toBeLessThanOrEqual(memory);
    expect(stream.mostHeld).toBeGreaterThan(memory / 2);
    expect([stream.held, validation.held]).toEqual([0, 0]);
    // The same batches as samples in memory, bytes that stay bytes, give the same bits.
    const other = await made();
    for (const epoch of [0, 1, 2, 3]) {
      const all: Samples[] = [];
      for (let walk = stream.from(epoch, 0), next = await walk.next(); next.done !== true; next = await walk.next())
        all.push(next.value);
      expect(all[0]!.x).toBeInstanceOf(Uint8Array);
      await other.fit(all);
    }
    expect(bits(await trainer.weights())).toEqual(bits(await other.weights()));
    for (const one of [trainer, other]) one.dispose();
    await remove();
  }));
