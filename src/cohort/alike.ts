// The batch that all copies see is gathered once. It lies where that of the first copy would, until something else is written there.

import type { Command, Slice } from "./core.ts";
import { type Copied, isOfEach } from "./spread.ts";

/** Where a command writes. What it has by places in its text may be all of an arena. */
const writtenBy = ({ bindings }: Command): readonly Slice[] =>
  bindings
    .filter(({ access }) => access === "readWrite")
    .map(({ arena, offset, bytes }) => ({ arena, offset, bytes: bytes || Number.POSITIVE_INFINITY }));

const overlap = (a: Slice, b: Slice): boolean =>
  a.arena === b.arena && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;

/** Asked of each command in order: what is alike in all copies while it runs, and whether it makes more of that. */
export function alikeIn(
  copied: Copied,
): (command: Command) => { readonly alike: readonly Slice[]; readonly once: boolean } {
  let alike: readonly Slice[] = [];
  return (command) => {
    const written = writtenBy(command);
    alike = alike.filter((slice) => !written.some((one) => overlap(one, slice)));
    const once =
      ["gather", "gather-words"].includes(command.kernel) &&
      command.bindings.every((one) => one.access === "readWrite" || !isOfEach(one, copied));
    if (once) alike = [...alike, ...written];
    return { alike, once };
  };
}
