// Checkpoints on the way: ModelCheckpoint of Keras, of all that training needs to go on to the same bits.

import { checkOptions, say } from "../foreign/options.ts";
import { OptionError, type SaveOptions } from "../index.ts";
import type { Callback, Trained } from "./callback.ts";
import { type CheckpointStore, file } from "./store.ts";

/** The step and epoch that a checkpoint was asked for after. */
export interface SavedAt {
  /** Updates made. */
  readonly step: number;
  /** From 1, within the fit; 0 before its first step. */
  readonly epoch: number;
}

/** Options of `checkpointEvery`. */
export interface CheckpointEveryOptions extends SaveOptions {
  /** Updates between two checkpoints. Give this, `seconds`, or `epochs`. */
  readonly steps?: number;
  /** Seconds between two checkpoints; the first one comes after so many. */
  readonly seconds?: number;
  /** Epochs between two checkpoints, each taken when its epoch is over. */
  readonly epochs?: number;
  /** Where they go: `file`, `opfs`, `indexedDb`, the path of a file in Node or Deno, or a function, whose promise is awaited. */
  readonly to: CheckpointStore | string | ((bytes: Uint8Array<ArrayBuffer>, at: SavedAt) => unknown);
}

/**
 * Saves every so many steps, seconds or epochs, and in the end. Training goes on meanwhile: a checkpoint in the midst of an epoch is of all
 * steps that were under way when it was asked for, with `lockstep` of the step itself; the next one waits until it is written. Whatever a
 * store does not take ends the fit with its error. `trainer.load(await store.read())` and a fit with `resume` go on to the same bits. Throws
 * OptionError.
 *
 * @example
 * const store = opfs("run.safetensors");
 * await fitWith(trainer, data, { epochs: 10, callbacks: [checkpointEvery({ seconds: 30, to: store })] });
 */
export function checkpointEvery(options: CheckpointEveryOptions): Callback {
  const place = "checkpointEvery";
  checkOptions(place, options, {
    steps: "a whole number of at least 1",
    seconds: "a finite number above 0",
    epochs: "a whole number of at least 1",
    to: "anything",
    only: "anything",
  });
  const { to, only, ...rhythm } = options;
  const given = Object.entries(rhythm).filter(([, value]) => value !== undefined);
  const [unit, every] = given[0] ?? ["", 0];
  if (given.length !== 1) {
    throw new OptionError(
      `${place}: it has ${given.length === 0 ? "no" : given.map(([name]) => name).join(" and ")} rhythm. Give one of steps, seconds and epochs.`,
    );
  }
  if (only !== undefined && only !== "weights")
    throw new OptionError(`${place}: only is ${say(only)}, it must be "weights".`);
  const write = writerOf(place, to);

  return ({ trainer }) => {
    const clock = { steps: () => trainer.steps, seconds: () => performance.now() / 1000, epochs: () => 0 };
    const now = clock[unit as keyof typeof clock];
    let last = now();
    let saved = trainer.steps;
    let at: SavedAt = { step: trainer.steps, epoch: 0 };
    let writing: Promise<void> | undefined;
    let failure: { readonly error: unknown } | undefined;

    /** What comes of it is known to whoever waits, and to the next step. */
    const begin = (): Promise<void> => {
      [last, saved] = [now(), at.step];
      const asked = at;
      writing = save(trainer, only, (bytes) => write(bytes, asked))
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => {
          writing = undefined;
        });
      return writing;
    };
    const throwIfFailed = (): void => {
      if (failure === undefined) return;
      const { error } = failure;
      failure = undefined;
      throw error;
    };
    const flush = async (): Promise<void> => {
      await writing;
      throwIfFailed();
    };
    return {
      onStep({ step, epoch }) {
        throwIfFailed();
        at = { step, epoch };
        const passed = unit === "steps" ? step - last : now() - last;
        // No promise: the fit need not wait.
        if (unit !== "epochs" && writing === undefined && passed >= every) void begin();
      },
      async onEpoch({ epoch }) {
        at = { step: trainer.steps, epoch };
        if (unit !== "epochs" || epoch % every !== 0) return;
        await flush();
        await begin();
        throwIfFailed();
      },
      async onEnd() {
        await flush();
        at = { ...at, step: trainer.steps };
        if (saved < at.step) await begin();
        throwIfFailed();
      },
      onClose: flush,
    };
  };
}

const save = async (
  trainer: Trained,
  only: "weights" | undefined,
  write: (bytes: Uint8Array<ArrayBuffer>) => unknown,
): Promise<void> => {
  await write(await trainer.save(only === undefined ? {} : { only }));
};

function writerOf(place: string, to: unknown): (bytes: Uint8Array<ArrayBuffer>, at: SavedAt) => unknown {
  if (typeof to === "function") return to as (bytes: Uint8Array<ArrayBuffer>, at: SavedAt) => unknown;
  const store = typeof to === "string" ? file(to) : (to as CheckpointStore | undefined);
  if (typeof store?.write === "function") return (bytes) => store.write(bytes);
  throw new OptionError(
    `${place}: to is ${say(to)}. Give opfs("run.safetensors"), indexedDb("run"), file("run.safetensors"), or a function of the bytes.`,
  );
}
