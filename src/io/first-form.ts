// Checkpoints of version 0.1, "gradus-1". Weights, moments, counters, rates and changes are taken. The file names rules, without
// their constants, and says nothing of batch or data, and random streams have changed since: in the midst of an epoch nobody
// can go on to the same bits.

import { isCount, isRecord } from "./json.ts";
import type { Signature } from "./signature.ts";
import { ownValue, type RuleSpec } from "./signature.ts";
import { type Training, unreadable } from "./training.ts";

/** The names of rules, sorted, as one text. */
const ruleNames = (names: readonly unknown[]): string => [...new Set(names)].sort().join(", ");

/** What a file of the first form says, as the second form says it. Throws CheckpointError where it cannot be read. */
export function firstForm(state: unknown): { readonly signature: Signature; readonly training: unknown } {
  const { seed, optimizer, progress, rows, edits } = Object(state) as Record<string, unknown>;
  const { step, epoch, position, runEpoch } = Object(progress) as Record<string, unknown>;
  const valid = [step, epoch, position, runEpoch].every(isCount) && Number.isSafeInteger(seed);
  if (!valid || typeof optimizer !== "string" || !isRecord(rows)) return unreadable("its training state");
  const place = { epoch, position, runEpoch, batch: null, accumulate: null, count: null, shuffle: null };
  const training = { step, draws: step, place, rows, edits } satisfies Record<
    Exclude<keyof Training, "choices">,
    unknown
  >;
  return { signature: { seed, rules: ruleNames(optimizer.split(", ")) }, training };
}

/** The part of a signature that the first form knew. */
export const firstSignature = (signature: Signature): Signature => ({
  seed: ownValue(signature, "seed"),
  rules: ruleNames(
    Object.values(Object(ownValue(signature, "rules")) as Record<string, RuleSpec>).map(({ name }) => name),
  ),
});
