// Runs in the browser: a network that trains on images of a file in the origin's own storage, beside the same on images that lie on the GPU.

import { batch, records } from "../../../src/dataset/index.ts";
import {
  compile,
  conv2d,
  crossEntropy,
  type Data,
  dense,
  type FitOptions,
  flatten,
  relu,
  sequential,
  summary,
  type Trainer,
} from "../../../src/index.ts";
import type { HostMemory } from "./memory.ts";
import type { StreamReport } from "./report.ts";

export interface StreamTask {
  readonly images: number;
  readonly resident: number;
  readonly rounds: number;
  /** Steps of a timed block. */
  readonly steps: number;
}

declare global {
  /** What test/bench/main.ts calls here for `--only stream`, each in a page of its own, and what this page calls there. */
  var writeStream: (task: Pick<StreamTask, "images">) => Promise<number>;
  var measureStream: (task: StreamTask) => Promise<StreamReport>;
  var hostMemory: () => Promise<HostMemory | null>;
}

const input = [64, 64, 3] as const;
const PIXELS = 64 * 64 * 3;
const BATCH = 64;
const MEMORY = 2 ** 26;
/** Steps of a block before its clock runs: a fit that begins has nothing read ahead. */
const WARM = 4;
const NAME = "gradus-bench-stream.bin";
/** Bytes from one line about what is written to the next. */
const TOLD = 1e8;

const model = sequential({
  one: [conv2d(16, { kernel: 3, stride: 2 }), relu()],
  two: [conv2d(32, { kernel: 3, stride: 2 }), relu()],
  three: [conv2d(96, { kernel: 3, stride: 2 }), relu(), flatten()],
  head: dense(10),
});

/** Images one after another, each behind its label, so many at a time. */
function* pieces(images: number, each: number): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < images; at += each) {
    const count = Math.min(each, images - at);
    const words = new Uint32Array(Math.ceil((count * (1 + PIXELS)) / 4));
    let word = at + 1;
    for (let i = 0; i < words.length; i++) {
      word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
      words[i] = word;
    }
    const bytes = new Uint8Array(words.buffer, 0, count * (1 + PIXELS));
    for (let i = 0; i < count; i++) bytes[i * (1 + PIXELS)] = (at + i) % 10;
    yield bytes;
  }
}

/** Milliseconds of a step of a fit that has begun. */
async function block(trainer: Trainer, data: Data, steps: number): Promise<number> {
  let began = 0;
  const onStep: FitOptions["onStep"] = ({ step }) => {
    if (step === first + WARM) began = performance.now();
  };
  const first = trainer.steps;
  await trainer.fit(data, { steps: WARM + steps, onStep });
  return (performance.now() - began) / steps;
}

/** Memory of the host before, and the most while a trainer goes once over all images. */
async function remembered(trainer: Trainer, data: Data, steps: number): Promise<StreamReport["memory"]> {
  const before = await hostMemory();
  let most = before;
  let asked: Promise<void> = Promise.resolve();
  await trainer.fit(data, {
    steps,
    onStep({ step }) {
      if (step % 20 !== 0) return;
      progress(`stream: step ${step} of ${steps}, all images once`);
      asked = asked.then(async () => {
        const now = await hostMemory();
        if (now && most) most = { page: Math.max(now.page, most.page), all: Math.max(now.all, most.all) };
      });
    },
  });
  await asked;
  return before && most ? { before, most } : null;
}

globalThis.writeStream = async ({ images }) => {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle(NAME, { create: true });
  const writer = await handle.createWritable();
  let written = 0;
  for (const piece of pieces(images, 100)) {
    await writer.write(piece);
    written += piece.length;
    // A line for each megabyte would fill a log.
    if (written % TOLD < piece.length) progress(`stream: ${(written / 1e6).toFixed(0)} MB of the file are written`);
  }
  await writer.close();
  return written;
};

globalThis.measureStream = async ({ images, resident, rounds, steps }) => {
  const folder = await navigator.storage.getDirectory();
  try {
    const file = await (await folder.getFileHandle(NAME)).getFile();
    const set = records(file, { y: { shape: [], dtype: "u8" }, x: { shape: input, dtype: "u8" } });
    const stream = batch(set, BATCH, { shuffle: true, seed: 1, memory: MEMORY });
    const made = () => compile(model, { input, batch: BATCH, loss: crossEntropy() });
    const alone = await made();
    const memory = await remembered(alone, stream, Math.ceil(images / BATCH));
    alone.dispose();
    const trainers = [await made(), await made()] as const;
    const [piece] = pieces(resident, 1000);
    const all = new Uint8Array(resident * PIXELS);
    for (let i = 0; i < resident; i++) {
      const row = i % ((piece as Uint8Array).length / (1 + PIXELS));
      all.set((piece as Uint8Array).subarray(row * (1 + PIXELS) + 1, (row + 1) * (1 + PIXELS)), i * PIXELS);
    }
    const uploaded = trainers[1].upload({ x: all, y: Uint8Array.from({ length: resident }, (_, i) => i % 10) });
    const [streamed, present]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      progress(`stream: round ${round + 1} of ${rounds}`);
      const turns = [
        async () => streamed.push(await block(trainers[0], stream, steps)),
        async () => present.push(await block(trainers[1], uploaded, steps)),
      ];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
    for (const trainer of trainers) trainer.dispose();
    const operations = 2 * summary(model, { input }).multiplyAdds;
    return { images, resident, operations, bytes: file.size, memory, mostHeld: stream.mostHeld, streamed, present };
  } finally {
    await folder.removeEntry(NAME);
  }
};
