// A random change of the rates, made on an engine and on the naive table, so that both can be asked what came of it.

import type { RateRule, ScaleOptions, Schedule } from "../../src/index.ts";
import type { NaiveRule, NaiveSchedule, NaiveTable } from "./rate-table.ts";

/** What changes are made on: a table or a trainer. */
export interface Editable {
  set(pattern: string, rule: RateRule): void;
  freeze(pattern: string): void;
  unfreeze(pattern: string): void;
  assign(pattern: string, layer: string): void;
  scale(pattern: string, factor: number, options: ScaleOptions): void;
}

/** What changes may speak of. */
export interface EditScope {
  readonly layers: readonly string[];
  readonly patterns: readonly string[];
  /** Of `scale`. */
  readonly factors: readonly number[];
  /** Whether `from` and `until` may count epochs. */
  readonly epochs: boolean;
  /** Base rates that may be set. Default: of all sizes. */
  readonly lrs?: readonly number[];
  /** What is never set. */
  readonly without?: readonly ("averaging" | "schedule")[];
}

/** Numbers from 0 to 1 that are the same in every run. */
export function randomness(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const schedules: readonly (readonly [Schedule, NaiveSchedule])[] = [
  [() => 1, () => 1],
  [({ step }) => 0.99 ** (step % 50), (step) => 0.99 ** (step % 50)],
  [({ updates }) => 1 / (1 + (updates as number)), (_, trained) => 1 / (1 + trained)],
  [({ step, updates }) => (step + 1) / (2 + step + (updates as number)), (step, n) => (step + 1) / (2 + step + n)],
];

/** Whether the engine and the reference took the change, and the function that it set. */
export function randomEdit(random: () => number, scope: EditScope, engine: Editable, naive: NaiveTable, step: number) {
  const below = (n: number): number => Math.floor(random() * n);
  const pick = <T>(all: readonly T[]): T => all[below(all.length)] as T;
  const pattern = pick(scope.patterns);
  let schedule: Schedule | undefined;
  let attempts: [engine: () => void, reference: () => boolean];
  switch (below(8)) {
    case 0:
      attempts = [() => engine.freeze(pattern), () => naive.freeze(step, pattern)];
      break;
    case 1:
    case 2:
      attempts = [() => engine.unfreeze(pattern), () => naive.unfreeze(step, pattern)];
      break;
    case 3: {
      const layer = pick([...scope.layers, "nowhere"]);
      attempts = [() => engine.assign(pattern, layer), () => naive.assign(step, pattern, layer)];
      break;
    }
    case 4: {
      const [factor, floor, eps] = [pick(scope.factors), pick([0, 1e-5, 1e-3, 1]), pick([0, 1e-8, 1e-3])];
      attempts = [
        () => engine.scale(pattern, factor, { floor, eps }),
        () => naive.scale(step, pattern, factor, floor, eps),
      ];
      break;
    }
    default: {
      const rule: { -readonly [Key in keyof RateRule]: RateRule[Key] } = {};
      const maybe = (): boolean => random() < 0.25;
      const when = () =>
        !scope.epochs || random() < 0.5 ? step + below(100) : { epochs: (step + 100 * random()) / naive.stepsPerEpoch };
      if (maybe()) rule.lr = pick(scope.lrs ?? [0, 1e-4, 0.01, 0.3, random(), -0.1]);
      if (maybe()) rule.multiplier = pick([0, 0.5, 2, random()]);
      if (maybe()) rule.weightDecay = pick([0, 0.01, random()]);
      if (maybe() && scope.without?.includes("averaging") !== true) rule.averaging = random();
      if (maybe()) rule.frozen = random() < 0.3;
      if (maybe()) rule.from = when();
      if (maybe()) rule.until = when();
      const pair = maybe() && scope.without?.includes("schedule") !== true ? pick(schedules) : undefined;
      schedule = pair?.[0];
      const engineRule: RateRule = schedule === undefined ? rule : { ...rule, schedule };
      const naiveRule = { ...rule, ...(pair === undefined ? {} : { schedule: pair[1] }) } as NaiveRule;
      attempts = [() => engine.set(pattern, engineRule), () => naive.set(step, pattern, naiveRule)];
    }
  }
  let taken = true;
  try {
    attempts[0]();
  } catch (error) {
    if (!/^(NameError|OptionError): /.test(String(error))) throw error;
    taken = false;
  }
  return { taken, expected: attempts[1](), schedule: taken ? schedule : undefined };
}
