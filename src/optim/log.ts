// The log of changes: makes them, keeps each as a line of JSON with its step, and makes those of another run again.

import { OptionError } from "../errors.ts";
import { checkList, checkOptions } from "../option.ts";
import { type Action, describeAction, type Edit, edited, readEdit } from "./edit.ts";
import { type Line, withLine } from "./merge-edit.ts";
import type { Row } from "./row.ts";
import type { Schedule } from "./schedule.ts";

/** Options of `replay`. */
export interface ReplayOptions {
  /** In the place of the log's schedules of name "custom", in their order. */
  readonly schedules?: readonly Schedule[];
}

/** `base` are the weights that have no row; `now` tells the updates made so far. */
export function createLog(rows: readonly Row[], base: readonly string[], now: () => number) {
  let log: readonly Line[] = [];
  let changes = 0;
  /** A log to be replayed, and how much of it has been. */
  let script: readonly { readonly edit: Edit; readonly action: Action }[] = [];
  let done = 0;

  /** Makes a change and gives the names of the tensors that it hit. */
  function make(action: Action, step = now()): readonly string[] {
    const { rows: found, hit } = edited(rows, base, step, action);
    for (const [i, row] of rows.entries()) Object.assign(row, found[i]);
    settle(step);
    log = withLine(log, { edit: describeAction(action, step), hit });
    changes++;
    return hit;
  }

  /** Where steps turned out not to have happened, their changes stay, and count from where training stands. */
  function settle(step: number): void {
    if ((log.at(-1)?.edit.step ?? 0) <= step) return;
    const first = log.findIndex(({ edit }) => edit.step > step);
    const later = log.slice(first).map(({ edit, hit }): Line => ({ edit: { ...edit, step }, hit }));
    log = later.reduce(withLine, log.slice(0, first));
  }

  return {
    make,
    settle,
    changes: () => changes,

    edits(): Edit[] {
      settle(now());
      return log.map(({ edit }) => edit);
    },

    /** Takes a log to be replayed, in place of one before it, and refuses it as a whole if a line cannot be made. */
    replay(lines: readonly Edit[], options: ReplayOptions = {}): void {
      checkList("rates.replay", "the log", lines);
      checkOptions("rates.replay", options, ["schedules"]);
      const { schedules = [] } = options;
      checkList("rates.replay", "schedules", schedules);
      let used = 0;
      let trial = rows;
      let before = now();
      const read = lines.map((line, i) => {
        const place = `rates.replay: edit ${i}`;
        const found = readEdit(place, line, () => {
          const schedule = schedules[used++];
          if (typeof schedule === "function") return schedule;
          throw new OptionError(
            `${place} has a schedule of your own, and ${schedules.length} were given. Give those of the log in "schedules", in their order.`,
          );
        });
        const { step } = found.edit;
        if (step < before) {
          throw new OptionError(
            `${place} is of step ${step}, after step ${before}. Give edits in rising order, without those that are past.`,
          );
        }
        before = step;
        trial = edited(trial, base, step, found.action, `${place}, `).rows;
        return found;
      });
      [script, done] = [read, 0];
    },

    /** Makes what is due at a step. */
    advance(step: number): void {
      for (let next = script[done]; next !== undefined && next.edit.step <= step; next = script[done]) {
        done++;
        make(next.action, step);
      }
    },

    /** The first step after `step` at which something is still to be made; else Infinity. */
    due: (step: number): number =>
      script.find(({ edit }, i) => i >= done && edit.step > step)?.edit.step ?? Number.POSITIVE_INFINITY,

    restore(edits: readonly Edit[], step: number): void {
      log = edits.map((edit) => ({ edit, hit: undefined }));
      done = script.filter(({ edit }) => edit.step < step).length;
      changes++;
    },
  };
}
