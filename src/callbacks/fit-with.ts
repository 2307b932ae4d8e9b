// A fit with callbacks: their hooks as one `onStep` and one `onEpoch`, in the order of the list. It asks nothing of the core that a fit does
// not offer anyway.

import { say } from "../foreign/options.ts";
import { type Data, type EpochResult, type FitOptions, type FitStep, OptionError } from "../index.ts";
import type { Callback, History, Hooks, Run, Trained } from "./callback.ts";
import { historyOf, logsOf } from "./logs.ts";
import { sampleCount, split } from "./validation-split.ts";

/** Options of `fitWith`: those of a fit, and what hears of it. */
export interface CallbackOptions extends FitOptions {
  /** Heard in this order, before `onStep` and `onEpoch`. */
  readonly callbacks?: readonly Callback[];
  /**
   * Part of the samples, from the end, that is held back for `validation`: before anything is shuffled, as Keras does. Above 0 and below 1, for
   * samples in arrays.
   */
  readonly validationSplit?: number;
}

/**
 * `trainer.fit` with callbacks. Each hook is awaited before the next one is heard; what one throws ends the fit as what `onStep` throws does,
 * and it is rejected with that. The fit goes in lockstep once a hook of a step gives a promise. A callback acts after what is under way, as
 * `onStep` does: see `lockstep`. Throws OptionError and DataError before any weight changes, and what `fit` throws.
 *
 * @example
 * const { history } = await fitWith(trainer, { x, y }, {
 *   epochs: 100,
 *   validationSplit: 0.2,
 *   callbacks: [earlyStopping({ patience: 5 }), restoreBest()],
 * });
 */
export async function fitWith(trainer: Trained, data: Data, options: CallbackOptions = {}): Promise<History> {
  check(options);
  const { callbacks = [], validationSplit, onStep, onEpoch, ...rest } = options;
  const halves = validationSplit === undefined ? undefined : split(trainer, data, validationSplit);
  const { epochs = rest.steps === undefined ? 1 : Number.POSITIVE_INFINITY, steps } = rest;
  const run: Run = {
    trainer,
    epochs: Number.isFinite(epochs) ? epochs : undefined,
    steps,
    samples: sampleCount(trainer, halves?.training ?? data),
    hasValidation: (halves ?? rest).validation !== undefined,
  };
  const hooks: Hooks[] = [];
  const heard = <T>(key: "onStep" | "onEpoch", own: ((value: T) => unknown) | undefined) => {
    const all = [...hooks.map((one) => one[key]?.bind(one)), own] as (((value: T) => unknown) | undefined)[];
    return all.filter((one) => one !== undefined);
  };
  let failed = true;
  try {
    for (const callback of callbacks)
      hooks.push(typeof callback === "function" ? hooksOf(await callback(run)) : callback);
    const [ofSteps, ofEpochs] = [heard<FitStep>("onStep", onStep), heard<EpochResult>("onEpoch", onEpoch)];
    const found = await trainer.fit(halves?.training ?? data, {
      ...rest,
      ...(halves && { validation: halves.validation }),
      ...(ofSteps.length > 0 && { onStep: (step: FitStep) => inTurn(ofSteps, step) }),
      onEpoch(epoch) {
        logsOf(epoch); // names that are there twice are refused after the first epoch, whoever asks for them
        return inTurn(ofEpochs, epoch);
      },
    });
    const result = { ...found, history: historyOf(found.epochs) };
    for (const one of hooks) await one.onEnd?.(result);
    failed = false;
    return result;
  } finally {
    await close(hooks, failed);
  }
}

/** Calls them one after another. A promise is given only where one of them gives one: whoever is called then waits. */
function inTurn<T>(hooks: readonly ((value: T) => unknown)[], value: T): unknown {
  for (const [i, hook] of hooks.entries()) {
    const answer = hook(value);
    if (isPromise(answer)) return answer.then(() => inTurn(hooks.slice(i + 1), value));
  }
  return undefined;
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof (Object(value) as { then?: unknown }).then === "function";

/** Closes all of them. The first error counts, that of the fit before all others. */
async function close(hooks: readonly Hooks[], failed: boolean): Promise<void> {
  const errors: unknown[] = [];
  for (const one of hooks) {
    try {
      await one.onClose?.();
    } catch (error) {
      errors.push(error);
    }
  }
  if (!failed && errors.length > 0) throw errors[0];
}

const isHooks = (one: unknown): one is Hooks =>
  typeof one === "object" && one !== null && Object.keys(one).every(isHook);

/** What a callback made. */
function hooksOf(made: unknown): Hooks {
  if (isHooks(made)) return made;
  throw new OptionError(
    `fitWith: a callback that is a function makes hooks when the fit begins, and one gave ${say(made)}. Give for example { onEpoch: (epoch) => console.log(epoch) }.`,
  );
}

function check(options: unknown): void {
  if (typeof options !== "object" || options === null)
    throw new OptionError(`fitWith: its options are ${say(options)}, they must be an object. Write { epochs: 3 }.`);
  const { callbacks = [], validationSplit, validation, onStep, onEpoch } = options as CallbackOptions;
  if (!Array.isArray(callbacks) || !callbacks.every((one) => typeof one === "function" || isHooks(one))) {
    throw new OptionError(
      "fitWith: callbacks is no list of callbacks. Give for example [earlyStopping({ patience: 5 }), { onEpoch: console.log }].",
    );
  }
  for (const [name, own] of Object.entries({ onStep, onEpoch }))
    if (own !== undefined && typeof own !== "function")
      throw new OptionError(`fitWith: ${name} is ${say(own)}, it must be a function.`);
  if (validationSplit === undefined) return;
  if (!(validationSplit > 0 && validationSplit < 1))
    throw new OptionError(`fitWith: validationSplit is ${say(validationSplit)}, it must be a number between 0 and 1.`);
  if (validation !== undefined)
    throw new OptionError("fitWith: validation and validationSplit are both given. Give one of them.");
}

const isHook = (name: string): boolean => ["onStep", "onEpoch", "onEnd", "onClose"].includes(name);
