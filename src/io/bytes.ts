// What a user hands over as a file: its bytes, in whatever they came. What holds them only after an await, or only says where
// they are, is refused by name, with the call that gets them.

import { CheckpointError } from "../errors.ts";
import { shown } from "../option.ts";

/** The bytes of a file: a view, no copy. `place` begins the error. Throws CheckpointError for anything else. */
export function fileBytes(place: string, given: unknown): Uint8Array {
  // By tag, since a page may get them from another window or worker, whose classes are others.
  const kind = Object.prototype.toString.call(given).slice(8, -1);
  if (ArrayBuffer.isView(given) && kind === "Uint8Array") return given as Uint8Array;
  try {
    if (kind === "ArrayBuffer") return new Uint8Array(given as ArrayBuffer);
  } catch {
    throw new CheckpointError(`${place}: its ArrayBuffer was transferred elsewhere and is empty. Transfer a copy.`);
  }
  const { arrayBuffer, then, getFile } = Object(given) as Record<string, unknown>;
  const [what, advice] =
    typeof arrayBuffer === "function"
      ? [`a ${kind}`, "Give await file.arrayBuffer()"]
      : typeof then === "function"
        ? ["a promise", "Await it first"]
        : typeof getFile === "function"
          ? [`a ${kind}`, "Give await (await handle.getFile()).arrayBuffer()"]
          : typeof given === "string" || kind === "URL"
            ? [
                `the text ${shown(given)}`,
                "Read the file first: await (await fetch(url)).arrayBuffer(), or readFile in Node",
              ]
            : [
                /^(Object|Array|Null|Undefined|Number|Boolean)$/.test(kind) ? shown(given) : `a ${kind}`,
                "Give what trainer.save() gave",
              ];
  throw new CheckpointError(
    `${place}: it needs the bytes of a file, a Uint8Array or ArrayBuffer, and got ${what}. ${advice}.`,
  );
}
