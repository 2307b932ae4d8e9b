// One wrong file, by its number alone: made, read, and what came of it. It is read, or refused by a typed error; memory is counted as all
// that was allocated meanwhile, what is garbage already included, which needs a process with `gc` and room for what is young.

import { constants, PerformanceObserver } from "node:perf_hooks";
import { GradusError } from "../../../src/index.ts";
import { type Given, type Reader, readers } from "./readers.ts";
import { chanceOf } from "./wrong.ts";

export type ReaderFault = "untyped" | "memory" | "crash" | "hung";

export interface InputResult {
  readonly number: number;
  readonly reader: string;
  readonly was: "read" | "refused" | ReaderFault;
  /** Of the file. */
  readonly bytes: number;
  /** Allocated while it was read. */
  readonly allocated: number;
  /** Of a fault: what happened. */
  readonly message?: string;
}

/** What may be allocated: so many times the file, above what a sound file of the same reader takes so often. */
export const MOST = { perByte: 64, perSound: 4, floor: 2 ** 20 } as const;

const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});
const occupied = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
let collections = 0;
const observer = new PerformanceObserver((list) => {
  // Marking that has only begun takes nothing away.
  const kinds = list.getEntries().map((entry) => (entry as unknown as { detail: { kind: number } }).detail.kind);
  collections += kinds.filter((kind) => kind !== constants.NODE_PERFORMANCE_GC_INCREMENTAL).length;
});
observer.observe({ entryTypes: ["gc"] });
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Bytes above which what is garbage is collected before the next input. */
const FULL = 24 * 2 ** 20;
let base = 0;

/** How many bytes `work` allocates, at least, where more were collected than there was room for. */
async function counted(work: () => unknown): Promise<{ readonly allocated: number; readonly error: unknown }> {
  if (occupied() - base > FULL) {
    collect();
    base = occupied();
  }
  await settled();
  const before = [collections, occupied()] as const;
  let error: unknown;
  try {
    await work();
  } catch (thrown) {
    error = thrown;
  }
  const after = occupied();
  await settled();
  // A collection in between hides what it took away: more than there was room for.
  return { error, allocated: Math.max(after - before[1], collections > before[0] ? ROOM : 0) };
}
/** Where nothing but more than this makes V8 collect. */
const ROOM = 32 * 2 ** 20;

const sizeOf = (given: Given): number =>
  given instanceof Uint8Array
    ? given.length
    : given.weights.length + (given.json instanceof Uint8Array ? given.json.length : JSON.stringify(given.json).length);

/** What the sound files of a reader take at most, once they were read before. */
async function soundOf({ files, read, name }: Reader): Promise<number> {
  let most = 0;
  for (const round of [0, 1]) {
    for (const [i, file] of files.entries()) {
      const { error, allocated } = await counted(() => read(structuredClone(file)));
      // Some files show what is refused.
      if (error !== undefined && !(error instanceof GradusError)) throw new Error(`${name} ${i}: ${error}`);
      if (round === 1) most = Math.max(most, allocated);
    }
  }
  return most;
}
const sound = new Map<Reader, Promise<number>>();

/** Readers take turns. */
export const readerOf = (number: number): Reader => readers[number % readers.length] as Reader;

/** Makes the input of a number and reads it. */
export async function readInput(number: number): Promise<InputResult> {
  const reader = readerOf(number);
  const own = sound.get(reader) ?? soundOf(reader);
  sound.set(reader, own);
  const most = await own;
  const made = (): Given => {
    const chance = chanceOf(number, "input");
    const file = chance.below(reader.files.length);
    return chance.pick(reader.ways)(file, chance);
  };
  const bytes = sizeOf(made());
  const allowed = MOST.perByte * bytes + MOST.perSound * most + (reader.floor ?? MOST.floor);
  const once = async () => {
    const given = made();
    return await counted(() => reader.read(given));
  };
  let { error, allocated } = await once();
  // A collection may come since files before this one left little room: then there is none the second time.
  if (allocated === ROOM) ({ error, allocated } = await once());
  const told = { number, reader: reader.name, bytes, allocated };
  if (error !== undefined && (!(error instanceof GradusError) || /internal:/.test(error.message)))
    return { ...told, was: "untyped", message: `${(error as Error).stack ?? error}` };
  if (allocated > allowed)
    return { ...told, was: "memory", message: `${allocated} bytes for a file of ${bytes}, at most ${allowed}` };
  return { ...told, was: error === undefined ? "read" : "refused" };
}
