// Runs in the browser: sequences of calls, and configurations of the update, on the built file, with the reference beside it; and figures
// of networks of others, by the readers as they stand in the sources; and faults of a device, on the sources too.

import type { Measured } from "../foreign/figures.ts";
import { foreignFile } from "../stories/foreign.ts";
import { type Agreement, agreement } from "./agreement.ts";
import type { Engine } from "./config.ts";
import { deviceOf } from "./device.ts";
import { type SetupName, setups } from "./faults/calls.ts";
import { crashOnce } from "./faults/crashes.ts";
import { type Interruption, openInterruptions } from "./faults/interruptions.ts";
import { type Loss, openLosses } from "./faults/losses.ts";
import { names, type Outcome, openWalk, type Place } from "./faults/walk.ts";
import { tryPlaces } from "./places.ts";
import { type Counts, type Found, trySeed } from "./sequence.ts";
import { type Blocks, type Buffers, openSteps } from "./steps.ts";

export interface SequenceTask {
  readonly seeds: readonly number[];
  readonly path?: string | undefined;
  /** Kinds of failures that need not be made shorter any more. */
  readonly known: readonly string[];
}

export interface SequencesDone {
  readonly found: readonly Found[];
  readonly counts: Counts;
}

declare global {
  /** What test/fuzz/main.ts calls here. */
  var runSeeds: (task: SequenceTask) => Promise<SequencesDone>;
  var agree: (number: number) => Promise<Agreement>;
  var faultyCalls: () => readonly Pick<Place, "setup" | "call">[];
  var walkFaults: (place: Pick<Place, "setup" | "call">) => Promise<readonly Outcome[]>;
  var lose: (numbers: readonly number[]) => Promise<readonly Loss[]>;
  var endGpu: (number: number) => Promise<Loss>;
  var interrupt: (numbers: readonly number[]) => Promise<readonly Interruption[]>;
  var goBack: (numbers: readonly number[]) => ReturnType<typeof tryPlaces>;
  var trainOn: (steps: number) => Promise<Buffers & { readonly steps: number; readonly loss: number }>;
  var timeBlocks: (count: number, steps: number) => Promise<Blocks>;
  var disposeOf: (count: number) => Promise<Buffers>;
  var figureNames: () => Promise<readonly string[]>;
  var measureFigure: (name: string) => Promise<readonly Measured[]>;
}

const engine = async (): Promise<Engine> => import(/* @vite-ignore */ `${location.origin}/build/this.js`);

globalThis.runSeeds = async ({ seeds, path, known }) => {
  const { device, complaints } = await deviceOf();
  const found: Found[] = [];
  const counts: Counts = {};
  for (const seed of seeds) {
    const one = await trySeed(await engine(), device, seed, counts, {
      path,
      known: [...known, ...found.map(({ kind, call }) => `${kind}: ${call}`)],
    });
    if (one !== undefined) found.push(one);
    else if (complaints.length > 0) {
      const message = `the device complained: ${complaints.join("\n")}`;
      found.push({ seed, path: "0", kind: "untyped", call: "device", message, sequence: undefined });
    }
    complaints.length = 0;
  }
  device.destroy();
  return { found, counts };
};

globalThis.agree = async (number) => {
  const { device } = await deviceOf();
  try {
    return await agreement(await engine(), device, number);
  } finally {
    device.destroy();
  }
};

globalThis.faultyCalls = () =>
  (Object.keys(setups) as SetupName[]).flatMap((setup) =>
    (["compile", ...names] as const).map((call) => ({ setup, call })),
  );

globalThis.goBack = async (numbers) => {
  const { device } = await deviceOf();
  try {
    return await tryPlaces(device, numbers);
  } finally {
    device.destroy();
  }
};

const walks = new Map<SetupName, ReturnType<typeof openWalk>>();

globalThis.walkFaults = async ({ setup, call }) => {
  const open = async () => openWalk((await deviceOf()).device, setup);
  const known = walks.get(setup) ?? open();
  walks.set(setup, known);
  const walk = await known;
  const outcomes: Outcome[] = [];
  for (const place of await walk.places(call)) outcomes.push(await walk.run(place));
  return outcomes;
};

/** What is tried by number on one device, of which the page keeps what it knows of it. */
function numbered<T>(open: (device: GPUDevice) => (number: number) => Promise<T>) {
  let opened: Promise<(number: number) => Promise<T>> | undefined;
  return async (numbers: readonly number[]): Promise<readonly T[]> => {
    opened ??= deviceOf().then(({ device }) => open(device));
    const run = await opened;
    const found: T[] = [];
    for (const number of numbers) found.push(await run(number));
    return found;
  };
}

globalThis.lose = numbered<Loss>(openLosses);
globalThis.endGpu = crashOnce;
globalThis.interrupt = numbered<Interruption>(openInterruptions);

let lasting: ReturnType<typeof openSteps> | undefined;
const steps = (): ReturnType<typeof openSteps> => {
  lasting ??= Promise.all([engine(), deviceOf()]).then(([made, { device }]) => openSteps(made, device));
  return lasting;
};

globalThis.trainOn = async (count) => (await steps()).train(count);
globalThis.timeBlocks = async (count, each) => (await steps()).blocks(count, each);
globalThis.disposeOf = async (count) => (await steps()).rounds(count);

/** Loaded where they are asked for: sequences need none of them. */
const figures = async () => (await import("../foreign/figures.ts")).figures;

globalThis.figureNames = async () => (await figures()).map(({ name }) => name);

globalThis.measureFigure = async (name) => {
  const { device, complaints } = await deviceOf();
  try {
    const told = await (await figures()).find((figure) => figure.name === name)?.measure(foreignFile, device);
    if (told === undefined || complaints.length > 0) throw new Error(complaints.join("; ") || `no figure "${name}"`);
    return told;
  } finally {
    device.destroy();
  }
};
