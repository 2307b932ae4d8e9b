// The program of a cohort, as data: as many dispatches whatever the number of copies, one update, memory so many times that of one, and
// no two things that a dispatch writes on top of each other.

import { describe, expect, test } from "vitest";
import { copiesOf } from "../../src/cohort/copies.ts";
import type { Program } from "../../src/step/program.ts";
import { dispatchesOf } from "../../src/step/record.ts";
import { referencePrograms } from "./program.ts";

const of = (copies: number, seeds = 1) =>
  copiesOf(
    Array.from({ length: copies }, (_, k) => (k % seeds) + 1),
    1,
    false,
  );
const bytesOf = ({ recording }: Program): number =>
  [...recording.arenas].reduce((sum, [name, bytes]) => sum + (name === "told" ? 0 : bytes), 0);

describe.each(Object.entries(referencePrograms))("%s", (_, programOf) => {
  describe.each([true, false])("on a software adapter: %s", (software) => {
    const one = programOf({ software });
    const few = programOf({ software, copies: of(3) });
    const many = programOf({ software, copies: of(16, 16) });

    test("has the dispatches of one and what tells of all, for 3 copies as for 16", () => {
      expect(dispatchesOf(few.recording)).toBe(dispatchesOf(one.recording) + 1);
      expect(dispatchesOf(many.recording)).toBe(dispatchesOf(few.recording));
    });

    test("has one update, over the blocks of all", () => {
      const updates = many.recording.commands.filter(({ kernel }) => kernel === "adam");
      expect(updates.map(({ note }) => note)).toEqual([
        `adam: ${16 * one.parameters.length} rows, ${16 * one.layout.blocks} blocks`,
      ]);
    });

    test("gathers the batch once, unless each has an order of its own", () => {
      const groups = ({ recording }: Program) => recording.commands.find(({ kernel }) => kernel === "gather")?.grid[0];
      const ordered = programOf({ software, copies: copiesOf([1, 2, 3], 1, true) });
      expect(groups(many)).toBe(groups(one));
      expect(groups(ordered)).toBe(3 * (groups(one) as number));
    });

    test("takes the memory of one so many times", () => {
      expect(bytesOf(many)).toBe(16 * bytesOf(one));
      expect(many.layout.blocks).toBe(16 * one.layout.blocks);
    });

    test("writes nothing in one dispatch on top of each other, and all tensors have their own blocks", () => {
      for (const { bindings, kernel } of many.recording.commands) {
        const written = bindings.filter(({ access, bytes }) => access === "readWrite" && bytes > 0);
        for (const [i, a] of written.entries())
          for (const b of written.slice(0, i))
            expect(
              a.arena !== b.arena || a.offset >= b.offset + b.bytes || b.offset >= a.offset + a.bytes,
              kernel,
            ).toBe(true);
      }
      const blocks = many.layout.tensors.flatMap(({ offset, length }) =>
        Array.from({ length: Math.ceil(length / 256) }, (_, i) => offset / 256 + i),
      );
      expect(blocks.toSorted((a, b) => a - b)).toEqual(Array.from({ length: many.layout.blocks }, (_, i) => i));
    });
  });
});

test("what a shader cannot see at once is refused with both numbers", () => {
  expect(() => referencePrograms.deep({ copies: of(16), mostBlocks: 2048 })).toThrow(
    /a tensor of 16 copies needs 4.0 MB, a shader sees 2.0 MB here/,
  );
});
