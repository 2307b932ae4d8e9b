// Programs by what was asked for. Those that come to the same commands are one, with the same bind groups; the least used leave.

import { type DataFormat, isSameFormat } from "../graph/stream.ts";
import { hashOf } from "../random.ts";
import type { Mode, Program } from "./program.ts";

/** Requests that are remembered: more than the frozen sets and batch sizes that a training comes back to. */
const MOST_PROGRAMS = 64;

/** What tells the programs of a model apart. `sampled`: some steps leave statistics; `cached`: it begins at the features. */
export interface Asked {
  readonly mode: Mode;
  /** Name of the loss; the empty string for the one that a fit has. */
  readonly loss: string;
  readonly format: DataFormat;
  /** Names of tensors. */
  readonly frozen: readonly string[];
  readonly sampled: boolean;
  readonly cached: boolean;
  readonly batch: number;
  /** Whether an evaluation tells the loss of each sample. */
  readonly perSample: boolean;
}

export function createPrograms(build: (asked: Asked) => Program, most = MOST_PROGRAMS) {
  /** The one asked for last comes first, so that steps in a row find theirs at once. */
  const known: { readonly asked: Asked; readonly program: Program; readonly hash: string }[] = [];

  return (asked: Asked): Program => {
    const at = known.findIndex((one) => isSame(one.asked, asked));
    if (at === 0) return (known[0] as (typeof known)[number]).program;
    let [found] = at < 0 ? [] : known.splice(at, 1);
    if (found === undefined) {
      const made = build(asked);
      const hash = hashOfCommands(made);
      found = { asked, program: known.find((one) => one.hash === hash)?.program ?? made, hash };
    }
    known.unshift(found);
    if (known.length > most) known.pop();
    return found.program;
  };
}

function isSame(one: Asked, other: Asked): boolean {
  const { mode, loss, format, frozen, sampled, cached, batch, perSample } = other;
  return (
    one.mode === mode &&
    one.loss === loss &&
    one.sampled === sampled &&
    one.cached === cached &&
    one.batch === batch &&
    one.perSample === perSample &&
    isSameFormat(one.format, format) &&
    one.frozen.length === frozen.length &&
    one.frozen.every((name, i) => name === frozen[i])
  );
}

const hashOfCommands = ({ recording: { name, commands, arenas, results }, reports }: Program): string =>
  hashOf(JSON.stringify([name, commands, [...arenas], results, reports])).join();
