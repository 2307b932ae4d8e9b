// Numbers from 0, each where a uniform may begin: which of its runs a kernel is in that runs several times in a step.

import type { Gpu } from "../gpu/device.ts";
import * as Usage from "../gpu/usage.ts";

/** `slot`: bytes from one number to the next. */
export function createTicks(gpu: Gpu, slot: number) {
  // What was bound to a shorter list stays bound to that.
  const made: GPUBuffer[] = [];
  return {
    /** A list of at least so many. */
    upTo(count: number): GPUBuffer {
      const last = made.at(-1);
      if (last !== undefined && last.size >= count * slot) return last;
      const words = new Uint32Array((count * slot) / 4);
      for (let i = 0; i < count; i++) words[(i * slot) / 4] = i;
      const list = gpu.buffer("ticks", words.byteLength, Usage.UNIFORM | Usage.COPY_DST);
      gpu.device.queue.writeBuffer(list, 0, words);
      made.push(list);
      return list;
    },
    destroy(): void {
      for (const list of made) list.destroy();
    },
  };
}
