// One copy in the place of another, on the GPU: weights, moments, running means and states, through a buffer between, since none may be
// copied onto itself. What the other has told of a bad step is forgotten with it.

import type { Trainer } from "../index.ts";
import type { Program, ProgramOptions } from "./core.ts";
import { TOLD } from "./spread.ts";

/** The core's buffers by the names of their arenas, and those that a checkpoint has with their tensors. */
interface Store {
  readonly buffers: ReadonlyMap<string, GPUBuffer>;
  readonly saved: readonly string[];
  readonly tensorsOf: (arena: string) => Program["layout"]["tensors"];
}

export type Replace = (trainer: Trainer, from: number, to: number) => void;

/** `told`: bytes of what each copy tells. */
export function replaced(place: Pick<ProgramOptions, "store" | "gpu">, told: number, from: number, to: number): void {
  const store = place.store as Store;
  const { device } = place.gpu as { readonly device: GPUDevice };
  const encoder = device.createCommandEncoder();
  const moved = store.saved.flatMap((arena) => {
    const tensors = store.tensorsOf(arena);
    const of = (copy: number) => tensors.filter(({ name }) => name.startsWith(`${copy}.`));
    const targets = of(to);
    return of(from).map(({ offset, length }, i) => {
      return { arena, source: offset * 4, target: (targets[i]?.offset ?? 0) * 4, bytes: length * 4 };
    });
  });
  // COPY_SRC and COPY_DST.
  const between = device.createBuffer({ size: Math.max(4, ...moved.map(({ bytes }) => bytes)), usage: 4 | 8 });
  for (const { arena, source, target, bytes } of moved) {
    const buffer = store.buffers.get(arena) as GPUBuffer;
    encoder.copyBufferToBuffer(buffer, source, between, 0, bytes);
    encoder.copyBufferToBuffer(between, 0, buffer, target, bytes);
  }
  const words = store.buffers.get(TOLD);
  if (words !== undefined) encoder.clearBuffer(words, to * told, 16);
  device.queue.submit([encoder.finish()]);
  between.destroy();
}
