// Samples on the GPU, and how long they stay: data sets by their content, uploads until they are disposed of, and single batches, which
// pass through one feed of their kind.

import type { Packed, Samples } from "../data/dataset.ts";
import { fingerprint } from "../data/fingerprint.ts";
import type { Normalization } from "../data/normalization.ts";
import { pack, packInputs } from "../data/pack.ts";
import { Uploaded } from "../data/uploaded.ts";
import type { Gpu } from "../gpu/device.ts";
import { type DataFormat, dataName, isSameFormat } from "../graph/stream.ts";
import { createFeed, type Feed, inOrder, roomFor } from "./feed.ts";
import type { Copies, Program } from "./program.ts";

/** Data sets that stay; with one more, the one that was used longest ago leaves. */
const MOST_FEEDS = 4;

/** Samples on the GPU. */
export interface Source {
  readonly feed: Feed;
  readonly format: DataFormat;
  /** Samples that are real; the feed for single batches may have room for more. */
  readonly count: number;
  /** Whether it holds the same samples the next time. */
  readonly stays: boolean;
}

interface ShelfOptions {
  readonly streams: Program["streams"];
  /** Of x where samples do not say it. */
  readonly normalization: Normalization;
  /** Samples of a batch. */
  readonly batch: number;
  readonly copies?: Copies | undefined;
}

/** `left` is told of each feed before it is freed. */
export function createShelf(
  gpu: Gpu,
  { streams, normalization, batch, copies }: ShelfOptions,
  left: (feed: Feed) => void,
) {
  /** Orders of an epoch. */
  const orders = copies?.orders?.length ?? 1;
  /** By content, and the content that an object had last. */
  const sources = new Map<string, Source>();
  const contents = new WeakMap<object, string>();
  const uploads = new Set<Feed>();
  const freed = new Set<Feed>();
  /** What a fit walks over stays, whatever else is looked at meanwhile. */
  let held: Feed | undefined;
  /** The same samples in their own order, by feed. */
  const ordered = new Map<Feed, Feed>();
  const batches: (Pick<Source, "feed" | "format"> & {
    readonly names: readonly string[];
    readonly widths: readonly number[];
  })[] = [];

  /** Room for samples that stay. */
  function roomOf(packed: Packed): Source {
    try {
      return { feed: createFeed(gpu, packed, orders), format: packed.format, count: packed.count, stays: true };
    } catch (error) {
      // What nobody asks for now makes room, the oldest first.
      const [oldest] = [...sources].filter(([, { feed }]) => feed !== held);
      if (oldest === undefined) throw error;
      sources.delete(oldest[0]);
      drop(oldest[1].feed);
      return roomOf(packed);
    }
  }

  function upload(packed: Packed): Source {
    const source = roomOf(packed);
    source.feed.replace(packed);
    return source;
  }

  /** With y, or where the loss asks for one and there is none, inputs alone. */
  function packed(place: string, samples: Samples): Packed {
    const packs = samples?.y === undefined && streams.targets.length > 0 ? packInputs : pack;
    return packs(place, samples, streams, normalization);
  }

  /** Stays until it is disposed of. */
  function kept(source: Source): Uploaded {
    uploads.add(source.feed);
    return new Uploaded(source.count, gpu, source, () => {
      if (!uploads.delete(source.feed)) return;
      // What a fit walks over is freed when the fit is over.
      if (source.feed === held) freed.add(source.feed);
      else drop(source.feed);
    });
  }

  const uploaded = (place: string, data: Uploaded): Source => data.sourceFor(place, gpu) as Source;

  function drop(feed: Feed): void {
    const own = ordered.get(feed);
    ordered.delete(feed);
    left(feed);
    feed.dispose();
    if (own !== undefined) drop(own);
  }

  return {
    uploaded,
    drop,

    /** Samples on the GPU: what has the same content as before, in whatever arrays, is checked and uploaded once. */
    source(place: string, samples: Samples | Uploaded): Source {
      if (samples instanceof Uploaded) {
        const source = uploaded(place, samples);
        // What was put here for predictions is refused as samples without y are.
        if (streams.targets.some(({ name }) => !source.feed.buffers.has(dataName("y", name))))
          pack(place, { x: [] }, streams);
        return source;
      }
      const content = fingerprint(samples);
      const source = sources.get(content) ?? upload(pack(place, samples, streams, normalization));
      const before = contents.get(samples);
      contents.set(samples, content);
      sources.delete(content);
      sources.set(content, source);
      // What an object held before is not asked for again.
      const [oldest] = [...sources].filter(([, one]) => one !== source && one.feed !== held);
      const gone =
        before !== undefined && before !== content ? before : sources.size > MOST_FEEDS ? oldest?.[0] : undefined;
      const old = gone === undefined ? undefined : sources.get(gone);
      if (gone !== undefined && old !== undefined && old.feed !== held) {
        sources.delete(gone);
        drop(old.feed);
      }
      return source;
    },

    /** Samples that stay until they are disposed of; inputs alone are for predictions. */
    upload: (place: string, samples: Samples): Uploaded => kept(upload(packed(place, samples))),

    /** The same piece by piece; where `told` throws, nothing is left of them. */
    async uploadInPieces(
      place: string,
      samples: Samples,
      told: (done: number, total: number) => void,
    ): Promise<Uploaded> {
      const values = packed(place, samples);
      const source = roomOf(values);
      const { feed } = source;
      let done = 0;
      try {
        told(done, feed.bytes);
        for (const bytes of feed.write(values)) {
          await gpu.untilLost(gpu.device.queue.onSubmittedWorkDone());
          done += bytes;
          told(done, feed.bytes);
        }
      } catch (error) {
        drop(feed);
        throw error;
      }
      return kept(source);
    },

    /** One batch, put into a feed that all batches of its kind pass through. */
    batchSource(packed: Packed): Source {
      const isAlike = ({ format, names, widths }: (typeof batches)[number]): boolean =>
        isSameFormat(format, packed.format) &&
        names.length === packed.streams.size &&
        names.every((name, i) => packed.streams.get(name)?.width === widths[i]);
      let known = batches.find(isAlike);
      if (known === undefined) {
        known = {
          feed: createFeed(gpu, roomFor(packed, batch), orders),
          format: packed.format,
          names: [...packed.streams.keys()],
          widths: [...packed.streams.values()].map(({ width }) => width),
        };
        for (let k = 0; k < orders; k++) known.feed.setOrder(inOrder(batch), k);
        batches.push(known);
      }
      known.feed.replace(packed);
      return { ...known, count: packed.count, stays: false };
    },

    /** A fit walks over it now, or over none. */
    hold(source: Source | undefined): void {
      held = source?.feed;
      for (const feed of freed) {
        if (feed === held) continue;
        freed.delete(feed);
        drop(feed);
      }
    },

    /** A feed beside another one, for those who only look. */
    inOrder(feed: Feed): Feed {
      const own = ordered.get(feed) ?? feed.inOrder();
      ordered.set(feed, own);
      return own;
    },

    dispose(): void {
      for (const feed of [...uploads, ...freed, ...[...sources.values()].map(({ feed }) => feed)]) drop(feed);
      uploads.clear();
      for (const { feed } of batches) feed.dispose();
    },
  };
}
