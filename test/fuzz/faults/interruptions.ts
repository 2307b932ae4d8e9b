// Random interruptions, by number: a trainer is asked for some calls one after the other, and in the midst of one of them something comes between.
// What was interrupted gives what it would have given, or ends in an error of ours; then training goes on from the checkpoint before it, and all calls
// give what they give where nothing comes between. Where a trainer that threw can still be looked at, it stands at a step that there is.

import { compile, GradusError, type Samples } from "../../../src/index.ts";
import { stream, uniform } from "../../../src/random.ts";
import { compileRecoverable } from "../../../src/recover/index.ts";
import { losing } from "../../stories/losing.ts";
import { slice } from "../../stories/small.ts";
import { type Call, type Caller, calls, data, type SetupName, setups, textOf } from "./calls.ts";
import { over, remembering } from "./over.ts";
import { type FaultName, faults, type Seam, seam } from "./seam.ts";
import { judge, type Was } from "./walk.ts";

/** A call that a user makes again until it is whole, whoever stops it. */
async function wholeFit(trainer: Caller, more: { readonly signal?: AbortSignal }): Promise<unknown> {
  const steps: unknown[] = [];
  const options = {
    epochs: 3,
    onStep: ({ step, loss, accuracy }: { step: number; loss: number; accuracy: number }) =>
      steps.push([step, loss, accuracy]),
  };
  let { stopped } = await trainer.fit(data, { ...options, ...more });
  while (stopped) ({ stopped } = await trainer.fit(data, { ...options, resume: true }));
  return [steps, await trainer.save()];
}

type CallName = keyof typeof calls | "whole fit";

/** Calls that end early when they are stopped, and tell so. */
const ends: readonly CallName[] = [
  ...(["fit", "fit of batches", "fit of what was uploaded", "fit with frozen layers", "findRate", "fineTune"] as const),
];

/** What a run can be interrupted by at any place where it asks something of its device. */
interface Between {
  /** Below the trainer; else `happen` is called there. */
  readonly fault?: FaultName;
  happen?(run: Running): void;
  /** Whether the trainer can be used no more. */
  readonly isFinal?: boolean;
  /** Whether a trainer that survives its device has to give what it would have given. */
  readonly heals?: boolean;
  readonly not?: readonly CallName[];
  /** In the place of a place: bad data as batch `at` of a fit. */
  bad?(batch: Samples): Samples;
  readonly setups?: readonly SetupName[];
}

interface Running {
  readonly trainer: Caller;
  readonly device: GPUDevice;
  abort(): void;
  lose(after: number): void;
  readonly after: number;
}

declare global {
  /** Freezes this page for some time, where whoever opened it can. */
  var hide: ((milliseconds: number) => Promise<void>) | undefined;
}

const odd = (batch: Samples, value: number): Samples => {
  const x = Float32Array.from(batch.x as Float32Array);
  x[7] = value;
  return { ...batch, x };
};

/** Vast numbers of both signs, each of both classes: a class that is told right by so much has no loss, and a layer may be at rest for one sign. */
function vast(batch: Samples): Samples {
  const [x, y] = [Float32Array.from(batch.x as Float32Array), Uint8Array.from(batch.y as Uint8Array)];
  for (let i = 0; i < 4; i++) {
    x[6 * i + 1] = i < 2 ? 3e38 : -3e38;
    y[i] = i % 2;
  }
  return { ...batch, x, y };
}

export const between = {
  ...(Object.fromEntries(
    (Object.keys(faults) as FaultName[])
      .filter((fault) => fault !== "lost")
      .map((fault) => [fault, { fault, heals: true }]),
  ) as Record<Exclude<FaultName, "lost">, Between>),
  lost: { happen: ({ lose, after }) => lose(after), isFinal: true, heals: true },
  "destroyed by its owner": { happen: ({ device }) => device.destroy(), isFinal: true },
  disposed: { happen: ({ trainer }) => trainer.dispose(), isFinal: true },
  stopped: { happen: ({ trainer }) => trainer.stop(), heals: true, not: ends },
  aborted: { happen: ({ abort }) => abort(), heals: true, not: ends },
  hidden: { happen: ({ after }) => void globalThis.hide?.(20 + after), heals: true },
  "NaN in a batch": { bad: (batch) => odd(batch, Number.NaN) },
  "a label that is none": { bad: (batch) => ({ ...batch, y: [...(batch.y as Uint8Array).subarray(1), 2] }) },
  // A guard lets layers rest for it, and goes on.
  "a loss that overflows": { bad: vast, setups: ["plain"] },
} satisfies Readonly<Record<string, Between>>;

export type BetweenName = keyof typeof between;

/** "silent": a loss of which nobody heard. "adrift": a trainer that threw stands at no step that there is. */
export type Fate = Was | "silent" | "adrift";

export interface Interruption {
  readonly number: number;
  readonly setup: SetupName;
  /** Whether the trainer survives its device. */
  readonly survives: boolean;
  readonly calls: readonly CallName[];
  /** Which of the calls was interrupted, by what, and at which of the things that it asks its device for. */
  readonly call: number;
  readonly by: BetweenName;
  readonly at: number;
  readonly of: number;
  readonly was: Fate;
  readonly message?: string;
}

/** Means of an epoch in which a device was lost are summed in another order. */
const text = (value: unknown): string => textOf(value, (number) => number.toPrecision(10));

/** All that training leaves in a trainer. */
const look = async (trainer: Caller): Promise<string> =>
  textOf([trainer.steps, await trainer.weights(), await trainer.averages(), await trainer.state()]);

/** A trainer that is looked at after each step. */
const watching = (trainer: Caller, seen: Set<string>): Caller =>
  over(trainer, {
    ...Object.fromEntries(
      (["fit", "fineTune"] as const).map((name) => [
        name,
        (given: Samples, options: Parameters<Caller["fit"]>[1] = {}) =>
          trainer[name](given, {
            ...options,
            lockstep: true,
            async onStep(told) {
              await options.onStep?.(told);
              seen.add(await look(trainer));
            },
          }),
      ]),
    ),
    step: async (given: Samples) => {
      const told = await trainer.step(given);
      seen.add(await look(trainer));
      return told;
    },
    setWeights(weights: Parameters<Caller["setWeights"]>[0]) {
      trainer.setWeights(weights);
      trainer.weights().then(async () => seen.add(await look(trainer)));
    },
  });

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Batches of which one is bad, as a stream gives them. */
const batchesWith = (at: number, spoil: (batch: Samples) => Samples): AsyncIterable<Samples> => ({
  async *[Symbol.asyncIterator]() {
    for (let i = 0; i < 5; i++) {
      const batch = slice(data, 8 * i, 8 * i + 8);
      yield i === at ? spoil(batch) : batch;
    }
  },
});

/** Throws where work ends in anything but an error of ours. */
async function demandTyped(work: () => Promise<unknown>): Promise<void> {
  const { was, message } = await judge(async () => text(await work()), "");
  if (was !== "typed") throw new Wrong(was === "hung" ? "hung" : "untyped", message ?? "nothing was thrown");
}

class Wrong extends Error {
  readonly was: Fate;
  constructor(was: Fate, message: string) {
    super(message);
    this.was = was;
  }
}

/** Interruptions over one device, by number. */
export function openInterruptions(given: GPUDevice) {
  const below = remembering(given);

  /** A trainer of a setup on devices of its own. */
  async function open(setup: SetupName, survives: boolean) {
    const { model, settings } = setups[setup];
    let recovered = 0;
    const on = {
      seam: undefined as unknown as Seam,
      lose: (_: number): void => undefined,
      happen: (): void => undefined,
    };
    const device = (): GPUDevice => {
      const one = losing(below);
      on.lose = (after) => one.lose("unknown", after);
      on.seam = seam(one.device, () => on.happen());
      return on.seam.device;
    };
    const trainer: Caller = survives
      ? await compileRecoverable(
          model,
          { ...settings, device },
          { everySteps: 4, wait: 1, onRecover: () => recovered++ },
        )
      : await compile(model, { ...settings, device: device() });
    await trainer.step(slice(data, 8, 16));
    let aborting = new AbortController();
    const make = async (name: CallName, by = trainer): Promise<string> => {
      aborting = new AbortController();
      const told =
        name === "whole fit"
          ? await wholeFit(by, { signal: aborting.signal })
          : await (calls[name] as Call)(by, { device: on.seam.device, model });
      return text(told);
    };
    return { trainer, on, abort: () => aborting.abort(), make, recovered: () => recovered };
  }

  /** Makes the calls where nothing comes between: what each says, what the interrupted one asks for, and the checkpoint before it. */
  async function soundly(setup: SetupName, survives: boolean, names: readonly CallName[], call: number) {
    const { trainer, on, make } = await open(setup, survives);
    try {
      const texts: string[] = [];
      let bytes = new Uint8Array();
      let asked: ReturnType<Seam["asked"]> = [];
      for (const [i, name] of names.entries()) {
        if (i === call) {
          bytes = await trainer.save();
          trainer.load(bytes);
        }
        on.seam.asked();
        texts.push(await make(name));
        if (i === call) asked = on.seam.asked();
      }
      return { texts, asked, bytes };
    } finally {
      trainer.dispose();
    }
  }

  /** Where a call, or a fit of sound batches, leads a trainer, step by step. */
  async function wayOf(setup: SetupName, bytes: Uint8Array, name: CallName | undefined): Promise<ReadonlySet<string>> {
    const { trainer, make } = await open(setup, false);
    try {
      const seen = new Set<string>();
      trainer.load(bytes);
      seen.add(await look(trainer));
      const watched = watching(trainer, seen);
      if (name === undefined) await watched.fit(batchesWith(-1, (batch) => batch));
      else await make(name, watched);
      seen.add(await look(trainer));
      return seen;
    } finally {
      trainer.dispose();
    }
  }

  /** A trainer that threw and lives stands at a step of its way, or says that it does not know. */
  async function demandOnWay(trainer: Caller, way: () => Promise<ReadonlySet<string>>): Promise<void> {
    let now: string;
    try {
      now = await look(trainer);
    } catch (error) {
      if (error instanceof GradusError) return;
      throw new Wrong("untyped", String(error));
    }
    const seen = await way();
    if (!seen.has(now)) throw new Wrong("adrift", `it threw and stands at step ${trainer.steps}, with other numbers`);
  }

  return async (number: number): Promise<Interruption> => {
    const random = stream(number, "interruption");
    let drawn = 0;
    const below1 = (): number => uniform(random, drawn++);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(below1() * of.length)] as T;
    const setup = pick(Object.keys(setups) as SetupName[]);
    const survives = below1() < 0.5;
    // A network of its own beside the trainer has nobody to look for another device.
    const known = (Object.keys(calls) as (keyof typeof calls)[]).filter((one) => !(survives && one === "inference"));
    const all: readonly CallName[] = [...known, "whole fit"];
    // The recipe leaves a schedule in epochs, with which batches without a number of them cannot go on.
    const length = 2 + Math.floor(below1() * 3);
    const names = Array.from({ length }, (_, i) => {
      const one = below1() < 0.25 ? "whole fit" : pick(all);
      return one === "fineTune" && i < length - 1 ? "fit" : one;
    });
    const call = Math.floor(below1() * names.length);
    const name = names[call] as CallName;
    const { texts, asked, bytes } = await soundly(setup, survives, names, call).catch((error) => {
      const who = `interruption ${number}, ${setup}${survives ? ", survives" : ""}, ${names.join(", ")}`;
      throw new Error(`${who}, where nothing comes between: ${error}`, { cause: error });
    });
    const placesOf = (by: BetweenName): number => {
      const { fault, bad, not = [], setups: own = [setup] }: Between = between[by];
      if (not.includes(name) || !own.includes(setup) || (by === "hidden" && globalThis.hide === undefined)) return 0;
      if (bad !== undefined) return 5;
      return fault === undefined ? asked.length : asked.filter(({ kind }) => kind === faults[fault].kind).length;
    };
    const by = pick((Object.keys(between) as BetweenName[]).filter((one) => placesOf(one) > 0));
    const { fault, happen, bad, isFinal = false, heals = false }: Between = between[by];
    const of = placesOf(by);
    const drawnAt = Math.floor(below1() * of);
    const after = below1() < 0.5 ? 0 : Math.floor(below1() * 20);
    const unhandled: unknown[] = [];
    const listen = (event: PromiseRejectionEvent): void => {
      unhandled.push(event.reason);
      event.preventDefault();
    };

    /** Undefined where the run did not come to that place. */
    async function run(at: number): Promise<Pick<Interruption, "was" | "message"> | undefined> {
      let { trainer, on, abort, make, recovered } = await open(setup, survives);
      const demand = async (i: number): Promise<void> => {
        const found = await judge(() => make(names[i] as CallName), texts[i] as string);
        if (found.was !== "same")
          throw new Wrong(found.was === "typed" ? "wrong" : found.was, `${names[i]} after it: ${found.message}`);
      };
      try {
        for (let i = 0; i < call; i++) await demand(i);
        trainer.load(bytes);
        on.happen = () => happen?.({ trainer, device: on.seam.device, abort, lose: on.lose, after });
        const { seam: armed } = on;
        if (bad === undefined) armed.arm(fault ?? "lost", at);
        const found =
          bad === undefined
            ? await judge(() => make(name), texts[call] as string)
            : await judge(async () => text(await trainer.fit(batchesWith(at, bad))), "");
        const struck = armed.disarm();
        if (bad === undefined && struck === undefined) return undefined;
        if (found.was !== "typed" && found.was !== "same") return found;
        if (bad !== undefined && found.was === "same") return { was: "silent", message: "nothing was thrown" };
        if (survives && by === "lost") {
          await pause(after + 5);
          await (trainer as Extract<Caller, { recovered: unknown }>).recovered();
          if (found.was === "same" && recovered() === 0) return { was: "silent", message: "it was not told of" };
        }
        if (survives && heals && found.was === "typed")
          return { was: "wrong", message: `it did not go on: ${found.message}` };
        if (!survives && by === "lost") await pause(after + 5);
        const isGone = isFinal && !(survives && heals);
        if (isGone) await demandTyped(() => trainer.predict(data.x));
        else if (found.was === "typed") {
          await demandOnWay(trainer, () => wayOf(setup, bytes, bad === undefined ? name : undefined));
        }
        let again = found.was === "same" ? found : undefined;
        if (!isGone && again === undefined) {
          trainer.load(bytes);
          again = await judge(() => make(name), texts[call] as string);
          if (again.was !== "typed" && again.was !== "same")
            throw new Wrong(again.was, `again after it: ${again.message}`);
        }
        // A buffer that is none stays none: who has no other device compiles again.
        if (isGone || again?.was !== "same") {
          trainer.dispose();
          ({ trainer, on, abort, make, recovered } = await open(setup, survives));
          trainer.load(bytes);
          await demand(call);
        }
        for (let i = call + 1; i < names.length; i++) await demand(i);
        return found;
      } catch (error) {
        if (error instanceof Wrong) return { was: error.was, message: error.message };
        return { was: "untyped", message: String(error) };
      } finally {
        trainer.dispose();
      }
    }

    globalThis.addEventListener("unhandledrejection", listen);
    try {
      let at = drawnAt;
      let found = await run(at);
      // How many steps share a submission follows the clock, so that a call may ask for less than before.
      while (found === undefined && at > 0) {
        at = Math.floor(at / 2);
        found = await run(at);
      }
      await pause(0);
      if (unhandled.length > 0) found = { was: "unhandled", message: String(unhandled[0]) };
      return { ...{ number, setup, survives, calls: names, call, by, at, of, was: "unreached" }, ...found };
    } finally {
      globalThis.removeEventListener("unhandledrejection", listen);
    }
  };
}
