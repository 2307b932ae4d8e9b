// The buffers that outlive a step: weights, gradients and moments at equal offsets, the block-to-row map, and the
// activation arenas that all recordings of a trainer share.

import { bug, LimitError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { arenaBytes, type Layout, type Placed } from "../plan/layout.ts";

export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

export type Store = ReturnType<typeof createStore>;

/** `moments` are the arenas of state that the update rule keeps; the first one starts from `initial`. */
export function createStore(gpu: Gpu, layout: Layout, moments: readonly string[], initial = 0) {
  const bytes = arenaBytes(layout);
  const { maxStorageBufferBindingSize: most } = gpu.device.limits;
  if (bytes > most) {
    const [needs, allows] = [bytes, most].map((size) => `${(size / 2 ** 20).toFixed(1)} MB`);
    throw new LimitError(
      `model: its weights need one binding of ${needs}, this device allows ${allows}. Use a smaller model, or a device with a larger maxStorageBufferBindingSize.`,
    );
  }
  const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const saved = ["parameters", ...moments];
  const buffers = new Map<string, GPUBuffer>();
  for (const name of [...saved, "gradients"]) buffers.set(name, gpu.buffer(name, bytes, STORAGE | COPY_SRC | COPY_DST));
  const rows = gpu.buffer("rows", layout.rows.byteLength, STORAGE | COPY_DST);
  gpu.device.queue.writeBuffer(rows, 0, layout.rows);
  buffers.set("rows", rows);
  const [first] = moments;
  if (initial !== 0 && first !== undefined) {
    const words = new Float32Array(bytes / 4).fill(initial);
    gpu.device.queue.writeBuffer(buffers.get(first) as GPUBuffer, 0, words);
  }
  const named = (arena: string): GPUBuffer => buffers.get(arena) ?? bug(`there is no arena "${arena}"`);

  return {
    buffers: buffers as ReadonlyMap<string, GPUBuffer>,
    /** Arenas that a checkpoint holds. */
    saved: saved as readonly string[],

    write(arena: string, { offset, length, name }: Placed, data: Float32Array<ArrayBuffer>): void {
      if (data.length !== length) bug(`"${name}" has ${length} numbers, ${data.length} were given`);
      gpu.device.queue.writeBuffer(named(arena), offset * 4, data);
    },

    /** All tensors of an arena, as of the work submitted so far. */
    async read(arena: string): Promise<Map<string, HostTensor>> {
      const words = new Float32Array(await readBack(gpu, named(arena), 0, bytes));
      return new Map(
        layout.tensors.map(({ name, shape, offset, length }) => [
          name,
          { shape, data: words.slice(offset, offset + length) },
        ]),
      );
    },

    /** Makes sure of activation arenas of these sizes; true where one had to be made anew. */
    grow(arenas: ReadonlyMap<string, number>): boolean {
      let grown = false;
      for (const [name, size] of arenas) {
        if ((buffers.get(name)?.size ?? 0) >= size) continue;
        buffers.set(name, gpu.buffer(name, size, STORAGE | COPY_SRC));
        grown = true;
      }
      return grown;
    },

    /** For a buffer that another room owns and recordings bind by name. */
    lend(name: string, buffer: GPUBuffer): void {
      buffers.set(name, buffer);
    },

    dispose(): void {
      for (const buffer of buffers.values()) buffer.destroy();
    },
  };
}

/** Bytes of a buffer, as of the work submitted so far. */
export async function readBack(gpu: Gpu, source: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const target = gpu.buffer("read back", bytes, MAP_READ | COPY_DST);
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, offset, target, 0, bytes);
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.untilLost(target.mapAsync(GPUMapMode.READ));
  const copy = target.getMappedRange().slice(0, bytes);
  target.destroy();
  return copy;
}
