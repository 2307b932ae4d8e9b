// What a page gives to `compile` so that kernels are chosen by measurement: where choices are kept, under which name of the adapter, and
// how long measuring may take.

import { type Autotune, OptionError } from "../index.ts";
import type { Gpu } from "./core.ts";
import { createMeter } from "./meter.ts";
import { createRun } from "./run.ts";
import { storeOf } from "./runtime-store.ts";
import { candidateName, shapeClass } from "./shape-class.ts";
import { type AutotuneStore, add, read } from "./store.ts";
import { VERSION } from "./version.ts";

/** Options of `autotune`. */
export interface AutotuneOptions {
  /**
   * "cached": only what adds in the same order, and gives the same bits when it is tried, so that results are those without. "full": also
   * what adds in another order; checkpoints then hold the choices, and `load` takes them. Default "cached".
   */
  readonly mode?: "cached" | "full";
  /**
   * Where choices are kept: texts by key, such as a Map, or the path of a file in Node and Deno. Default: the browser's IndexedDB, in Node and
   * Deno the file gradus/autotune.json in the user's folder for caches.
   */
  readonly store?: AutotuneStore | string;
  /** Seconds that measuring may take before the first step. What was not reached then stays as it is without. Default 2. */
  readonly seconds?: number;
  /** Told of each class of shapes that is decided, the most expensive first. */
  readonly onProgress?: (progress: AutotuneProgress) => void;
}

/** How far the measurement is. */
export interface AutotuneProgress {
  /** Shape classes that are decided. */
  readonly done: number;
  /** Shape classes that are to be decided in this run. */
  readonly total: number;
  /** Name of the kernel that was decided last. */
  readonly kernel: string;
  /** What its nodes have in common. */
  readonly shapes: string;
  /** How the kernel runs from now on. */
  readonly chosen: string;
  /** Whether it would have run so by itself. */
  readonly isDefault: boolean;
}

const keys = ["mode", "store", "seconds", "onProgress"];

/**
 * Which of the ways to run a kernel is the fastest on this adapter is measured before the first step of a shape class, 2 seconds in
 * all, and kept by adapter and version: the next start measures nothing. Another way must be faster by more than 3 % in the median of
 * five rounds. Throws OptionError where an option cannot be; a store that cannot be read is said and passed over.
 *
 * @example
 * const trainer = await compile(model, { ...options, autotune: autotune() });
 */
export function autotune(options: AutotuneOptions = {}): Autotune {
  check(options);
  const { mode = "cached", store: wanted, seconds = 2, onProgress } = options;
  return {
    mode,
    async open(gpu, core) {
      const { warn } = core;
      const store = storeOf(wanted);
      if (store === undefined) warn("autotune: nothing can be kept here. Give { store: { get, set } }.");
      const key = `gradus ${VERSION} ${mode}: ${adapterOf(gpu)}`;
      const now = (): number => performance.now() / 1000;
      return createRun({
        ...{ mode, seconds, now, meter: createMeter(gpu, core, now) },
        stored: store === undefined ? {} : await read(store, key, warn),
        tell({ kernel, work, candidates: [first] }, chosen, done, total) {
          const shapes = shapeClass(kernel, work, first as typeof chosen);
          const isDefault = chosen === first;
          onProgress?.({ done, total, kernel: kernel.name, shapes, chosen: candidateName(chosen), isDefault });
        },
        keep: async (found) => (store === undefined ? undefined : add(store, key, found, warn)),
      });
    },
  };
}

/** All that the runtime says of the adapter: its driver too, where that is told. */
function adapterOf({ device, adapter, software }: Gpu): string {
  const info = (device.adapterInfo ?? {}) as unknown as Readonly<Record<string, unknown>>;
  const words = ["vendor", "architecture", "device", "description", "driver", "backend", "type"].map((word) =>
    String(info[word] ?? ""),
  );
  return [adapter, software ? "software" : "hardware", ...words].join(" | ");
}

function check(options: unknown): void {
  const say = (value: unknown): string => (typeof value === "string" ? `"${value}"` : String(value));
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new OptionError(`autotune: its options are ${say(options)}, they must be an object. Write { mode: "full" }.`);
  const odd = Object.keys(options).find((key) => !keys.includes(key));
  if (odd !== undefined) throw new OptionError(`autotune: it has no "${odd}". It may have ${keys.join(", ")}.`);
  const { mode, store, seconds, onProgress } = options as { readonly [name: string]: unknown };
  const rows: readonly (readonly [name: string, value: unknown, holds: boolean, kind: string])[] = [
    ["mode", mode, mode === "cached" || mode === "full", '"cached" or "full"; without autotune it is off'],
    ["store", store, isStore(store), "an object with get(key) and set(key, text), or the path of a file"],
    ["seconds", seconds, typeof seconds === "number" && seconds > 0 && seconds < Infinity, "a finite number above 0"],
    ["onProgress", onProgress, typeof onProgress === "function", "a function"],
  ];
  for (const [name, value, holds, kind] of rows)
    if (value !== undefined && !holds) throw new OptionError(`autotune: ${name} is ${say(value)}, it must be ${kind}.`);
}

const isStore = (store: unknown): boolean =>
  typeof store === "string"
    ? store !== ""
    : ["get", "set"].every((name) => typeof (Object(store) as Record<string, unknown>)[name] === "function");
