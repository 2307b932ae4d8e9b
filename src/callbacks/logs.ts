// The numbers of an epoch under the names that Keras gives them: loss, accuracy, metrics, and val_ before those of validation.

import { type EpochResult, type Evaluation, OptionError } from "../index.ts";

/**
 * The numbers of an epoch by name: `loss`, `accuracy` where labels count, each of `reports`, and the same of validation with `val_` before.
 * Throws OptionError where two would have one name.
 */
export function logsOf(epoch: EpochResult): Readonly<Record<string, number>> {
  const logs = new Map<string, number>();
  const add = (
    prefix: string,
    { loss, accuracy, reports }: Pick<Evaluation, "loss" | "accuracy" | "reports">,
  ): void => {
    const own = [["loss", loss] as const, ...(Number.isNaN(accuracy) ? [] : [["accuracy", accuracy] as const])];
    for (const [name, value] of [...own, ...Object.entries(reports ?? {})]) {
      if (logs.has(prefix + name))
        throw new OptionError(
          `fitWith: two numbers of an epoch are called "${prefix}${name}". Give the metric another name.`,
        );
      logs.set(prefix + name, value);
    }
  };
  add("", epoch);
  if (epoch.validation !== undefined) add("val_", epoch.validation);
  return Object.fromEntries(logs);
}

/** Epochs as lists by name, as `history.history` of Keras; what an epoch has not is NaN. */
export function historyOf(epochs: readonly EpochResult[]): Readonly<Record<string, readonly number[]>> {
  const all = epochs.map(logsOf);
  const names = [...new Set(all.flatMap(Object.keys))];
  return Object.fromEntries(names.map((name) => [name, all.map((logs) => logs[name] ?? Number.NaN)]));
}
