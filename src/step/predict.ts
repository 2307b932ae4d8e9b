// What a program says of all samples, batch by batch, mapped in few pieces.

import { bug } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import * as Usage from "../gpu/usage.ts";
import { bytesOf, size } from "../op/tensor.ts";
import type { Program } from "./program.ts";
import type { Prepared, Replay } from "./replay.ts";
import type { HostTensor } from "./store.ts";

/** Samples that are predicted at once where nobody says, and bytes of their activations. */
const MOST_PREDICTED = 1024;
const MOST_ACTIVATIONS = 2 ** 26;

/** Bytes of predictions that are mapped at once: each piece costs a trip to the device and back. */
const MOST_READ = 2 ** 26;

/** Samples that a prediction takes at once, a power of two: no more than there are, nor than fit a little memory. */
export function predictedAtOnce(count: number, batch: number, { recording }: Program): number {
  const perSample = recording.memory.planned / batch;
  const most = Math.max(batch, Math.min(MOST_PREDICTED, MOST_ACTIVATIONS / Math.max(1, perSample)));
  return Math.min(2 ** Math.ceil(Math.log2(count)), Math.max(batch, 2 ** Math.floor(Math.log2(most))));
}

/** What a program is, ready to run, and where the output of a batch of it lies. */
interface Predicting {
  readonly gpu: Gpu;
  readonly replay: Replay;
  readonly run: Program;
  readonly ready: Prepared;
  readonly arena: (name: string) => GPUBuffer;
}

/** The output of that name for each of `total` samples. */
export async function predicted(
  { gpu, replay, run, ready, arena }: Predicting,
  name: string,
  total: number,
): Promise<HostTensor> {
  const output = run.outputs.find((one) => one.name === name) ?? bug(`there is no output "${name}"`);
  const slice = run.recording.results[name] ?? bug("a prediction has no place");
  const [batch, ...shape] = output.shape as [number, ...number[]];
  const perSample = size(shape);
  const bytes = perSample * bytesOf("f32");
  const data = new Float32Array(total * perSample);
  const piece = Math.max(1, Math.floor(MOST_READ / (bytes * batch))) * batch;
  const target = gpu.buffer("predictions", Math.min(piece, total) * bytes, Usage.COPY_DST | Usage.MAP_READ);
  try {
    const place = { buffer: arena(slice.arena), offset: slice.offset, bytes };
    for (let first = 0; first < total; first += piece) {
      const end = Math.min(first + piece, total);
      const { ran } = await replay.collect(ready, { first, end, batch }, place, target);
      // Mapped while the last batches run; whether all have is told by what they leave.
      const [read] = await Promise.all([gpu.mapped(target, (end - first) * bytes), ran]);
      data.set(new Float32Array(read), first * perSample);
      target.unmap();
    }
  } finally {
    target.destroy();
  }
  return { shape: [total, ...shape], data };
}
