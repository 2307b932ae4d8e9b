// A slider that is drawn makes a change with every move, many of them at one step: what they come to is one line of the log.

import type { Edit } from "./edit.ts";

/** A line of the log, and the tensors that it hit; those of a line from a checkpoint are not known. */
export interface Line {
  readonly edit: Edit;
  readonly hit: readonly string[] | undefined;
}

/** What decides what is frozen. Where such a change stands among others decides whether it may be made at all. */
const freezes = ["frozen", "from", "until"];

/**
 * The log with one line more, or with an earlier line of the same step, kind and pattern that now says both, where the rows come
 * out the same: what was done in between must have hit other tensors. Factors of `scale` would round otherwise, and what a
 * pattern finds after `assign` is not what it found before it, so those stand alone.
 */
export function withLine(log: readonly Line[], line: Line): Line[] {
  const { edit, hit } = line;
  const { step, kind, pattern } = edit;
  if (kind !== "scale" && kind !== "assign") {
    const others = new Set(hit);
    for (let i = log.length - 1; i >= 0; i--) {
      const { edit: before, hit: touched } = log[i] as Line;
      if (before.step !== step || touched === undefined || before.kind === "assign") break;
      if (before.kind === kind && before.pattern === pattern && touched.length === hit?.length) {
        const moves = i < log.length - 1 && freezes.some((key) => key in edit.change);
        if (moves) break;
        return log.with(i, { edit: { ...before, change: both(before.change, edit.change) }, hit: touched });
      }
      if (touched.some((name) => others.has(name))) break;
    }
  }
  return [...log, line];
}

/** Two rules, one after the other, as one: a rate drops the multiplier that was set before it. */
function both(first: Edit["change"], second: Edit["change"]): Edit["change"] {
  const { multiplier, ...rest } = first;
  return multiplier === undefined || "lr" in second ? { ...rest, ...second } : { ...first, ...second };
}
