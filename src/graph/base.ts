// The base: weights that never train in a trainer, named by a pattern, or as all but some, when it is compiled.

import { OptionError } from "../errors.ts";
import { checkKeys, isRecord, shown } from "../option.ts";
import { checkPattern, matching, tester } from "../pattern.ts";

const PLACE = "compile: base";

/** A pattern for the weights that never train, or patterns for those that do. */
export type Base = string | { readonly except: string | readonly string[]; readonly dtype?: "f32" | "f16" };

/** Whether a weight is of the base, by its name. */
export function inBase(base: Base | undefined): (name: string) => boolean {
  if (base === undefined) return () => false;
  if (typeof base === "string") return tester(PLACE, base);
  const others = exceptions(base).map((pattern) => tester(PLACE, pattern));
  return (name) => !others.some((test) => test(name));
}

const exceptions = ({ except }: Exclude<Base, string>): readonly string[] => [except].flat();

/** How its numbers lie in memory. */
export const baseDtype = (base: Base | undefined): "f32" | "f16" =>
  typeof base === "object" ? (base.dtype ?? "f32") : "f32";

/** Refuses what is no base, before there are names. */
export function checkBaseForm(base: unknown): void {
  if (!isRecord(base)) {
    checkPattern(PLACE, base);
    return;
  }
  checkKeys(PLACE, "it", base, ["except", "dtype"]);
  const { dtype = "f32" } = base as { dtype?: unknown };
  if (dtype !== "f32" && dtype !== "f16")
    throw new OptionError(`${PLACE}: dtype is ${shown(dtype)}, it must be "f32" or "f16".`);
  const patterns = exceptions(base as { except: string });
  if (patterns.length === 0) throw new OptionError(`${PLACE}: except is ${shown([])}. Name what is to train.`);
  for (const pattern of patterns) checkPattern(`${PLACE}: except`, pattern);
}

/** Refuses a pattern that names no weight, and a base that leaves none to train or has none. */
export function checkBase(base: Base, weights: readonly { readonly name: string; readonly layer: string }[]): void {
  const names = weights.map(({ name }) => name);
  const layers = [...new Set(weights.map(({ layer }) => layer))];
  const patterns = typeof base === "string" ? [base] : exceptions(base);
  const found = new Set(patterns.flatMap((pattern) => matching(PLACE, pattern, names, layers)));
  if (found.size < names.length) return;
  const said = patterns.map((pattern) => `"${pattern}"`).join(" and ");
  throw new OptionError(
    typeof base === "string"
      ? `${PLACE}: ${said} names all weights, so there is nothing to train. Give a pattern that leaves some, such as those of the last layer.`
      : `${PLACE}: except ${said} names all weights, so there is no base. Leave it out.`,
  );
}
