// What a user hands over as a file: its bytes, in whatever they came. What holds them only after an await, or only says where
// they are, is refused by name, with the call that gets them.

import { CheckpointError } from "../errors.ts";
import { shown } from "../option.ts";

/** The bytes of a file: a view, no copy. `place` begins the error. Throws CheckpointError for anything else. */
export function fileBytes(place: string, given: unknown): Uint8Array {
  // By tag, since a page may get them from another window or worker, whose classes are others.
  const kind = Object.prototype.toString.call(given).slice(8, -1);
  if (ArrayBuffer.isView(given) && kind === "Uint8Array") return given as Uint8Array;
  const { arrayBuffer, then } = Object(given) as Record<string, unknown>;
  let advice = "Give what trainer.save() gave";
  if (typeof arrayBuffer === "function") advice = "Give await file.arrayBuffer()";
  else if (typeof then === "function") advice = "Await it first";
  else if (typeof given === "string" || kind === "URL")
    advice = "Give await (await fetch(url)).arrayBuffer(), or what readFile gives";
  else if (kind === "ArrayBuffer") {
    try {
      return new Uint8Array(given as ArrayBuffer);
    } catch {
      advice = "It was transferred to a worker; transfer a copy";
    }
  }
  const what = typeof given === "object" && given !== null && kind !== "Object" ? kind : shown(given);
  throw new CheckpointError(
    `${place}: a file is given as its bytes, in a Uint8Array or ArrayBuffer, and this is ${what}. ${advice}.`,
  );
}
