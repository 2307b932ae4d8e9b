// The presets of the menu, and how one is put on a training that is under way: as live changes, beginning at the present step.

import {
  autoRgn,
  type CompileOptions,
  constant,
  discriminative,
  freezeOut,
  geometric,
  gradualUnfreezing,
  guard,
  inputFirst,
  type LayerRow,
  layerDecay,
  type RatePredicate,
  type RateRule,
  type Schedule,
  sequence,
  type Trainer,
  updateRatio,
} from "../../src/index.ts";

/** What a preset may go by: steps that are left of the run, and the rate that layers have without one. */
export interface Span {
  readonly steps: number;
  readonly base: number;
}

/** By name; the menu shows the names as they are, since they are what a program would say. */
export const presets: Readonly<Record<string, (span: Span) => RatePredicate>> = {
  "one rate": () => () => undefined,
  "layerDecay(0.75)": () => layerDecay(0.75),
  "discriminative()": () => discriminative(),
  "geometric(lr / 10, lr)": ({ base }) => geometric(base / 10, base),
  "inputFirst(0.75)": () => inputFirst(0.75),
  "gradualUnfreezing(steps / 4)": ({ steps }) => gradualUnfreezing({ every: Math.ceil(steps / 4) }),
  "freezeOut(steps)": ({ steps }) => freezeOut({ steps }),
};

/** Controllers are part of what is compiled. */
export const controllers = {
  none: [],
  "autoRgn()": [autoRgn()],
  "updateRatio()": [updateRatio()],
  "guard()": [guard()],
} satisfies Record<string, CompileOptions["control"]>;
export type ControllerName = keyof typeof controllers;

export interface Run extends Span {
  /** Of layers that the preset gives no schedule of their own. */
  readonly schedule: Schedule;
}

/** Sets all that a preset decides, so that nothing of the one before is left, freezing included. */
export function applyPreset(trainer: Trainer, name: string, run: Run): void {
  const { steps: now, rates } = trainer;
  const predicate = presets[name]?.(run);
  if (predicate === undefined) return;
  const rows = rates.table();
  trainer.rates.unfreeze("**");
  for (const [i, row] of rows.entries()) {
    const { from, until, schedule, ...rule } = ruleFor(row, i + 1, rows.length, predicate);
    rates.set(row.name, {
      lr: run.base,
      multiplier: 1,
      ...rule,
      ...(typeof from === "number" ? { from: from + now } : {}),
      ...(typeof until === "number" ? { until: until + now } : {}),
      schedule: schedule === undefined ? run.schedule : beginningAt(now, schedule),
    });
  }
}

/** The network is a chain, so that a layer's place in the table is its depth. */
function ruleFor(row: LayerRow, depth: number, maxDepth: number, predicate: RatePredicate): RateRule {
  const { name, parameterCount, weightDecay } = row;
  const spec = predicate({
    name,
    depth,
    maxDepth,
    parameterCount,
    tensor: name,
    shape: [],
    multiplier: 1,
    weightDecay,
  });
  return typeof spec === "number" ? { lr: spec } : (spec ?? {});
}

/** The schedule with its step 0 at a later one; a log can still describe it, as it could not a function of our own. */
export const beginningAt = (step: number, schedule: Schedule): Schedule =>
  step === 0 ? schedule : sequence([constant(), schedule], [step]);
