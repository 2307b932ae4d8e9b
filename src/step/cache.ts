// The features of a data set: what the frozen layers at the input make of each sample, computed once and kept on the GPU as
// data for the rest of the model, until weights move that made them.

import { bug, LimitError } from "../errors.ts";
import { apart, type Gpu } from "../gpu/device.ts";
import * as Usage from "../gpu/usage.ts";
import { byteSize, bytesOf } from "../op/tensor.ts";
import type { Feed } from "./feed.ts";
import type { Program } from "./program.ts";
import type { Prepared, Replay } from "./replay.ts";

/** What features are computed with. */
export interface CacheParts {
  readonly gpu: Gpu;
  readonly replay: Replay;
  /** A program on data whose order is the samples' own. */
  readonly prepared: (run: Program, feed: Feed) => Prepared | Promise<Prepared>;
  /** Frees a feed and what was bound to it. */
  readonly drop: (feed: Feed) => void;
  readonly arena: (name: string) => GPUBuffer;
}

export function createCache(parts: CacheParts) {
  /** Features by the feed that they were made from, with what made them. */
  const caches = new Map<Feed, { readonly run: Program; readonly features: Feed }>();
  /** Features that no later step uses, though one on its way may. */
  let stale: Feed[] = [];
  /** How often all features were forgotten. */
  let forgotten = 0;

  function forget(feed: Feed): void {
    const known = caches.get(feed);
    if (known === undefined) return;
    caches.delete(feed);
    stale.push(known.features);
  }

  function dropStale(): void {
    for (const old of stale) parts.drop(old);
    stale = [];
  }

  return {
    /** Features of this feed are not asked for again. */
    forget,

    /** Forgets features whose weights are no longer what they were. */
    forgetAll(): void {
      forgotten++;
      for (const feed of caches.keys()) forget(feed);
    },

    /** Tells, whenever it is asked, whether all features have been forgotten since. */
    watch(): () => boolean {
      const before = forgotten;
      return () => forgotten !== before;
    },

    /** The feed with features in the place of its samples, computed where they are not at hand. */
    async of(run: Program, feed: Feed): Promise<Feed> {
      const known = caches.get(feed);
      if (known?.run === run) return known.features;
      for (const [other, { run: made }] of caches) if (made !== run || other === feed) forget(other);
      dropStale();
      const before = forgotten;
      const features = await computed(parts, run, feed);
      // Weights that were set meanwhile are in some of them or in none.
      if (forgotten === before) caches.set(feed, { run, features });
      else stale.push(features);
      return features;
    },

    dispose: dropStale,
  };
}

/**
 * Computes the features of all samples of a feed, batch by batch: the same labels and order, with features in the place of
 * inputs. Disposing of it frees the features alone. Throws LimitError where they do not fit.
 */
async function computed({ gpu, replay, prepared, drop, arena }: CacheParts, run: Program, feed: Feed): Promise<Feed> {
  const found = run.features ?? bug("a program of features has none");
  const [batch] = found.shape as [number];
  const slice = run.recording.results.features ?? bug("features have no place");
  const bytes = byteSize(found) / batch;
  const { maxStorageBufferBindingSize: most } = gpu.device.limits;
  if (bytes * feed.count > most) {
    const [needs, allows] = apart(bytes * feed.count, most);
    throw new LimitError(
      `cacheFrozen: the activations of ${feed.count} samples need ${needs}, this device allows ${allows}. Give fewer samples at a time, or compile without cacheFrozen.`,
    );
  }
  const { STORAGE, COPY_DST, COPY_SRC } = Usage;
  gpu.demandRoom([
    ["data.features", bytes * feed.count],
    ["data.order", feed.count * bytesOf("u32")],
  ]);
  const features = gpu.buffer("data.features", bytes * feed.count, STORAGE | COPY_DST | COPY_SRC);
  const ordered = feed.inOrder();
  const ready = await prepared(run, ordered);
  const place = { buffer: arena(slice.arena), offset: slice.offset, bytes };
  const { ran } = await replay.collect(ready, { first: 0, end: feed.count, batch }, place, features);
  await ran;
  drop(ordered);
  return { ...feed, buffers: new Map(feed.buffers).set(found.input, features), dispose: () => features.destroy() };
}
