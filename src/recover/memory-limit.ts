// What a page gives to `compile` so that no more lies on the GPU than it allows: all buffers that shaders see are counted, and those that are
// made together are refused together, before the first of them is there.

import { LimitError, type MemoryLimit, OptionError } from "../index.ts";
import type { Gpu } from "./core.ts";

type Part = readonly [label: string, bytes: number];

/** Usages of buffers that shaders see; the others only carry numbers to the host. */
const [UNIFORM, STORAGE] = [0x40, 0x80];
/** Bytes of the smallest buffer. */
const LEAST = 16;

/**
 * Bounds the bytes that a trainer, a cohort or a network may have on the GPU at once: weights, gradients, moments, activations, data that
 * stays, features of frozen layers, and whatever a later call needs. What does not fit is a LimitError with both numbers and the largest
 * parts, before a buffer of it is made; data sets that stayed for another call leave first. Buffers through which numbers come back to
 * the host are not counted. Throws OptionError where it is no whole number of at least 1.
 *
 * @example
 * const trainer = await compile(model, { ...options, memoryLimit: memoryLimit(256e6) });
 */
export function memoryLimit(bytes: number): MemoryLimit {
  if (!(Number.isSafeInteger(bytes) && bytes >= 1))
    throw new OptionError(`memoryLimit: it is ${String(bytes)}, it must be a whole number of bytes, at least 1.`);
  return { open: (gpu) => limited(gpu as Gpu, bytes) };
}

/** The device with its own account. */
function limited(gpu: Gpu, most: number): Gpu {
  const held = new Set<ReturnType<Gpu["buffer"]>>();
  /** What was asked for first, before there was a trainer: room is kept for what of it comes later, such as activations. */
  let promised: readonly Part[] | undefined;

  const demandRoom: Gpu["demandRoom"] = (parts, instead = []) => {
    const kept = [...held].flatMap((one): Part[] => (instead.includes(one) ? [] : [[one.label, one.size]]));
    const now = [...kept, ...parts];
    const later = (promised ?? []).map(([label, bytes]): Part => {
      const [, there] = now.find(([name]) => name === label) ?? [label, 0];
      return [label, bytes - there];
    });
    const all = [...now, ...later.filter(([, more]) => more > 0)].sort(([, a], [, b]) => b - a);
    const needed = all.reduce((sum, [, bytes]) => sum + Math.max(LEAST, bytes), 0);
    if (needed > most) {
      const largest = all.slice(0, 3).map(([label, bytes]) => `${label} with ${bytes}`);
      throw new LimitError(
        `memoryLimit: ${needed} bytes are needed, ${most} are allowed. The largest are ${largest.join(", ")}. Use recompute: "auto", a smaller batch with accumulate, fewer samples at a time, or a higher limit.`,
      );
    }
    promised ??= [...parts];
  };

  return {
    ...gpu,
    demandRoom,
    buffer(label, bytes, usage, inParts) {
      const isSeen = (usage & (UNIFORM | STORAGE)) !== 0;
      if (isSeen) demandRoom([[label, bytes]]);
      const made = gpu.buffer(label, bytes, usage, inParts);
      if (!isSeen) return made;
      held.add(made);
      const destroy = made.destroy.bind(made);
      // Whoever frees it says so to the buffer alone.
      const value = (): undefined => {
        held.delete(made);
        destroy();
      };
      Object.defineProperty(made, "destroy", { value, configurable: true });
      return made;
    },
  };
}
