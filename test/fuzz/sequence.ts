// One sequence: a trainer is made, its calls are made one after the other, and nothing is left behind: no rejection that nobody
// awaited, no call after the end.

import fc from "fast-check";
import { anyCall, type Call, calls, type Name } from "./calls.ts";
import { config as anyConfig, type Config, type Engine, modelOf, optionsOf } from "./config.ts";
import { Reference } from "./reference.ts";
import { Fault, World } from "./trial.ts";

export interface Sequence {
  readonly config: Config;
  readonly calls: readonly Call[];
}

/** Seeds up to this one are the short form: their trainers are of a few kinds, so that most pipelines are compiled already. */
export const SHORT = 100;

const few = fc.constantFrom(...fc.sample(anyConfig, { seed: 3, numRuns: 10 }));

const sequenceOf = (seed: number): fc.Arbitrary<Sequence> =>
  fc.record({
    config: seed <= SHORT ? few : anyConfig,
    calls: fc.array(anyCall, { minLength: 3, maxLength: seed <= SHORT ? 9 : 12, size: "max" }),
  });

/** Calls made, by name. */
export type Counts = Partial<Record<Name, number>>;

/** Runs it; throws a Fault where something is wrong. */
export async function runSequence(
  engine: Engine,
  device: GPUDevice,
  { config, calls: list }: Sequence,
  counts: Counts,
) {
  const unhandled: unknown[] = [];
  const listen = (event: PromiseRejectionEvent): void => {
    unhandled.push(event.reason);
    event.preventDefault();
  };
  addEventListener("unhandledrejection", listen);
  const trainer = await engine.compile(modelOf(engine, config), optionsOf(engine, config, device));
  try {
    const world = await World.start(engine, config, trainer, new Reference(config, await trainer.weights()));
    for (const [name, args] of list) {
      counts[name] = (counts[name] ?? 0) + 1;
      await (calls[name].run as (world: World, args: unknown) => Promise<void>)(world, args);
    }
    await new Promise((resolve) => setTimeout(resolve));
    if (unhandled.length > 0) throw new Fault("unhandled", "sequence", String(unhandled[0]));
  } finally {
    trainer.dispose();
    removeEventListener("unhandledrejection", listen);
  }
}

export interface Found {
  readonly seed: number;
  /** Of the shrunken sequence, for `--path`. */
  readonly path: string;
  readonly kind: Fault["kind"];
  readonly call: string;
  readonly message: string;
  readonly sequence: Sequence | undefined;
}

/** Milliseconds that the search for a shorter sequence may take. */
const SHRINKING = 15_000;

/**
 * Runs the sequence of a seed, or the one that a path leads to. A failure is made shorter, unless one like it is in `known`
 * already ("kind: call").
 */
export async function trySeed(
  engine: Engine,
  device: GPUDevice,
  seed: number,
  counts: Counts,
  { path, known = [] }: { readonly path?: string | undefined; readonly known?: readonly string[] } = {},
): Promise<Found | undefined> {
  const check = async (parameters: fc.Parameters<[Sequence]>, counted: Counts): Promise<Found | undefined> => {
    let fault: unknown;
    const property = fc.asyncProperty(sequenceOf(seed), async (given) => {
      try {
        await runSequence(engine, device, given, counted);
      } catch (error) {
        fault = error;
        throw error;
      }
    });
    const result = await fc.check(property, { ...parameters, seed, numRuns: 1 });
    if (!result.failed || result.counterexample === null) return undefined;
    const error = (result.errorInstance ?? fault) as Partial<Fault> & Error;
    return {
      seed,
      path: result.counterexamplePath ?? "0",
      kind: error.kind ?? "untyped",
      call: error.call ?? "compile",
      message: error.kind === undefined ? `${error.stack ?? error}` : error.message,
      sequence: result.counterexample[0],
    };
  };
  const found = await check({ endOnFailure: true, ...(path === undefined ? {} : { path }) }, counts);
  if (found === undefined || path !== undefined || known.includes(`${found.kind}: ${found.call}`)) return found;
  return (await check({ interruptAfterTimeLimit: SHRINKING }, {})) ?? found;
}
