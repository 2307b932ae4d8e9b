// Runs in the browser: opens the task and trains it when demo/train/main.ts asks for it, says all the while where it stands, and
// counts what a steady step asks of WebGPU.

import { createMeter, type Tick } from "../../src/callbacks/meter.ts";
import { constant, type LayerRow, type MemoryReport } from "../../src/index.ts";
import { tasks } from "../tasks/index.ts";
import type { TaskName } from "../tasks/table.ts";
import type { Run, Settings, Shown, Tested } from "../tasks/task.ts";
import { type Counter, type Counts, startCounting, steadyCounts } from "./count.ts";

export interface Asked extends Omit<Settings, "device"> {
  readonly task: TaskName;
  readonly freeze: string | undefined;
  /** The checkpoint to go on from. */
  readonly resume: Uint8Array | undefined;
}

export interface Opened {
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly samples: number;
}

export interface Trained {
  readonly adapter: string;
  readonly stopped: boolean;
  /** Updates in all, and those of this run. */
  readonly steps: number;
  readonly stepsHere: number;
  readonly lossFirst: number;
  readonly lossLast: number;
  readonly stepsPerSecond: number;
  readonly perStep: Counts;
  readonly checkpoint: Uint8Array;
}

export interface Looked {
  readonly tested: Tested;
  readonly shown: Shown;
  readonly parameters: number;
  readonly layers: readonly LayerRow[];
  readonly memory: MemoryReport;
}

declare global {
  /** What demo/train/main.ts calls here, in this order, and what this page calls there. */
  var openTask: (asked: Asked) => Promise<Opened>;
  var trainTask: () => Promise<Trained>;
  var stopTraining: () => void;
  var testTask: () => Promise<Looked>;
  var showProgress: (tick: Tick) => Promise<void>;
  var showLook: (shown: Shown) => Promise<void>;
}

/** Steps in which pipelines are compiled and buffers made: neither counted nor timed. */
const FIRST_STEPS = 2;
/** Milliseconds between two calls of `showProgress`. */
const BETWEEN_TICKS = 100;
/** A look at what it can do is taken at each of these parts of the way; the last one is the test. */
const LOOKS = [0.25, 0.5, 0.75];

const stop = new AbortController();
globalThis.stopTraining = () => stop.abort();

let run: Run;
let counter: Counter;

globalThis.openTask = async ({ task, freeze, resume, ...settings }) => {
  counter = startCounting(); // before there is a device
  run = await tasks[task](settings);
  if (resume !== undefined) run.trainer.load(resume);
  if (freeze !== undefined) run.trainer.rates.freeze(freeze);
  const { steps, stepsPerEpoch, samples } = run;
  return { steps, stepsPerEpoch, samples };
};

globalThis.trainTask = async () => {
  const { trainer, steps, stepsPerEpoch } = run;
  const start = trainer.steps;
  const meter = createMeter({ steps, stepsPerEpoch });
  const counts = steadyCounts(counter);
  let shown = Number.NEGATIVE_INFINITY;
  let showing: Promise<void> | undefined;

  const looks = LOOKS.map((part) => Math.round(part * steps));
  const halts = [...new Set([start + FIRST_STEPS, ...looks, steps])].sort((a, b) => a - b);
  for (const halt of halts.filter((step) => step > start && step <= steps)) {
    const from = trainer.steps;
    const steady = from >= start + FIRST_STEPS;
    const counted = from === start + FIRST_STEPS; // a look may take more memory, and the step after it other bindings
    if (counted) counts.begin();
    if (steady) meter.begin();
    await run.train(halt, {
      signal: stop.signal,
      onStep(result) {
        const tick = meter.add(result);
        if (performance.now() - shown < BETWEEN_TICKS && result.step < steps) return;
        shown = performance.now();
        showing = showProgress(tick);
      },
    });
    meter.end();
    if (counted) counts.end(trainer.steps - from);
    if (stop.signal.aborted) break;
    if (looks.includes(halt) && halt < steps) {
      await showing;
      await showLook(await run.show());
    }
  }

  counter.stop();
  await showing;
  return {
    ...meter.summary(),
    adapter: trainer.adapter,
    stopped: stop.signal.aborted,
    steps: trainer.steps,
    stepsHere: trainer.steps - start,
    perStep: counts.perStep(),
    checkpoint: await trainer.save(),
  };
};

globalThis.testTask = async () => {
  const { trainer } = run;
  const [tested, shown] = [await run.test(), await run.show()];
  trainer.rates.set("**", { schedule: constant() }); // the table is to show the rates that the schedule scaled
  return {
    ...{ tested, shown },
    parameters: trainer.network.parameterCount,
    layers: trainer.rates.table(),
    memory: trainer.memory(),
  };
};
