// Programs tied to data: the bind groups of a program on a feed, made when they are first asked for.

import type { Gpu } from "../gpu/device.ts";
import * as Usage from "../gpu/usage.ts";
import type { Feed } from "./feed.ts";
import type { Program } from "./program.ts";
import type { Prepared, Replay } from "./replay.ts";
import type { Store } from "./store.ts";

/** What is bound to a feed, with the weights or with their running means; it leaves with its program. */
type OfFeed = Readonly<Record<"plain" | "averaged", WeakMap<Program, Prepared>>>;

export function createBindings(gpu: Gpu, store: Store, replay: Replay) {
  const bound = new Map<Feed, OfFeed>();
  /** Numbers that are the same in each step. */
  const constants = new Map<string, GPUBuffer>();

  function constant(name: string, values: Float32Array<ArrayBuffer>): GPUBuffer {
    const known = constants.get(name);
    if (known !== undefined) return known;
    const made = gpu.buffer(name, values.byteLength, Usage.STORAGE | Usage.COPY_DST);
    gpu.device.queue.writeBuffer(made, 0, values);
    constants.set(name, made);
    return made;
  }

  async function bind(run: Program, feed: Feed, averaged: boolean): Promise<Prepared> {
    // A larger arena is a new buffer, so what was bound to the old one is bound again when it is next used.
    if (store.grow(run.recording.arenas)) bound.clear();
    const ofFeed: OfFeed = bound.get(feed) ?? { plain: new WeakMap(), averaged: new WeakMap() };
    bound.set(feed, ofFeed);
    const buffers = new Map([...store.buffers, ...feed.buffers]);
    for (const [name, values] of run.constants) buffers.set(name, constant(name, values));
    if (averaged) buffers.set("parameters", store.arena("average"));
    const made = await replay.prepare(run.recording, buffers);
    ofFeed[averaged ? "averaged" : "plain"].set(run, made);
    return made;
  }

  return {
    /** `averaged`: with the running means in the place of the weights. */
    of: (run: Program, feed: Feed, averaged = false): Prepared | Promise<Prepared> =>
      bound.get(feed)?.[averaged ? "averaged" : "plain"].get(run) ?? bind(run, feed, averaged),

    forget(feed: Feed): void {
      bound.delete(feed);
    },

    dispose(): void {
      for (const buffer of constants.values()) buffer.destroy();
    },
  };
}

export type Bindings = ReturnType<typeof createBindings>;
