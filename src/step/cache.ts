// The features of a data set: what the frozen layers at the input make of each sample, computed once and kept on the GPU as
// data for the rest of the model.

import { bug, LimitError } from "../errors.ts";
import { type Gpu, megabytes } from "../gpu/device.ts";
import { BufferUsage } from "../gpu/usage.ts";
import { byteSize } from "../op/tensor.ts";
import type { Feed } from "./feed.ts";
import type { Program } from "./program.ts";
import type { Prepared, Replay } from "./replay.ts";

/** What the features are computed with. */
export interface CacheParts {
  readonly gpu: Gpu;
  readonly replay: Replay;
  /** The program of the features. */
  readonly run: Program;
  /** The program on data whose order is the samples' own. */
  readonly prepared: (run: Program, feed: Feed) => Prepared | Promise<Prepared>;
  /** Frees a feed and what was bound to it. */
  readonly drop: (feed: Feed) => void;
  readonly arena: (name: string) => GPUBuffer;
}

/**
 * Computes the features of all samples of a feed, batch by batch: the same labels and order, with features in the place of
 * inputs. Disposing of it frees the features alone. Throws LimitError where they do not fit.
 */
export async function cacheFeatures(
  { gpu, replay, run, prepared, drop, arena }: CacheParts,
  feed: Feed,
): Promise<Feed> {
  const found = run.features ?? bug("a program of features has none");
  const [batch] = found.shape as [number];
  const slice = run.recording.results.features ?? bug("features have no place");
  const bytes = byteSize(found) / batch;
  const { maxStorageBufferBindingSize: most } = gpu.device.limits;
  if (bytes * feed.count > most) {
    throw new LimitError(
      `cacheFrozen: the activations of ${feed.count} samples need ${megabytes(bytes * feed.count)}, this device allows ${megabytes(most)}. Give fewer samples at a time, or compile without cacheFrozen.`,
    );
  }
  const { STORAGE, COPY_DST, COPY_SRC } = BufferUsage;
  const features = gpu.buffer("data.features", bytes * feed.count, STORAGE | COPY_DST | COPY_SRC);
  const ordered = feed.inOrder();
  const ready = await prepared(run, ordered);
  const walk = { first: 0, end: feed.count, batch, bytes };
  await replay.collect(ready, walk, { buffer: arena(slice.arena), offset: slice.offset }, features);
  await gpu.untilLost(gpu.device.queue.onSubmittedWorkDone());
  drop(ordered);
  return { ...feed, buffers: new Map(feed.buffers).set(found.input, features), dispose: () => features.destroy() };
}
