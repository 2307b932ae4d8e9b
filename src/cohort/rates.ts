// The rates of each copy as rates of all: what names layers of one network names those of that copy.

import type { CompileOptions } from "../index.ts";
import { under } from "./copies.ts";

/** Rates as `compile` takes them. */
export type Rates = NonNullable<CompileOptions["rates"]>;
type Predicate = Extract<Rates, (...given: never[]) => unknown>;
type Pair = readonly [string, unknown];

const isPair = (value: unknown): value is Pair => Array.isArray(value) && typeof value[0] === "string";

/** Rules for the layers of copy `k`. What is no rule is left for the core to refuse. */
export function ratesOfCopy(k: number, rates: Rates): Rates {
  const copy = String(k);
  if (typeof rates === "function") return predicate(copy, rates);
  if (isPair(rates)) return [[under(copy, rates[0]), rates[1]]] as unknown as Rates;
  if (Array.isArray(rates)) return rates.map((part) => ratesOfCopy(k, part as Rates)) as unknown as Rates;
  if (typeof rates !== "object" || rates === null) return rates;
  const entries = rates instanceof Map ? [...rates] : Object.entries(rates);
  return entries.map(([pattern, spec]) => [under(copy, pattern), spec]) as unknown as Rates;
}

/** A predicate sees the layers of its copy, by the names that they have alone. */
function predicate(copy: string, rates: Predicate): Rates {
  const begin = `${copy}.`;
  const own = (path: string): string => (path === copy ? "" : path.slice(begin.length));
  const asked: Predicate = (info) =>
    info.tensor.startsWith(begin) ? rates({ ...info, name: own(info.name), tensor: own(info.tensor) }) : undefined;
  return rates.unmatched === undefined ? asked : Object.assign(asked, { unmatched: rates.unmatched });
}
