// Live changes of learning rates across a loss: what the snapshot does not know of the log is made again, each change at
// its step; schedules that are bare functions come from the calls that brought them.

import { beyond, isBare, remake, sameEdit } from "../foreign/edit-lines.ts";
import { describeSchedule, type Edit, type LayerRates, type Schedule, type Trainer } from "../index.ts";

/** A schedule that the log can only call "custom", and the tensors that got it. */
interface Bare {
  readonly step: number;
  readonly pattern: string;
  readonly schedule: Schedule;
  readonly hit: readonly string[];
}

/** A log under replay, as far as it may still have to be made. */
interface Script {
  readonly lines: readonly Edit[];
  readonly schedules: readonly Schedule[];
}

const alike = (a: Edit, b: Edit): boolean => sameEdit({ ...a, step: 0 }, { ...b, step: 0 });

export type CarriedRates = ReturnType<typeof createCarriedRates>;

/** `now` is the trainer whose rates count. */
export function createCarriedRates(now: () => Trainer) {
  const bare: Bare[] = [];
  let script: Script = { lines: [], schedules: [] };
  /** While a recipe changes rates by itself: the log before it, and what the user changed since. */
  let recipe: { readonly before: readonly Edit[]; readonly made: Edit[] } | undefined;

  /** A change by the user, kept where a recipe is at work. */
  const made = (hit: readonly string[]): readonly string[] => {
    const last = now().rates.edits().at(-1);
    if (recipe !== undefined && last !== undefined) recipe.made.push(last);
    return hit;
  };

  const rates: LayerRates = {
    set(pattern, spec) {
      const hit = made(now().rates.set(pattern, spec));
      const { schedule } = Object(spec) as { schedule?: Schedule };
      if (schedule !== undefined && describeSchedule(schedule) === undefined) {
        bare.push({ step: now().steps, pattern, schedule, hit });
      }
      return hit;
    },
    freeze: (pattern) => made(now().rates.freeze(pattern)),
    unfreeze: (pattern) => made(now().rates.unfreeze(pattern)),
    assign: (pattern, layer) => made(now().rates.assign(pattern, layer)),
    scale: (pattern, factor, options) => made(now().rates.scale(pattern, factor, options)),
    table: ((options: { readonly tensors: true }) => now().rates.table(options)) as LayerRates["table"],
    edits: () => now().rates.edits(),
    replay(lines, options) {
      now().rates.replay(lines, options);
      script = { lines: [...lines], schedules: [...(options?.schedules ?? [])] };
    },
  };

  /** The schedule of a line that was made by a call. */
  function scheduleOf({ step, pattern }: Edit): Schedule | undefined {
    const own = bare.filter((one) => one.pattern === pattern);
    return (own.find((one) => one.step === step) ?? own.at(-1))?.schedule;
  }

  /** The lines of the script that are of this step or later, each with its bare schedule. */
  function pending(step: number): { readonly line: Edit; readonly schedule: Schedule | undefined }[] {
    let used = 0;
    return script.lines
      .map((line) => ({ line, schedule: isBare(line) ? script.schedules[used++] : undefined }))
      .filter(({ line }) => line.step >= step);
  }

  return {
    rates,

    /** A recipe begins that changes rates by itself, and is begun again as a whole after a loss. */
    beginRecipe(): void {
      recipe = { before: now().rates.edits(), made: [] };
    },
    endRecipe(): void {
      recipe = undefined;
    },

    /** Another checkpoint was loaded: what was changed before is in it, or gone. */
    forget(): void {
      recipe = undefined;
    },

    /** Before a snapshot is loaded into `fresh`: schedules that its text cannot hold. */
    lend(fresh: Trainer): void {
      for (const { hit, schedule } of bare) for (const name of hit) fresh.rates.set(name, { schedule });
    },

    /** After it was loaded: what `old` knows beyond it. */
    carry(old: Trainer, fresh: Trainer): void {
      const log = recipe === undefined ? old.rates.edits() : [...recipe.before, ...recipe.made];
      const known = fresh.rates.edits();
      const step = fresh.steps;
      const coming = pending(old.steps);
      const rest = beyond(log, known).filter((line) => !coming.some((one) => alike(one.line, line)));
      for (const line of rest.filter((one) => one.step <= step)) remake(fresh.rates, line, scheduleOf(line));
      const later = rest
        .filter((one) => one.step > step)
        .map((line) => ({ line, schedule: isBare(line) ? scheduleOf(line) : undefined }));
      const all = [...later, ...coming].toSorted((a, b) => a.line.step - b.line.step);
      const schedules = all.flatMap(({ schedule }) => (schedule === undefined ? [] : [schedule]));
      script = { lines: all.map(({ line }) => line), schedules };
      fresh.rates.replay(script.lines, { schedules });
    },
  };
}
