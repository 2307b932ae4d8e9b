// The choices of a run: what is stored, what a checkpoint brought, or what is measured before the first step. From then on they stand; a
// class that the training step does not have runs as it does without, so that no program which comes later changes anything.

import { CheckpointError, type Kernel, type Work } from "../index.ts";
import type { Candidate, Tuning } from "./core.ts";
import { candidateName, shapeClass } from "./shape-class.ts";
import { type Choices, isChoices } from "./store.ts";
import { type Asked, type Meter, type TuneOptions, tune } from "./tune.ts";

export interface RunOptions extends Pick<TuneOptions, "seconds" | "now"> {
  readonly mode: "cached" | "full";
  /** What is known already. */
  readonly stored: Choices;
  readonly meter: Meter;
  /** Told of each class that is decided, with how many are. */
  readonly tell: (asked: Asked, chosen: Candidate, done: number, total: number) => void;
  /** Takes what was measured. */
  readonly keep: (found: Choices) => Promise<void>;
}

export function createRun({ mode, stored, meter, seconds, now, tell, keep }: RunOptions): Tuning {
  const exact = mode === "cached";
  const before = new Map(Object.entries(stored));
  /** By class. */
  let choices = new Map<string, string>();
  const asked = new Map<string, Asked>();
  let isFixed = false;

  /** What is there to choose among; the first is what the kernel runs by itself. */
  function among(kernel: Kernel, work: Work): readonly Candidate[] {
    const all = kernel.candidates?.(work) ?? [];
    return exact ? all.filter(({ order }) => order === all[0]?.order) : all;
  }

  return {
    choose(kernel, work) {
      const candidates = among(kernel, work);
      const [first] = candidates;
      if (first === undefined || candidates.length < 2) return undefined;
      const name = shapeClass(kernel, work, first);
      const known = choices.get(name) ?? (isFixed ? undefined : before.get(name));
      if (known !== undefined) choices.set(name, known);
      else if (!isFixed) {
        const cost = (asked.get(name)?.cost ?? 0) + (work.op.work?.(work.tensors, work.attributes) ?? 0);
        asked.set(name, { kernel, work, candidates, cost });
      }
      return candidates.find((candidate) => candidateName(candidate) === known)?.choice;
    },

    async measure() {
      isFixed = true;
      if (asked.size === 0) return false;
      let [done, isOther] = [0, false];
      const found = await tune(asked, meter, {
        ...{ seconds, now, exact },
        done(one, chosen) {
          isOther ||= chosen !== one.candidates[0];
          tell(one, chosen, ++done, asked.size);
        },
      });
      for (const [name, chosen] of found) choices.set(name, chosen);
      asked.clear();
      await keep(Object.fromEntries(found));
      return isOther;
    },

    signature: exact ? undefined : mode,

    get choices() {
      return exact ? undefined : Object.fromEntries(choices);
    },

    restore(kept) {
      if (exact || kept === undefined) return false;
      if (!isChoices(kept)) {
        throw new CheckpointError(
          "checkpoint: how its kernels were chosen cannot be read. Use another copy of the file.",
        );
      }
      const next = new Map(Object.entries(kept));
      const isSame = next.size === choices.size && [...next].every(([name, chosen]) => choices.get(name) === chosen);
      choices = next;
      return !isSame;
    },
  };
}
