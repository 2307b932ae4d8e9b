// Every place of a small run at which a device can fail, one after the other: whatever is asked then gives the numbers of a sound device or a typed
// error; so does the same call a second time, from the same checkpoint.

import { compile, GradusError, type Trainer } from "../../../src/index.ts";
import { slice } from "../../stories/small.ts";
import { type Call, type CallName, calls, data, type SetupName, setups, textOf } from "./calls.ts";
import { remembering } from "./over.ts";
import { type Asked, type FaultName, faults, type Seam, seam } from "./seam.ts";

/** Milliseconds after which a call hangs: each takes some hundredths of a second. */
const PATIENCE = 30_000;

/**
 * What came of a call: "typed" is an error of ours, "same" the numbers of a sound device. "unreached": it asked for less than before, since how many
 * steps share a submission follows the clock.
 */
export type Was = "typed" | "same" | "unreached" | "wrong" | "untyped" | "hung" | "unhandled";

export interface Place {
  readonly setup: SetupName;
  /** "compile", with all calls behind it, or one call of a trainer. */
  readonly call: CallName | "compile";
  readonly fault: FaultName;
  /** Of those of its kind in the call. */
  readonly at: number;
}

export interface Outcome extends Place {
  /** What failed: the label of a buffer or a pipeline. */
  readonly name: string;
  readonly was: Was;
  readonly message?: string;
}

/** Faults of a device that goes on. */
export const lasting = (Object.keys(faults) as FaultName[]).filter((name) => name !== "lost");

/** Settles like the work, or rejects when it takes too long. */
async function patiently<T>(work: Promise<T>): Promise<T> {
  let clock: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<never>((_, reject) => {
    clock = setTimeout(() => reject(new Hang(`no end after ${PATIENCE} ms`)), PATIENCE);
  });
  return Promise.race([work, over]).finally(() => clearTimeout(clock));
}

class Hang extends Error {}

type Found = Pick<Outcome, "was" | "message">;

/** What a piece of work came to, beside the text that it gives where nothing fails. */
export async function judge(work: () => Promise<string>, sound: string): Promise<Found> {
  try {
    const found = await patiently(work());
    if (found === sound) return { was: "same" };
    const at = [...found].findIndex((letter, i) => letter !== sound[i]);
    return { was: "wrong", message: `${found.slice(at, at + 60)} in the place of ${sound.slice(at, at + 60)}` };
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { was: error instanceof GradusError ? "typed" : error instanceof Hang ? "hung" : "untyped", message };
  }
}

const isFault = ({ was }: Found): boolean => was !== "typed" && was !== "same";

export const names = Object.keys(calls) as CallName[];

/** What a call says on a sound device, and what it asks of one. */
interface Sound {
  readonly text: string;
  readonly asked: readonly Asked[];
}

/** The run of a setup: what it says on a sound device, and what it asks of one. */
export async function openWalk(device: GPUDevice, setup: SetupName) {
  const below = remembering(device);
  const { model, settings } = setups[setup];
  const sea = seam(below);
  const compiled = (on: Seam): Promise<Trainer> => compile(model, { ...settings, device: on.device });
  const first = await compiled(sea);
  await first.step(slice(data, 8, 16));
  await first.step(slice(data, 16, 24));
  const start = await first.save();
  first.dispose();

  /** A call from the checkpoint, as text. */
  const made = async (on: Seam, trainer: Trainer, name: CallName): Promise<string> => {
    trainer.load(start);
    return textOf(await (calls[name] as Call)(trainer, { device: on.device, model }));
  };

  const sounds = new Map<CallName, Promise<Sound>>();
  const sound = (name: CallName): Promise<Sound> => {
    const known = sounds.get(name) ?? soundly(name);
    sounds.set(name, known);
    return known;
  };
  /** With a seam of its own: what was compiled for the call before it would not be asked for. */
  const soundly = async (name: CallName): Promise<Sound> => {
    const own = seam(below);
    const trainer = await compiled(own);
    own.asked();
    const text = await made(own, trainer, name);
    trainer.dispose();
    return { text, asked: own.asked() };
  };
  const own = seam(below);
  (await compiled(own)).dispose();
  const compiling = own.asked();

  /** What a call asks a device for that a fault can hit. */
  const askedBy = async (call: Place["call"], fault: FaultName): Promise<readonly Asked[]> => {
    const asked = call === "compile" ? compiling : (await sound(call)).asked;
    return asked.filter(({ kind }) => kind === faults[fault].kind);
  };

  return {
    /** All places of a call. */
    async places(call: Place["call"]): Promise<Place[]> {
      const found: Place[] = [];
      for (const fault of lasting) {
        for (const at of (await askedBy(call, fault)).keys()) found.push({ setup, call, fault, at });
      }
      return found;
    },

    /** Runs it with the device failing at that place. */
    async run(place: Place): Promise<Outcome> {
      const { call, fault, at } = place;
      // What is compiled once a device is asked for once.
      const on = faults[fault].kind === "pipeline" ? seam(below) : sea;
      const unhandled: unknown[] = [];
      const listen = (event: PromiseRejectionEvent): void => {
        unhandled.push(event.reason);
        event.preventDefault();
      };
      globalThis.addEventListener("unhandledrejection", listen);
      let trainer: Trainer | undefined;
      let struck: Asked | undefined;
      const found: Found[] = [];
      try {
        if (call !== "compile") trainer = await compiled(on);
        on.arm(fault, at);
        if (call === "compile") {
          const opened = await judge(async () => {
            trainer = await compiled(on);
            return "";
          }, "");
          found.push(opened);
          struck = on.disarm();
          for (const one of trainer === undefined ? [] : names) {
            found.push(await judge(() => made(on, trainer as Trainer, one), (await sound(one)).text));
          }
        } else {
          const { text } = await sound(call);
          found.push(await judge(() => made(on, trainer as Trainer, call), text));
          struck = on.disarm();
          found.push(await judge(() => made(on, trainer as Trainer, call), text));
        }
        await new Promise((resolve) => setTimeout(resolve));
      } finally {
        on.disarm();
        on.asked();
        trainer?.dispose();
        globalThis.removeEventListener("unhandledrejection", listen);
      }
      if (unhandled.length > 0) found.push({ was: "unhandled", message: String(unhandled[0]) });
      const calm: Was = struck === undefined ? "unreached" : "same";
      const worst = found.find(isFault) ?? found.find(({ was }) => was === "typed") ?? { was: calm };
      return { ...place, name: struck?.name ?? "", ...worst };
    },
  };
}
