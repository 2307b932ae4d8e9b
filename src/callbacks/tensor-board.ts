// What a fit tells as TensorBoard's event files: TensorBoard of Keras, and each layer's learning rate beside it.

import { checkOptions, say } from "../foreign/options.ts";
import { builtin, hasFiles } from "../foreign/runtime.ts";
import { type EpochResult, type FitStep, OptionError } from "../index.ts";
import type { Callback } from "./callback.ts";
import { scalarRecord, versionRecord } from "./event-file.ts";
import { logsOf } from "./logs.ts";

/** Options of `tensorBoard`. */
export interface TensorBoardOptions {
  /** Every so many updates their numbers and rates are written. Default 10. */
  readonly every?: number;
  /** Whether each layer's learning rate is written. Default true. */
  readonly rates?: boolean;
}

/**
 * Writes an event file: `step/loss`, `step/accuracy` and `step/` with each metric, `rate/` with each layer, every `every` updates; `epoch/`
 * with all numbers of an epoch, those of validation as `epoch/val_loss`. The step of all of them is the number of the update, so that curves
 * lie on one axis, where Keras counts epochs and writes validation to a second run. `write` is a folder in Node or Deno, such as "logs/run1",
 * or a function that takes the file piece by piece; its promises are awaited one after another, and training goes on meanwhile until the
 * epoch ends. What it throws ends the fit. Throws OptionError.
 *
 * @example
 * const pieces: Uint8Array<ArrayBuffer>[] = [];
 * await fitWith(trainer, data, { callbacks: [tensorBoard((bytes) => pieces.push(bytes))] });
 * const file = new File(pieces, "events.out.tfevents.1"); // for a folder that TensorBoard reads
 */
export function tensorBoard(
  write: string | ((bytes: Uint8Array<ArrayBuffer>) => unknown),
  options: TensorBoardOptions = {},
): Callback {
  const place = "tensorBoard";
  checkOptions(place, options, { every: "a whole number of at least 1", rates: "true or false" });
  const { every = 10, rates = true } = options;
  if (!(typeof write === "function" || (typeof write === "string" && write !== ""))) {
    throw new OptionError(
      `${place}: it writes to ${say(write)}. Give a folder, such as "logs/run1", or a function of bytes.`,
    );
  }
  if (typeof write === "string" && !hasFiles()) {
    throw new OptionError(
      `${place}: it writes to the folder "${write}", and there are no files here. Give a function of bytes.`,
    );
  }
  return ({ trainer }) => {
    const take = typeof write === "string" ? eventFile(write) : write;
    let pending: Promise<unknown> = Promise.resolve();
    let failure: { readonly error: unknown } | undefined;
    const send = (bytes: Uint8Array<ArrayBuffer>): void => {
      pending = pending
        .then(() => failure ?? take(bytes))
        .catch((error: unknown) => {
          failure ??= { error };
        });
    };
    const throwIfFailed = (): void => {
      if (failure !== undefined) throw failure.error;
    };
    const flush = async (): Promise<void> => {
      await pending;
      throwIfFailed();
    };
    send(versionRecord(seconds()));
    return {
      onStep(step) {
        throwIfFailed();
        if (step.step % every === 0) send(scalarRecord(seconds(), step.step, ofStep(step, rates)));
      },
      onEpoch(epoch) {
        send(scalarRecord(seconds(), trainer.steps, ofEpoch(epoch)));
        return flush();
      },
      onEnd: flush,
      onClose: () => pending,
    };
  };
}

type Scalars = readonly (readonly [tag: string, value: number])[];

const ofEpoch = (epoch: EpochResult): Scalars =>
  Object.entries(logsOf(epoch)).map(([name, value]) => [`epoch/${name}`, value] as const);

function ofStep({ loss, accuracy, reports, epoch, rates }: FitStep, withRates: boolean): Scalars {
  const told = Object.entries(logsOf({ epoch, loss, accuracy, ...(reports && { reports }) }));
  const byLayer = withRates ? Object.entries(rates()) : [];
  return [
    ...told.map(([name, value]) => [`step/${name}`, value] as const),
    ...byLayer.map(([layer, rate]) => [`rate/${layer}`, rate] as const),
  ];
}

/** Since 1970. */
const seconds = (): number => (performance.timeOrigin + performance.now()) / 1000;

/** Appends to a new file of a folder, which is made; named as TensorBoard's own. */
function eventFile(folder: string): (bytes: Uint8Array) => Promise<void> {
  const [files, { join }, { hostname }] = [builtin("node:fs/promises"), builtin("node:path"), builtin("node:os")];
  const time = Math.floor(performance.timeOrigin + performance.now());
  const path = join(folder, `events.out.tfevents.${Math.floor(time / 1000)}.${hostname()}.${time % 1000}`);
  return async (bytes) => {
    await files.mkdir(folder, { recursive: true });
    await files.appendFile(path, bytes);
  };
}
