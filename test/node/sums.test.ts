// Sums of rows that stand beside one another: one dispatch, as long as a shader may bind all that they are in.

import { expect, test } from "vitest";
import type { Tensor } from "../../src/op/tensor.ts";
import { sumCommands } from "../../src/step/sums.ts";

/** The sum of each of so many arenas, into gradients. */
function commandsOf(arenas: number) {
  const tensor = (id: number, role: Tensor["role"]): Tensor => ({ id, name: `${id}`, shape: [64], dtype: "f32", role });
  const sums = Array.from({ length: arenas }, (_, i) => {
    return { x: tensor(i, "activation"), y: tensor(arenas + i, "gradient"), first: 0, step: 64, terms: 4 };
  });
  const sliceOf = (id: number) =>
    id < arenas
      ? { arena: `activations${id}`, offset: 0, bytes: 1024 }
      : { arena: "gradients", offset: (id - arenas) * 1024, bytes: 256 };
  return sumCommands(sums, { sliceOf, rowOf: (id) => id - arenas }, { checked: true, software: true });
}

test.each([
  [1, 1],
  [4, 1],
  [5, 1],
  [6, 1],
  [7, 2],
  [16, 4],
])("of %i arenas are %i dispatches, whose buffers have numbers of their own", (arenas, dispatches) => {
  const commands = commandsOf(arenas);
  expect(commands).toHaveLength(dispatches);
  for (const { bindings } of commands) {
    expect(new Set(bindings.map(({ number }) => number)).size).toBe(bindings.length);
    expect(bindings.filter(({ access }) => access !== "uniform").length).toBeLessThanOrEqual(8);
  }
  expect(commands.flatMap(({ bindings }) => bindings.filter(({ name }) => name.startsWith("x_")))).toHaveLength(arenas);
});
