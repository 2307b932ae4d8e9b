// Data on the GPU: samples, labels, and the order in which an epoch walks through them. A batch is gathered from here by
// a kernel, so that a step uploads nothing.

import type { Packed, PackedStream } from "../data/dataset.ts";
import { bug } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import * as Usage from "../gpu/usage.ts";
import { bytesOf } from "../op/tensor.ts";

export interface Feed {
  readonly count: number;
  /** "data.order", and the streams by the names of `dataName`. */
  readonly buffers: ReadonlyMap<string, GPUBuffer>;
  /** Sets the order of the coming epoch, of a copy where each has its own. */
  setOrder(order: Uint32Array<ArrayBuffer>, copy?: number): void;
  /** The same samples in their own order, as a feed beside this one; it owns its order alone. */
  inOrder(): Feed;
  /** Bytes of all streams. */
  readonly bytes: number;
  /** Puts samples in the place of the first ones, piece by piece; they must fit. Gives the bytes of each piece. */
  write(samples: Packed): Iterable<number>;
  /** The same at once. */
  replace(samples: Packed): void;
  dispose(): void;
}

/** Bytes of a piece. */
const PIECE = 2 ** 22;

/** Room for samples, which are written apart. `orders`: how many there are. */
export function createFeed(gpu: Gpu, samples: Packed, orders = 1): Feed {
  const { queue } = gpu.device;
  const usage = Usage.STORAGE | Usage.COPY_DST;
  const parts = [...samples.streams].map(([name, { values }]) => [name, values.byteLength] as const);
  const bytes = samples.count * bytesOf("u32");
  gpu.demandRoom([...parts, ["data.order", bytes * orders]]);
  const order = gpu.buffer("data.order", bytes * orders, usage);
  const streams = new Map(parts.map(([name, bytes]) => [name, gpu.buffer(name, bytes, usage)]));
  function* write(next: Packed): Generator<number, void> {
    for (const [name, buffer] of streams) {
      const { values } = next.streams.get(name) ?? bug(`a batch lacks ${name}`);
      const each = values.BYTES_PER_ELEMENT;
      for (let at = 0; at < values.byteLength; at += PIECE) {
        const piece = values.subarray(at / each, (at + PIECE) / each);
        queue.writeBuffer(buffer, at, piece);
        yield piece.byteLength;
      }
    }
  }
  const feed: Feed = {
    count: samples.count,
    buffers: new Map([...streams, ["data.order", order]]),
    setOrder: (next, copy = 0) => queue.writeBuffer(order, copy * bytes, next),
    inOrder() {
      const own = gpu.buffer("data.order", bytes, usage);
      queue.writeBuffer(own, 0, inOrder(samples.count));
      return { ...feed, buffers: new Map(feed.buffers).set("data.order", own), dispose: () => own.destroy() };
    },
    bytes: parts.reduce((sum, [, bytes]) => sum + bytes, 0),
    write,
    replace: (next) => void [...write(next)],
    dispose() {
      for (const buffer of [order, ...streams.values()]) buffer.destroy();
    },
  };
  return feed;
}

/** Empty samples of the form of these, with room for a whole batch. */
export function roomFor({ format, streams }: Packed, batch: number): Packed {
  const empty = ({ values, width }: PackedStream): PackedStream => {
    const length = width === 0 ? values.length : batch * width;
    const Kind = values.constructor as typeof Uint8Array;
    return { width, values: new Kind(Kind.BYTES_PER_ELEMENT === 1 ? Math.ceil(length / 4) * 4 : length) };
  };
  return { count: batch, format, streams: new Map([...streams].map(([name, stream]) => [name, empty(stream)])) };
}

export const inOrder = (count: number): Uint32Array<ArrayBuffer> => Uint32Array.from({ length: count }, (_, i) => i);
