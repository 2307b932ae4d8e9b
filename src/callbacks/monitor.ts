// A number of the epochs that a callback watches, and which of two is better, as Keras' callbacks have it.

import { type EpochResult, NameError, OptionError } from "../index.ts";
import type { Run } from "./callback.ts";
import { logsOf } from "./logs.ts";

/** Which number of an epoch a callback watches, and what is better. */
export interface MonitorOptions {
  /** Name of the number to watch, as `logsOf` has it. Default "val_loss". */
  readonly monitor?: string;
  /**
   * Whether less or more of it is better. Default "auto": less of what is called loss, error or perplexity, more of accuracy, AUC, precision,
   * recall, f1 and top5; for other names it must be said.
   */
  readonly mode?: "auto" | "min" | "max";
}

export const monitorKinds = { monitor: "a name", mode: '"auto", "min" or "max"' } as const;

export interface Monitor {
  readonly mode: "min" | "max";
  /** Throws NameError where the epoch has no such number. */
  read(epoch: EpochResult): number;
  /** Whether it beats another number by more than `by`; NaN never does, and all that is a number beats undefined. */
  beats(value: number, other: number | undefined, by?: number): boolean;
}

const less = /(loss|error|perplexity)$/i;
const more = /(acc|accuracy|auc|precision|recall|f1|top\d*)$/i;

/** What a monitor is in any fit. Throws OptionError where "auto" does not know the name. */
export function modeOf(place: string, { monitor = "val_loss", mode = "auto" }: MonitorOptions): "min" | "max" {
  if (mode !== "auto") return mode;
  if (less.test(monitor)) return "min";
  if (more.test(monitor)) return "max";
  throw new OptionError(
    `${place}: whether more or less of "${monitor}" is better is not known. Give mode "min" or "max".`,
  );
}

/** The monitor in a fit. Throws OptionError where it asks for validation and the fit has none. */
export function monitorOf(place: string, options: MonitorOptions, { hasValidation }: Run): Monitor {
  const { monitor = "val_loss" } = options;
  const mode = modeOf(place, options);
  if (monitor.startsWith("val_") && !hasValidation) {
    throw new OptionError(
      `${place}: monitor is "${monitor}", and this fit has no validation. Give validation or validationSplit, or monitor "${monitor.slice(4)}".`,
    );
  }
  const sign = mode === "min" ? 1 : -1;
  return {
    mode,
    read(epoch) {
      const logs = logsOf(epoch);
      const value = Object.hasOwn(logs, monitor) ? logs[monitor] : undefined;
      if (value !== undefined) return value;
      throw new NameError(
        `${place}: monitor is "${monitor}", and epoch ${epoch.epoch} tells of ${Object.keys(logs).join(", ")}. Give one of these.`,
      );
    },
    beats: (value, other, by = 0) => (other === undefined ? !Number.isNaN(value) : sign * value + by < sign * other),
  };
}
