// How states move: at the end of a batch each becomes what the step made for it, unless the step was refused.

import source from "../../shaders/commit.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { fold } from "../op/kernel.ts";
import { BLOCK, blockBytes, type Layout } from "../plan/layout.ts";
import { type Command, commandOf } from "./command.ts";

/**
 * A dispatch for each run of states that move and lie side by side. `inParts`: an update has several batches, and one that is
 * refused puts back what the batches before it had moved.
 */
export function commitCommands(layout: Layout, moves: readonly boolean[], inParts: boolean): Command[] {
  const { tensors, blocks } = layout;
  const first = (row: number): number => (tensors[row] === undefined ? blocks : tensors[row].offset / BLOCK);
  const begins = moves.flatMap((moved, row) => (moved && moves[row - 1] !== true ? [row] : []));
  return begins.map((begin) => {
    const end = moves.indexOf(false, begin);
    const at = first(begin);
    const count = first(end < 0 ? moves.length : end) - at;
    const shader = { kernel: "commit", source, holes: { STEP: inParts ? step : "", IN_PARTS: inParts } };
    const note = `${(end < 0 ? moves.length : end) - begin} states, ${count} blocks`;
    return commandOf(
      { ...shader, constants: { BLOCKS: count }, grid: fold(count), when: 0, note, layer: "" },
      (arena) =>
        arena === "metrics"
          ? { arena, offset: 0, bytes: 0 }
          : { arena, offset: at * blockBytes(layout), bytes: count * blockBytes(layout) },
    );
  });
}
