// From a model and options to a cohort: the trainer that the core makes, of the program of many copies.

import { type CompileOptions, compile, type Model, OptionError } from "../index.ts";
import { Cohort, type CohortTrainer } from "./cohort.ts";
import { copiesOf, under } from "./copies.ts";
import { type Rates, ratesOfCopy } from "./rates.ts";

/** As for `compile`, of each copy. */
export interface CohortOptions
  extends Omit<CompileOptions, "rates" | "seed" | "copies" | "cacheFrozen" | "state" | "noiseScale"> {
  /** How many, at least 2. */
  readonly copies: number;
  /** Learning rates by layer of copy k, counted from 0, with the names that layers have in a network alone. Default: those of all. */
  readonly rates?: ((copy: number) => CompileOptions["rates"]) | undefined;
  /** Decides shuffles, and what copies begin with and drop. A function gives the latter two for each copy, and with `order: "own"` all of them. Default 0. */
  readonly seed?: number | ((copy: number) => number) | undefined;
  /**
   * In which order copies see the samples of a fit: all in that of copy 0, or each in its own, as its seed shuffles them. Batches that come from an
   * iterable are the same for all. Default "shared".
   */
  readonly order?: "shared" | "own" | undefined;
}

/** Who makes the trainer of all copies: `compile`, or `compileRecoverable` of gradus/recover. */
export type MakeTrainer<T extends CohortTrainer> = (
  model: Model,
  options: Omit<CompileOptions, "device">,
) => Promise<T>;

/**
 * Compiles many copies of a network that train at once on the same batches, each with its own weights, states, draws and rates: one
 * graph, and as many dispatches as for one. Copy k makes the steps that it would make alone, with its rates and its seed, bit for bit.
 * A copy whose loss or gradient is no number is out, and tells NaN from then on; the others go on.
 * `make` makes the trainer of all: with `compileRecoverable` the cohort survives its device.
 *
 * Throws OptionError for what copies cannot have (clipping by norm, controllers, lars, lamb, `cacheFrozen`, confusion matrices, a base in f16), LimitError where all of them are
 * too large for the device, and what `compile` throws.
 *
 * @example
 * const cohort = await compileCohort(model, { copies: 16, rates: (k) => ({ "**": 1e-4 * 2 ** k }), input: [784], loss: crossEntropy() });
 */
export function compileCohort(model: Model, options: CohortOptions): Promise<Cohort>;
export function compileCohort<T extends CohortTrainer>(
  model: Model,
  options: CohortOptions,
  make: MakeTrainer<T>,
): Promise<Cohort<T>>;
export async function compileCohort(
  model: Model,
  options: CohortOptions,
  make: MakeTrainer<CohortTrainer> = compile,
): Promise<Cohort<CohortTrainer>> {
  const { copies, rates, seed = 0, order = "shared", weights, blocks, ...rest } = Object(options) as CohortOptions;
  if (!(Number.isSafeInteger(copies) && copies >= 2))
    throw new OptionError(`compileCohort: copies is ${String(copies)}, it must be a whole number of at least 2.`);
  for (const [name, value] of Object.entries({ rates, seed })) {
    if (typeof value === "function" || value === undefined || name === "seed") continue;
    throw new OptionError(`compileCohort: ${name} is ${typeof value}. Give a function of the copy: (k) => rates.`);
  }
  const refused = ["cacheFrozen", "state", "losses", "noiseScale"].find((name) => name in rest);
  if (refused !== undefined)
    throw new OptionError(`compileCohort: a cohort has no "${refused}". Leave it out, or compile a trainer.`);
  if (Object(rest.base).dtype === "f16")
    throw new OptionError("compileCohort: the base of copies is in f32. Leave dtype out, or compile a trainer.");
  const numbers = Array.from({ length: copies }, (_, k) => k);
  const seeds = numbers.map((k) => checkedSeed(k, typeof seed === "function" ? seed(k) : seed));
  const [first = 0] = seeds;
  if (order !== "shared" && order !== "own")
    throw new OptionError(`compileCohort: order is ${String(order)}, it must be "shared" or "own".`);
  if (order === "own" && new Set(seeds).size === 1)
    throw new OptionError(
      `compileCohort: order is "own", and all copies have the seed ${first}, which gives all of them one order. Give seed: (k) => k.`,
    );
  const given = numbers.flatMap((k) => {
    const own = rates?.(k);
    return own === undefined ? [] : [ratesOfCopy(k, own)];
  });
  const all = copiesOf(seeds, first, order === "own");
  const trainer = await make(model, {
    ...rest,
    seed: first,
    copies: all,
    ...(given.length > 0 && { rates: given as unknown as Rates }),
    ...(blocks !== undefined && { blocks: under("*", blocks) }),
    ...(weights !== undefined && { weights: forAll(numbers, weights) }),
  });
  return new Cohort(trainer, copies, all.replace);
}

function checkedSeed(k: number, seed: number): number {
  if (seed === seed >>> 0) return seed;
  throw new OptionError(
    `compileCohort: the seed of copy ${k} is ${String(seed)}, it must be a whole number from 0 to ${2 ** 32 - 1}.`,
  );
}

/** The same weights for each copy; those of the base are there once. */
function forAll(numbers: readonly number[], weights: NonNullable<CompileOptions["weights"]>): typeof weights {
  const entries = weights instanceof Map ? [...weights] : Object.entries(weights);
  return new Map([
    ...entries,
    ...numbers.flatMap((k) => entries.map(([name, values]) => [under(String(k), name), values] as const)),
  ]);
}
