// A run as data: what it began with, the changes made while it trained, and a hash of the weights where it ended. Making
// the same changes at the same steps leads to the same bits.

import type { Edit, HostTensor } from "../../src/index.ts";
import type { Settings } from "./session.ts";

export type Weights = ReadonlyMap<string, HostTensor>;

export interface RunRecord {
  readonly format: typeof FORMAT;
  readonly settings: Settings;
  /** Base64 of f32 numbers by tensor, where the run did not begin with those of its seed. */
  readonly weights?: Readonly<Record<string, string>>;
  readonly edits: readonly Edit[];
  readonly steps: number;
  /** Of the weights after the last step. */
  readonly hash: string;
}

export const FORMAT = "gradus-run 1";

/** FNV-1a over the names and bytes of all weights, as eight digits. */
export function hashOf(weights: Weights): string {
  let hash = 0x811c9dc5;
  const add = (bytes: Uint8Array): void => {
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  };
  for (const [name, { data }] of weights) {
    add(new TextEncoder().encode(name));
    add(bytesOf(data));
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}

const bytesOf = (data: HostTensor["data"]): Uint8Array => new Uint8Array(Float32Array.from(data).buffer);

export const packWeights = (weights: Weights): Record<string, string> =>
  Object.fromEntries(
    [...weights].map(([name, { data }]) => [
      name,
      btoa(Array.from(bytesOf(data), (byte) => String.fromCharCode(byte)).join("")),
    ]),
  );

export const unpackWeights = (packed: Readonly<Record<string, string>>): Record<string, Float32Array> =>
  Object.fromEntries(
    Object.entries(packed).map(([name, text]) => [
      name,
      new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer),
    ]),
  );

/** A file that may be anything. Settings and changes are checked where they are used. */
export function parseRecord(text: string): RunRecord {
  let found: Partial<RunRecord> | null = null;
  try {
    found = JSON.parse(text);
  } catch {
    // Said below.
  }
  const { format, edits, steps, hash, settings } = found ?? {};
  const valid = format === FORMAT && Array.isArray(edits) && typeof hash === "string" && typeof settings === "object";
  if (!valid) throw new Error(`The file is no run of format "${FORMAT}". Choose one that Export wrote.`);
  if (Number.isSafeInteger(steps) && (steps as number) > 0) return found as RunRecord;
  throw new Error(`The file's run has ${steps} steps. Choose one with at least 1.`);
}

/** Hands a record to the user as a file. */
export function download(record: RunRecord): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(record, null, 1)], { type: "application/json" }));
  link.download = `gradus-run-${record.hash}.json`;
  link.click();
  // Not at once: the browser may not have begun to read.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
