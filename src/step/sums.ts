// Sums of rows that stand beside one another as one dispatch: the partial sums of gradients, of all layers whose parts could wait.

import { chooseSumRows, type Place } from "../kernels/sum-rows.ts";
import type { RowSum } from "../op/op.ts";
import { size } from "../op/tensor.ts";
import { MOST_BUFFERS } from "../plan/beside.ts";
import type { Plan, Slice } from "../plan/plan.ts";
import { type Command, commandOf } from "./command.ts";

interface SumOptions {
  /** Whether sums that are not finite are told. */
  readonly checked: boolean;
  readonly software: boolean;
  /** How much of an arena a shader sees. Default: all. */
  readonly mostBytes?: number | undefined;
}

/** As few dispatches as it takes. */
export function sumCommands(
  sums: readonly RowSum[],
  plan: Pick<Plan, "sliceOf" | "rowOf">,
  options: SumOptions,
): Command[] {
  const { checked, software, mostBytes = Number.POSITIVE_INFINITY } = options;
  const placed = sums.map((sum) => ({ ...sum, from: plan.sliceOf(sum.x.id), to: plan.sliceOf(sum.y.id) }));
  /** What is seen of each arena, from the first tensor to the last; that of the results in front. */
  const seen = new Map<string, Slice>();
  for (const { arena, offset, bytes } of placed.flatMap(({ from, to }) => [to, from])) {
    const other = seen.get(arena) ?? { offset, bytes };
    const begin = Math.min(other.offset, offset);
    seen.set(arena, { arena, offset: begin, bytes: Math.max(other.offset + other.bytes, offset + bytes) - begin });
  }
  const arenas = [...seen.values()];
  // Beside them the metrics are bound.
  const isTooMuch = arenas.length >= MOST_BUFFERS || arenas.some(({ bytes }) => bytes > mostBytes);
  if (sums.length > 1 && isTooMuch) {
    const half = sums.length >> 1;
    return [sums.slice(0, half), sums.slice(half)].flatMap((part) => sumCommands(part, plan, options));
  }
  const at = ({ arena, offset }: Slice): number => (offset - (seen.get(arena) as Slice).offset) / 4;
  const places = placed.map(({ y, first, step, terms, from, to }): Place => {
    const arena = [...seen.keys()].indexOf(from.arena) - 1;
    return [size(y.shape), arena, at(from) + first, step, terms, at(to), (plan.rowOf(y.id) ?? -1) + 1];
  });
  const shader = { ...chooseSumRows(places, arenas.length - 1, checked, software), when: 0, layer: "" };
  const whole = (arena: string, bytes: number): Slice => ({ arena, offset: 0, bytes });
  return [
    commandOf(shader, (name) => {
      if (name === "metrics") return whole(name, 0);
      if (name === "gradient_row") return whole("rowNumbers", 16);
      return arenas[name === "y" ? 0 : Number(name.slice(2)) + 1] as Slice;
    }),
  ];
}
