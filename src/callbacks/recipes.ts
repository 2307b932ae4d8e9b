// Two ways to teach a network that others trained, by live edits of its rates and fits with callbacks. A fit each, so that schedules of
// epochs begin anew. The core's `fineTune` is fastai's way; gradual unfreezing and layer decay by blocks are presets of `rates`.

import { checkOptions, type kinds, say } from "../foreign/options.ts";
import { type Data, NameError, OptionError } from "../index.ts";
import type { History, Trained } from "./callback.ts";
import { type CallbackOptions, fitWith } from "./fit-with.ts";

/** Options of `headOnly`. */
export interface HeadOnlyOptions extends CallbackOptions {
  /** Layers or tensors that train, a pattern. Default: the deepest layer that has weights. */
  readonly head?: string;
  /** Base rate of the head meanwhile; it keeps it. Default: that which it has. */
  readonly headLr?: number;
}

/** Options of `headThenAll`. */
export interface HeadThenAllOptions extends Omit<HeadOnlyOptions, "steps" | "resume"> {
  /** Epochs of the head alone. Default 1. */
  readonly headEpochs?: number;
  /** Base rate of all layers after that. Default: that which each has. */
  readonly lr?: number;
}

/**
 * Trains the head alone: all else is frozen, and keeps its bits, running statistics too. With `cacheFrozen` in `compile` what the frozen layers
 * make of each sample is computed once, and an epoch costs no more than the head. What it froze is let go in the end, also where a fit
 * fails. Throws NameError where the pattern names nothing, OptionError, and what `fitWith` throws.
 */
export async function headOnly(trainer: Trained, data: Data, options: HeadOnlyOptions = {}): Promise<History> {
  const { head, headLr, ...rest } = checked("headOnly", options);
  return alone("headOnly", trainer, head, headLr, () => fitWith(trainer, data, rest));
}

/**
 * LP-FT (Kumar et al. 2022): the head alone until it fits the features, then all layers, at a low rate, so that a head that knows nothing
 * does not spoil what the others know. `epochs` are those of all layers; what a fit is told otherwise goes for both, and a fit that is stopped
 * ends the recipe. Throws as `headOnly` does.
 *
 * @example
 * const { head, all } = await headThenAll(trainer, data, { headEpochs: 3, epochs: 5, headLr: 1e-3, lr: 1e-4 });
 */
export async function headThenAll(
  trainer: Trained,
  data: Data,
  options: HeadThenAllOptions = {},
): Promise<{ readonly head: History; readonly all: History | undefined }> {
  const { head, headLr, lr, headEpochs = 1, ...rest } = checked("headThenAll", options, ["lr", "headEpochs"]);
  const first = await alone("headThenAll", trainer, head, headLr, () =>
    fitWith(trainer, data, { ...rest, epochs: headEpochs }),
  );
  if (first.stopped) return { head: first, all: undefined };
  if (lr !== undefined) trainer.rates.set("**", { lr });
  return { head: first, all: await fitWith(trainer, data, rest) };
}

/** Does something while nothing but the head trains. */
async function alone<T>(
  place: string,
  trainer: Trained,
  head: string | undefined,
  lr: number | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const { rates } = trainer;
  const frozen = (): Set<string> =>
    new Set(rates.table({ tensors: true }).flatMap(({ name, state }) => (state === "frozen" ? [name] : [])));
  const before = frozen();
  // A factor of 1 changes nothing, and gives the names of what is meant.
  const own = new Set(rates.scale(head ?? deepest(place, trainer), 1));
  const others = rates.table({ tensors: true }).filter(({ name }) => !own.has(name) && !before.has(name));
  for (const name of own) {
    if (before.has(name)) rates.unfreeze(name);
    if (lr !== undefined) rates.set(name, { lr });
  }
  for (const { name } of others) rates.freeze(name);
  try {
    return await work();
  } finally {
    for (const { name } of others) rates.unfreeze(name);
  }
}

/** The layer with weights that is the furthest from the input, among those that train. */
function deepest(place: string, { network, rates }: Trained): string {
  const trained = new Set(rates.table().map(({ name }) => name));
  const layers = network.summary().layers.filter(({ name, depth }) => depth !== undefined && trained.has(name));
  const most = Math.max(...layers.map(({ depth }) => depth as number));
  const [found, ...more] = layers.filter(({ depth }) => depth === most);
  if (found !== undefined && more.length === 0) return found.name;
  throw new NameError(
    `${place}: ${layers.length === 0 ? "no layer trains" : `${[found, ...more].map((one) => one?.name).join(" and ")} are equally deep`}. Name the head: { head: "head" }.`,
  );
}

/** Refuses what is wrong with the options of a recipe; those of the fit are for the fit. */
function checked<O extends HeadOnlyOptions & HeadThenAllOptions>(
  place: string,
  options: O,
  more: readonly string[] = [],
): O {
  if (typeof options !== "object" || options === null)
    throw new OptionError(`${place}: its options are ${say(options)}, they must be an object.`);
  const own = ["head", "headLr", ...more].filter((name) => name in options);
  const { head, headLr, lr, headEpochs } = options;
  const given = { head, headLr, lr, headEpochs };
  checkOptions(place, Object.fromEntries(own.map((name) => [name, given[name as keyof typeof given]])), kindsOf);
  return options;
}

const kindsOf: Readonly<Record<string, keyof typeof kinds>> = {
  head: "a name",
  headLr: "a finite number above 0",
  lr: "a finite number above 0",
  headEpochs: "a whole number of at least 1",
};
