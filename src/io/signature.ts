// The signature of a training: all that decides its bits beside what a checkpoint restores. It is an open record. Whoever adds
// a key leaves it out where training goes as it did before there was the key; a key that this version does not know
// is a difference like any other. What is only informative stands beside the signature, not in it.

import { CheckpointError, didYouMean, listed, OptionError } from "../errors.ts";
import { specOf } from "../optim/edit.ts";
import type { Schedule } from "../optim/schedule.ts";
import { checkList, shown } from "../option.ts";
import { canonical, isRecord } from "./json.ts";

/** Plain JSON by key. */
export type Signature = Readonly<Record<string, unknown>>;

/** An update rule as plain JSON. */
export interface RuleSpec {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a signature is made of; all but the schedules is plain JSON. */
export interface SignatureParts {
  readonly input: unknown;
  readonly batch: number;
  /** A number, or what says how it goes on. */
  readonly accumulate: unknown;
  readonly loss: unknown;
  readonly losses?: unknown;
  readonly seed: number;
  readonly clip: unknown;
  /** The controllers with their layers and constants. */
  readonly control: readonly unknown[];
  /** Whether means of the weights are kept. */
  readonly averaging: boolean;
  /** Names of the weights that never train. */
  readonly base: readonly string[];
  /** How they are stored, where that is not f32. */
  readonly baseDtype?: string | undefined;
  /** How kernels were chosen, where bits depend on it. */
  readonly autotune?: string | undefined;
  /** What steps are of, where that is not f32. */
  readonly precision?: unknown;
  readonly momentum: Schedule | undefined;
  /** The rule of each tensor. Its rate and decay are left out, since the rows of the checkpoint have them. */
  readonly rules: Readonly<Record<string, RuleSpec>>;
  /** The schedule of each tensor, as `compile` left it. */
  readonly schedules: Readonly<Record<string, Schedule>>;
}

/** The words that may be allowed to differ, whether or not a file has them. */
const words: readonly (keyof SignatureParts)[] = [
  ...(["input", "batch", "accumulate", "loss", "losses", "seed", "clip"] as const),
  ...(["control", "averaging", "momentum", "rules", "schedules", "autotune", "precision"] as const),
];

/** What is none is left out; of functions that nothing describes only "custom" can be said. */
export function signatureOf(parts: SignatureParts): Signature {
  const { accumulate, control, averaging, base, momentum, schedules } = parts;
  const described = ([name, schedule]: [string, Schedule]) => [name, specOf(schedule)];
  return JSON.parse(
    canonical({
      ...parts,
      accumulate: accumulate === 1 ? undefined : accumulate,
      control: control.length === 0 ? undefined : control,
      averaging: averaging ? true : undefined,
      base: base.length === 0 ? undefined : base.toSorted(),
      momentum: momentum === undefined ? undefined : specOf(momentum),
      schedules: Object.fromEntries(Object.entries(schedules).map(described)),
    }),
  );
}

/** A value of a record, never one of its prototype. */
export const ownValue = (record: unknown, key: string): unknown =>
  isRecord(record) && Object.hasOwn(record, key) ? record[key] : undefined;

const keysOf = (...records: readonly Signature[]): string[] => [...new Set(records.flatMap(Object.keys))];

/**
 * The keys that differ, all of them allowed to. Throws CheckpointError with every difference that is not allowed, both values
 * each, and OptionError where what is allowed is no key.
 */
export function checkSignature(found: Signature, here: Signature, allow: readonly string[]): ReadonlySet<string> {
  checkList("load", "allow", allow);
  const keys = keysOf(here, found);
  const known = [...new Set([...words, ...keys])];
  for (const word of allow) {
    if (known.includes(word)) continue;
    throw new OptionError(
      `load: allow has ${shown(word)}, which nothing is called that may differ.${didYouMean(String(word), known)} It may have ${known.join(", ")}.`,
    );
  }
  const differing = keys.filter((key) => canonical(ownValue(found, key)) !== canonical(ownValue(here, key)));
  const refused = differing.filter((key) => !allow.includes(key));
  if (refused.length === 0) return new Set(differing);
  const said = refused.flatMap((key) => grouped(differences(ownValue(found, key), ownValue(here, key), [key])));
  throw new CheckpointError(
    `checkpoint: it was made otherwise: ${said.join("; ")}. Compile as it was made, or say what may differ: load(bytes, { allow: ${JSON.stringify(refused)} }).`,
  );
}

/** Refuses another base, which no `allow` makes fit: what trained in the file has no rows and moments here, or the other way round. */
export function checkBase(found: Signature, here: Signature): void {
  const [before, now] = [found, here].map((signature) => ownValue(signature, "base"));
  if (canonical(before) === canonical(now)) return;
  const text = (base: unknown): string => (Array.isArray(base) ? listed(base.map(String)) : "nothing");
  throw new CheckpointError(
    `checkpoint: it was made otherwise: base is ${text(before)}, here ${text(now)}. Compile with the same base, or use transfer() for its weights.`,
  );
}

interface Difference {
  readonly path: readonly string[];
  readonly found: unknown;
  readonly here: unknown;
}

function differences(found: unknown, here: unknown, path: readonly string[]): Difference[] {
  if (canonical(found) === canonical(here)) return [];
  // Two rules of different names have no option in common.
  const akin = isRecord(found) && isRecord(here) && ownValue(found, "name") === ownValue(here, "name");
  if (!akin) return [{ path, found, here }];
  return keysOf(here, found).flatMap((key) => differences(ownValue(found, key), ownValue(here, key), [...path, key]));
}

/** One text for all tensors that differ in the same way. */
function grouped(all: readonly Difference[]): string[] {
  const text = (value: unknown): string => (value === undefined ? "nothing" : shown(value));
  const groups = new Map<string, { readonly one: Difference; readonly names: string[] }>();
  for (const one of all) {
    const { path, found, here } = one;
    const key = canonical([path.slice(2), found, here]);
    const group = groups.get(key) ?? { one, names: [] };
    groups.set(key, group);
    group.names.push(...path.slice(1, 2));
  }
  return [...groups.values()].map(({ one: { path, found, here }, names }) => {
    const where = [path[0], ...(names.length > 0 ? [listed(names)] : []), ...path.slice(2)].join(" ");
    return `${where} is ${text(found)}, here ${text(here)}`;
  });
}
