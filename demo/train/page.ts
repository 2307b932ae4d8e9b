// Runs in the browser: trains the network when demo/train/main.ts asks for it, says all the while where it stands, and
// counts what a steady step asks of WebGPU.

import { constant, type LayerRow, type MemoryReport, type Trainer } from "../../src/index.ts";
import { loadDigits } from "../digits.ts";
import { classifiers } from "../models/index.ts";
import type { Classifier } from "../models/names.ts";
import { compileDigits } from "../network.ts";
import { type Counter, type Counts, perStep, startCounting } from "./count.ts";
import { createMeter, type Tick } from "./meter.ts";

export interface Task {
  readonly network: Classifier;
  readonly images: number;
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly layerDecay: number;
  readonly freeze: string | undefined;
  readonly seed: number;
  /** The checkpoint to go on from. */
  readonly resume: Uint8Array | undefined;
}

export interface Trained {
  readonly adapter: string;
  readonly stopped: boolean;
  /** Updates in all, and those of this run. */
  readonly steps: number;
  readonly stepsHere: number;
  readonly lossFirst: number;
  readonly lossLast: number;
  readonly imagesPerSecond: number;
  readonly perStep: Counts;
  readonly checkpoint: Uint8Array;
}

export interface Tested {
  readonly accuracy: number;
  readonly loss: number;
  readonly samples: number;
  readonly parameters: number;
  readonly layers: readonly LayerRow[];
  readonly memory: MemoryReport;
}

declare global {
  /** What demo/train/main.ts calls here, in this order, and what this page calls there. */
  var trainNetwork: (task: Task) => Promise<Trained>;
  var stopTraining: () => void;
  var testNetwork: () => Promise<Tested>;
  var showProgress: (tick: Tick) => Promise<void>;
}

/** Steps in which pipelines are compiled and buffers made: neither counted nor timed. */
const FIRST_STEPS = 2;
/** Milliseconds between two calls of `showProgress`. */
const BETWEEN_TICKS = 100;

const stop = new AbortController();
globalThis.stopTraining = () => stop.abort();

let trainer: Trainer;

globalThis.trainNetwork = async (task) => {
  const counter = startCounting(); // before there is a device
  const digits = await loadDigits("train", task.images);
  trainer = await compileDigits({ ...task, model: classifiers[task.network]() });
  if (task.resume !== undefined) trainer.load(task.resume);
  if (task.freeze !== undefined) trainer.rates.freeze(task.freeze);

  const start = trainer.steps;
  const perEpoch = Math.ceil(task.images / task.batch);
  const meter = createMeter({ ...task, perEpoch });
  const steady = steadyState(counter);
  let shown = Number.NEGATIVE_INFINITY;
  let showing: Promise<void> | undefined;

  for (let stopped = true; stopped && !stop.signal.aborted; ) {
    ({ stopped } = await trainer.fit(digits, {
      epochs: task.epochs,
      resume: true,
      signal: stop.signal,
      onStep(result) {
        const tick = meter.add(result);
        // Counting begins between two fits, where no step is under way.
        if (result.step === start + FIRST_STEPS) trainer.stop();
        if (performance.now() - shown < BETWEEN_TICKS && result.step < perEpoch * task.epochs) return;
        shown = performance.now();
        showing = showProgress(tick);
      },
    }));
    steady.begin();
    meter.startTiming();
  }

  const counts = steady.end();
  await showing;
  return {
    ...meter.summary(),
    adapter: trainer.adapter,
    stopped: stop.signal.aborted,
    steps: trainer.steps,
    stepsHere: trainer.steps - start,
    perStep: counts,
    checkpoint: await trainer.save(),
  };
};

/** Counts per step from `begin` to `end`. */
function steadyState(counter: Counter) {
  let first: { readonly counts: Counts; readonly steps: number } | undefined;
  return {
    begin(): void {
      first ??= { counts: counter.read(), steps: trainer.steps };
    },
    end(): Counts {
      const last = counter.read();
      counter.stop();
      return perStep(first?.counts ?? last, last, trainer.steps - (first?.steps ?? trainer.steps));
    },
  };
}

globalThis.testNetwork = async () => {
  const result = await trainer.evaluate(await loadDigits("test"));
  trainer.rates.set("**", { schedule: constant() }); // the table is to show the rates that the schedule scaled
  return {
    ...result,
    parameters: trainer.network.parameterCount,
    layers: trainer.rates.table(),
    memory: trainer.memory(),
  };
};
