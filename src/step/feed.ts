// Data on the GPU: samples, labels, and the order in which an epoch walks through them. A batch is gathered from here by
// a kernel, so that a step uploads nothing.

import type { Packed } from "../data/dataset.ts";
import type { Gpu } from "../gpu/device.ts";
import { BufferUsage } from "../gpu/usage.ts";
import { bytesOf } from "../op/tensor.ts";

export interface Feed {
  readonly count: number;
  /** "data.x", "data.y", "data.order", and "data.norm" where x is scaled or shifted. */
  readonly buffers: ReadonlyMap<string, GPUBuffer>;
  /** Sets the order of the coming epoch. */
  setOrder(order: Uint32Array<ArrayBuffer>): void;
  /** The same samples in their own order, as a feed beside this one; it owns its order alone. */
  inOrder(): Feed;
  /** Puts other samples in the place of the first ones; they must fit. */
  replace(samples: Packed): void;
  dispose(): void;
}

export function createFeed(gpu: Gpu, samples: Packed): Feed {
  const { queue } = gpu.device;
  const usage = BufferUsage.STORAGE | BufferUsage.COPY_DST;
  const x = gpu.buffer("data.x", samples.x.byteLength, usage);
  const y = gpu.buffer("data.y", samples.y.byteLength, usage);
  const order = gpu.buffer("data.order", samples.count * bytesOf("u32"), usage);
  const norm = samples.norm.length === 0 ? [] : [gpu.buffer("data.norm", samples.norm.byteLength, usage)];
  const replace = (next: Packed): void => {
    queue.writeBuffer(x, 0, next.x);
    queue.writeBuffer(y, 0, next.y);
    for (const buffer of norm) queue.writeBuffer(buffer, 0, next.norm);
  };
  replace(samples);
  const feed: Feed = {
    count: samples.count,
    buffers: new Map([
      ["data.x", x],
      ["data.y", y],
      ["data.order", order],
      ...norm.map((buffer) => ["data.norm", buffer] as const),
    ]),
    setOrder: (next) => queue.writeBuffer(order, 0, next),
    inOrder() {
      const own = gpu.buffer("data.order", samples.count * bytesOf("u32"), usage);
      queue.writeBuffer(own, 0, inOrder(samples.count));
      return { ...feed, buffers: new Map(feed.buffers).set("data.order", own), dispose: () => own.destroy() };
    },
    replace,
    dispose() {
      for (const buffer of [x, y, order, ...norm]) buffer.destroy();
    },
  };
  return feed;
}

export const inOrder = (count: number): Uint32Array<ArrayBuffer> => Uint32Array.from({ length: count }, (_, i) => i);
