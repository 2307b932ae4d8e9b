// Losses of a device at random places of a call, by number: whatever the device is asked for there, it is gone, and says so at once or some time
// later. The call gives what it gives on a device that stays, and a checkpoint behind it has the same bytes.

import { type Cohort, compileCohort, type MakeTrainer } from "../../../src/cohort/index.ts";
import type { CompileOptions } from "../../../src/index.ts";
import { stream, uniform } from "../../../src/random.ts";
import { compileRecoverable, type RecoverableTrainer } from "../../../src/recover/index.ts";
import { losing } from "../../stories/losing.ts";
import { slice } from "../../stories/small.ts";
import { type Call, calls, data, type SetupName, setups, textOf } from "./calls.ts";
import { remembering } from "./over.ts";
import { seam } from "./seam.ts";
import { judge, type Was } from "./walk.ts";

export interface Loss {
  readonly number: number;
  readonly setup: SetupName;
  readonly call: CallName;
  /** Which of the things that the call asks a device for. */
  readonly at: number;
  readonly of: number;
  /** Milliseconds until the device tells of it. */
  readonly after: number;
  /** Devices that took the place of another. */
  readonly recovered: number;
  /** "same" is a recovery; "silent" one that was not needed, or not told of. */
  readonly was: Was | "silent";
  readonly message?: string;
}

/** A mean of an epoch in which a device was lost is summed in another order. */
const round = (value: unknown): unknown =>
  typeof value === "number" ? value.toPrecision(10) : typeof value === "object" ? roundAll(value) : value;
const roundAll = (value: object | null): unknown =>
  value && Object.entries(value).map(([key, one]) => [key, round(one)]);

const chosen = {
  fit: async (trainer) => {
    const steps: unknown[] = [];
    const found = await trainer.fit(data, {
      ...{ epochs: 3, validation: slice(data, 0, 16) },
      onStep: ({ step, loss, accuracy }) => steps.push([step, loss, accuracy]),
    });
    return [steps, round(found)];
  },
  predict: calls.predict,
  save: calls.save,
  findRate: calls.findRate,
} satisfies Readonly<Record<string, Call>>;

/** What copies are asked for, one of which takes another's place meanwhile. */
async function copies(cohort: Cohort<RecoverableTrainer>): Promise<unknown> {
  const before = await cohort.fit(data, { epochs: 1 });
  await cohort.trainer.recovered();
  cohort.replace(0, 2);
  const after = await cohort.fit(data, { epochs: 2 });
  return [round([before, after]), await cohort.evaluate(data), await cohort.extract(2)];
}

type CallName = keyof typeof chosen | "cohort";
const names: readonly CallName[] = [...(Object.keys(chosen) as (keyof typeof chosen)[]), "cohort"];

/** The losses of a device, whose sound runs are kept. */
export function openLosses(given: GPUDevice) {
  const below = remembering(given);
  const sound = new Map<string, Promise<{ readonly text: string; readonly asked: number }>>();

  /** Runs a call, on devices that are lost at a place where one is given. */
  async function run(setup: SetupName, call: CallName, loss?: { readonly at: number; readonly after: number }) {
    const { model, settings } = setups[setup];
    let arm = (): void => undefined;
    let asked: () => readonly unknown[] = () => [];
    let last = below;
    const device = (): GPUDevice => {
      const one = losing(below);
      const own = seam(one.device, () => one.lose("unknown", loss?.after));
      arm = () => loss && own.arm("lost", loss.at);
      asked = own.asked;
      last = own.device;
      return own.device;
    };
    let recovered = 0;
    const make: MakeTrainer<RecoverableTrainer> = (model, options) =>
      compileRecoverable(model, { ...options, device }, { everySteps: 4, wait: 1, onRecover: () => recovered++ });
    const { trainer, work } = await open();
    async function open() {
      if (call !== "cohort") {
        const trainer = await make(model, settings);
        return { trainer, work: () => (chosen[call] as Call)(trainer, { device: last, model }) };
      }
      // What looks at all layers at once, and a base in f16, copies cannot have.
      const { cacheFrozen, clip, control, base, ...rest } = settings as CompileOptions;
      const cohort = await compileCohort(model, { ...rest, copies: 3, rates: (k) => ({ "**": 0.01 * 4 ** k }) }, make);
      return { trainer: cohort.trainer, work: () => copies(cohort) };
    }
    try {
      await trainer.step(slice(data, 8, 16));
      await trainer.step(slice(data, 16, 24));
      await trainer.snapshot();
      asked();
      arm();
      const told = await work();
      const count = asked().length;
      if (loss !== undefined) await new Promise((resolve) => setTimeout(resolve, loss.after + 5));
      await trainer.recovered();
      return { text: textOf([told, await trainer.save()]), asked: count, recovered };
    } finally {
      trainer.dispose();
    }
  }

  return async (number: number): Promise<Loss> => {
    const random = stream(number, "loss");
    const pick = <T>(i: number, of: readonly T[]): T => of[Math.floor(uniform(random, i) * of.length)] as T;
    const setup = pick(0, Object.keys(setups) as SetupName[]);
    const call = pick(1, names);
    const key = `${setup} ${call}`;
    if (!sound.has(key)) sound.set(key, run(setup, call));
    const { text, asked: of } = (await sound.get(key)) as { text: string; asked: number };
    const at = Math.floor(uniform(random, 2) * of);
    const after = uniform(random, 3) < 0.5 ? 0 : Math.floor(uniform(random, 4) * 20);
    let recovered = 0;
    const found = await judge(async () => {
      const one = await run(setup, call, { at, after });
      recovered = one.recovered;
      return one.text;
    }, text);
    const was = found.was === "same" && recovered === 0 ? "silent" : found.was;
    return { ...{ number, setup, call, at, of, after, recovered }, ...found, was };
  };
}
