// How a file is refused: where, what is wrong with both numbers, and what to do.

import { CheckpointError } from "../index.ts";

/** What to do where a file ends too early or contradicts itself. */
export const DAMAGED = "The file is damaged or incomplete; use another copy.";

export type Refuse = (what: string, advice?: string) => never;

/** Refuses what a file holds. `place` begins the message: a call, and of the file what is looked at. */
export const refuser =
  (place: string): Refuse =>
  (what, advice = DAMAGED) => {
    throw new CheckpointError(`${place}: ${what}. ${advice}`);
  };

/** `"a", "b" and 3 more`. */
export function named(names: readonly string[], most = 12): string {
  const shown = names.slice(0, most).map((name) => `"${name}"`);
  return names.length > most ? `${shown.join(", ")} and ${names.length - most} more` : shown.join(", ");
}

/** The bytes of a file, whatever holds them. */
export function bytesOf(place: string, given: unknown): Uint8Array {
  // By tag, since a page may get them from another window or worker, whose classes are others.
  const kind = Object.prototype.toString.call(given).slice(8, -1);
  if (ArrayBuffer.isView(given) && kind === "Uint8Array") return given as Uint8Array;
  if (kind === "ArrayBuffer") return new Uint8Array(given as ArrayBuffer);
  const isLate = typeof Object(given).arrayBuffer === "function" || typeof Object(given).then === "function";
  throw new CheckpointError(
    `${place}: a file is given as its bytes, in a Uint8Array or ArrayBuffer, and this is ${given === null ? "null" : kind}. ${isLate ? "Give await file.arrayBuffer()" : "Give await (await fetch(url)).arrayBuffer(), or what readFile gives"}.`,
  );
}
