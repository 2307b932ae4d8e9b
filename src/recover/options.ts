// What a recovery is asked for and what it tells, with its checks.

import { type AlternatingOptions, type CompileOptions, type DeviceLike, OptionError } from "../index.ts";

/** How a training that lost its device goes on. */
export interface Recovered {
  /** Updates that the snapshot knows: training goes on behind them. */
  readonly step: number;
  /** Updates that are made again. */
  readonly lost: number;
  /** What the device, or the browser, said of the loss. */
  readonly reason: string;
  /** From 1: how many times a device was asked for since training last moved on. */
  readonly attempt: number;
}

/** What a snapshot has cost. */
export interface Snapshot {
  /** Updates made when it was back. */
  readonly step: number;
  /** As `save` gives them: they lie on the host until the next one is there. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** From the wish until the bytes were there. Steps that were on their way are waited for; no other is submitted until then. */
  readonly milliseconds: number;
}

/** How often snapshots are taken, and how a new device is looked for. */
export interface RecoverOptions {
  /**
   * Seconds between two snapshots of a fit. Each is a `save`: all weights, moments and means are read back, and the GPU rests
   * meanwhile. Default 30.
   */
  readonly everySeconds?: number;
  /** Most updates between two snapshots; the batches of single steps are kept until the next one. Default 1000 in a fit, 64 of single steps. */
  readonly everySteps?: number;
  /** Devices that are asked for until training moves on, before the loss is final. Default 5. */
  readonly attempts?: number;
  /** Milliseconds before the second attempt; each further one waits twice as long. Default 250. */
  readonly wait?: number;
  /** Seconds that an attempt may take, a compilation included, before it has failed. Default 60. */
  readonly patience?: number;
  /** Told of each recovery before anything goes on. */
  readonly onRecover?: (told: Recovered) => void;
  /** Told of each snapshot. */
  readonly onSnapshot?: (told: Snapshot) => void;
}

/** Options of which the device is a function. */
type WithDevice<Options> = Omit<Options, "device"> & {
  /** Asked for a device at the start and after each loss. Default: one of a new adapter, as `compile` takes it. */
  readonly device?: () => DeviceLike | Promise<DeviceLike>;
};

/** As those of `compile`; a device is asked for instead of given. */
export type RecoverableOptions = WithDevice<CompileOptions> | WithDevice<AlternatingOptions>;

export type CheckedRecovery = Required<Omit<RecoverOptions, "onRecover" | "onSnapshot" | "everySteps">> &
  RecoverOptions;

const keys = ["everySeconds", "everySteps", "attempts", "wait", "patience", "onRecover", "onSnapshot"];

export function checkedRecovery(options: RecoverableOptions, recovery: RecoverOptions): CheckedRecovery {
  const odd = Object.keys(Object(recovery)).find((key) => !keys.includes(key));
  if (odd !== undefined) {
    throw new OptionError(`compileRecoverable: recovery has no "${odd}". It may have ${keys.join(", ")}.`);
  }
  const { device } = Object(options) as RecoverableOptions;
  if (device !== undefined && typeof device !== "function") {
    throw new OptionError(
      "compileRecoverable: device is no function. A lost device never comes back: give a function that makes a new one, or leave it out.",
    );
  }
  const checked = { everySeconds: 30, attempts: 5, wait: 250, patience: 60, ...recovery };
  const { everySeconds, everySteps = 1, attempts, wait, patience } = checked;
  for (const [name, value] of Object.entries({ everySeconds, wait, patience })) {
    if (!(typeof value === "number" && value >= 0)) {
      throw new OptionError(`compileRecoverable: ${name} is ${String(value)}, it must be a number of at least 0.`);
    }
  }
  for (const [name, value] of Object.entries({ everySteps, attempts })) {
    if (!(Number.isSafeInteger(value) && value >= 1)) {
      throw new OptionError(
        `compileRecoverable: ${name} is ${String(value)}, it must be a whole number of at least 1.`,
      );
    }
  }
  for (const name of ["onRecover", "onSnapshot"] as const) {
    if (recovery[name] !== undefined && typeof recovery[name] !== "function") {
      throw new OptionError(`compileRecoverable: ${name} is ${String(recovery[name])}, it must be a function.`);
    }
  }
  return checked;
}
