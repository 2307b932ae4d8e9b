// Changes of the layer table while training goes on, as data: what each kind does to the rows, and how a change becomes
// a line of JSON and comes back from one.

import { instead, listed, NameError, OptionError } from "../errors.ts";
import { checkRange, isRecord, resolved, shown, type Table } from "../option.ts";
import { matching } from "../pattern.ts";
import { decayOf } from "./optimizer.ts";
import { addressOf, canTrain, checkSpan, layersOf, picked, type Row, settingKeys } from "./row.ts";
import { checkedRule, type RateRule, type RateSpec } from "./rule.ts";
import { describeSchedule, madeFrom, type Schedule, type ScheduleSpec } from "./schedule.ts";

/** What each kind of change says. */
interface Changes {
  /** The rule, as `rates.set` takes it. */
  set: RateRule;
  /** Nothing more. */
  freeze: Readonly<Record<string, never>>;
  /** Nothing more. */
  unfreeze: Readonly<Record<string, never>>;
  /** Path of the layer whose settings they follow from now on. */
  assign: { readonly layer: string };
  /** The rate times `factor`, not below `floor`; left as it is where that changes it by `eps` or less. */
  scale: { readonly factor: number; readonly floor: number; readonly eps: number };
}
/** The kinds of live changes. */
export type EditKind = keyof Changes;

/** A change that is to be made. */
export type Action = {
  [Kind in EditKind]: { readonly kind: Kind; readonly pattern: string; readonly change: Changes[Kind] };
}[EditKind];

/** A change as it was made: plain JSON. */
export interface Edit {
  /** The first step that it acts on, from 0: as many updates had been made. */
  readonly step: number;
  /** What was called: `rates.set`, `freeze`, `unfreeze`, `assign` or `scale`. */
  readonly kind: EditKind;
  /** The layers that it was called for. */
  readonly pattern: string;
  /** set: the rule, its schedule described, or { name: "custom", options: {} }; assign: { layer }; scale: { factor, floor, eps }. */
  readonly change: Readonly<Record<string, unknown>>;
}

/** The last part of a name. */
const tail = (name: string): string => name.slice(name.lastIndexOf(".") + 1);

/** The rows that a pattern names. `base` are the weights that have none. */
export function rowsOf(place: string, pattern: string, rows: readonly Row[], base: readonly string[]): Row[] {
  const layers = [...new Set(rows.map(({ layer }) => layer))];
  const names = new Set(matching(place, pattern, [...rows.map(addressOf), ...base], layers));
  const found = rows.filter((row) => names.has(addressOf(row)));
  if (found.length > 0) return found;
  throw new NameError(
    `${place}: "${pattern}" names ${listed([...names])}, which are of the base and never train. Compile with another base, or name what trains: ${listed(layers)}.`,
  );
}

/** Puts a checked rule on rows. */
export function applyRule(place: string, chosen: readonly Row[], rule: RateRule): void {
  const { lr, optimizer, ...rest } = rule;
  for (const row of chosen) {
    if (optimizer !== undefined) {
      Object.assign(row, { optimizer, lr: optimizer.lr, weightDecay: decayOf(optimizer, row.shape) });
    }
    if (lr !== undefined) Object.assign(row, { lr, multiplier: 1 });
    Object.assign(row, rest);
    checkSpan(place, row);
  }
}

function assign(place: string, chosen: readonly Row[], { layer }: Changes["assign"], rows: readonly Row[]): void {
  const layers = layersOf(rows);
  if (!layers.includes(layer)) {
    throw new NameError(`${place}: there is no layer ${shown(layer)}.${instead(layer, "Layers:", layers)}`);
  }
  const there = rows.filter((row) => row.layer === layer);
  for (const row of chosen) {
    if (row.layer === layer) continue;
    // A bias is to find the decay of a bias.
    const like = there.find(({ name }) => tail(name) === tail(row.name)) ?? there[0];
    Object.assign(row, like === undefined ? {} : picked(like, [...settingKeys, "schedule"]), { layer });
  }
}

/** As ReduceLROnPlateau: what is below the floor already stays where it is. */
function scale(place: string, chosen: readonly Row[], { factor, floor, eps }: Changes["scale"]): void {
  for (const row of chosen) {
    const rate = row.lr * row.multiplier;
    const least = Math.min(floor, rate);
    const next = Math.max(rate * factor, least);
    if (!(Math.abs(next - rate) > eps)) continue;
    row.lr = next > rate * factor ? least / row.multiplier : row.lr * factor;
    checkRange(place, "a finite number of at least 0", { lr: row.lr });
  }
}

/** All of a kind of change: what errors call it, what it is made of where it is no rule, and what it does to the chosen rows. */
interface Sort<Change> {
  readonly place: string;
  readonly parts?: Table<Change>;
  make(place: string, chosen: readonly Row[], change: Change, rows: readonly Row[]): void;
}

const amount = [undefined, "a finite number of at least 0"] as const;

const sorts: { readonly [Kind in EditKind]: Sort<Changes[Kind]> } = {
  set: { place: "rates.set", make: applyRule },
  freeze: { place: "freeze", parts: {}, make: (place, chosen) => applyRule(place, chosen, { frozen: true }) },
  unfreeze: {
    place: "unfreeze",
    parts: {},
    make(_, chosen) {
      for (const row of chosen) Object.assign(row, { frozen: false, from: undefined, until: undefined });
    },
  },
  assign: { place: "rates.assign", parts: { layer: [undefined, "a name"] }, make: assign },
  scale: { place: "rates.scale", parts: { factor: amount, floor: amount, eps: amount }, make: scale },
};

interface Edited {
  readonly rows: readonly Row[];
  readonly hit: readonly string[];
}

/** A rule for a layer that trains already. */
export function checkedChange(place: string, spec: RateSpec): RateRule {
  const rule = checkedRule(place, spec);
  if (rule.optimizer === undefined) return rule;
  throw new OptionError(
    `${place}: the optimizer of a layer cannot change while it trains. Give it in the rates of compile.`,
  );
}

/**
 * The rows as a change at a step leaves them, and the tensors that it hit; `prefix` begins its errors. The given rows stay as they
 * are, so an error leaves nothing half done.
 */
export function edited(
  rows: readonly Row[],
  base: readonly string[],
  step: number,
  action: Action,
  prefix = "",
): Edited {
  const next = rows.map((row) => ({ ...row }));
  const { kind, pattern, change } = action;
  const sort = sorts[kind] as Sort<Action["change"]>;
  const chosen = rowsOf(prefix + sort.place, pattern, next, base);
  const place = `${prefix}${sort.place} "${pattern}"`;
  sort.make(place, chosen, change, next);
  if (rows.some((row) => canTrain(row, step))) checkSomeTrain(place, next, step);
  return { rows: next, hit: chosen.map(({ name }) => name) };
}

/** Refuses a table in which nothing trains, now or later. */
export function checkSomeTrain(place: string, rows: readonly Row[], step: number): void {
  if (rows.some((row) => canTrain(row, step))) return;
  throw new OptionError(
    `${place}: everything would be frozen, now and later. Leave a layer active, or give one a "from" in place of the freeze.`,
  );
}

const CUSTOM = "custom";

/** A schedule as JSON, whatever it is. */
export const specOf = (schedule: Schedule): ScheduleSpec => describeSchedule(schedule) ?? { name: CUSTOM, options: {} };
/** The schedule of a spec; undefined where a bare function has left none. Throws NameError where its factory is not here. */
export const scheduleOf = (place: string, spec: ScheduleSpec): Schedule | undefined =>
  spec.name === CUSTOM
    ? undefined
    : madeFrom(spec, (name) => {
        throw new NameError(
          `${place} has a schedule that is not here: there is no ${shown(name)}. A bundle leaves out what its page does not use: use ${name} somewhere in it.`,
        );
      });

/** A change as a line of the log. */
export function describeAction({ kind, pattern, change }: Action, step: number): Edit {
  const { schedule, ...rest } = change as RateRule;
  return { step, kind, pattern, change: schedule === undefined ? rest : { ...rest, schedule: specOf(schedule) } };
}

/**
 * The change that a line of a log, of whatever origin, stands for, and the line without anything that does not belong
 * there. `custom` gives the schedules that the log could not describe. Throws OptionError where it is none.
 */
export function readEdit(place: string, line: unknown, custom: () => Schedule): { edit: Edit; action: Action } {
  const { step, kind, pattern, change } = Object(line) as Edit;
  const kinds = Object.keys(sorts);
  const valid = Number.isSafeInteger(step) && step >= 0 && typeof pattern === "string" && kinds.includes(kind);
  if (!valid || !isRecord(change)) {
    throw new OptionError(
      `${place} is ${shown(line)}, it must be { step, kind, pattern, change } of kind ${kinds.join(", ")}.`,
    );
  }
  const read = (action: Action) => ({
    edit: { step, kind, pattern, change: JSON.parse(JSON.stringify(change)) },
    action,
  });
  if (kind === "set") {
    const { schedule, ...rest } = change;
    const spec = schedule as ScheduleSpec | undefined;
    if (spec !== undefined && typeof Object(spec).name !== "string") {
      throw new OptionError(`${place} has the schedule ${shown(spec)}, it must be { name, ... }.`);
    }
    const rule = spec === undefined ? rest : { ...rest, schedule: scheduleOf(place, spec) ?? custom() };
    return read({ kind, pattern, change: checkedChange(place, rule) });
  }
  resolved<object, Table<object>>(`${place}, ${kind}`, change, sorts[kind].parts ?? {});
  return read({ kind, pattern, change } as unknown as Action);
}
