// Runs in the browser: a step of one size of an axis, timed on the adapter, and its part on the host, timed with a device that does
// nothing.

import { adam as numbers } from "../../../demo/bench/engine.ts";
import type { Axis, ScaleRow } from "../../../demo/bench/scale.ts";
import { milliseconds } from "../../../demo/bench/timing.ts";
import { noise } from "../../../demo/bench/workload.ts";
import {
  adam,
  type CompileOptions,
  compile,
  crossEntropy,
  dense,
  type Layer,
  relu,
  sequential,
  type Trainer,
  transformerBlock,
} from "../../../src/index.ts";
import { dispatchesOf } from "../../../src/step/record.ts";
import { countingDevice } from "../../node/counting-device.ts";

export interface ScaleTask {
  readonly axis: Axis;
  readonly size: number;
  readonly rounds: number;
  /** Steps of a timed block. */
  readonly steps: number;
}

declare global {
  /** What test/bench/main.ts calls here for `--only scale`. */
  var measureScale: (task: ScaleTask) => Promise<ScaleRow>;
}

interface Form {
  readonly model: Layer;
  readonly input: readonly number[];
  readonly batch: number;
  /** Labels of a sample. */
  readonly labels: number;
}

const CLASSES = 10;

const layers = (depth: number, width: number): Layer =>
  sequential([...Array.from({ length: depth }, () => [dense(width), relu()]).flat(), dense(CLASSES)]);

const forms: Readonly<Record<Axis, (size: number) => Form>> = {
  depth: (size) => ({ model: layers(size, 64), input: [64], batch: 32, labels: 1 }),
  width: (size) => ({ model: layers(4, size), input: [size], batch: 32, labels: 1 }),
  batch: (size) => ({ model: layers(4, 64), input: [64], batch: size, labels: 1 }),
  sequence: (size) => ({
    model: sequential([transformerBlock({ heads: 4, causal: true }), dense(CLASSES)]),
    ...{ input: [size, 64], batch: 4, labels: size },
  }),
};

/** Batches in a row, so that none is the last one's. */
const BATCHES = 4;

const trainerOf = ({ model, input, batch }: Form, given: Pick<CompileOptions, "device">): Promise<Trainer> =>
  compile(model, {
    ...{ ...given, input, batch, loss: crossEntropy() },
    optimizer: adam({ lr: numbers.lr, betas: [numbers.beta1, numbers.beta2], eps: numbers.epsilon }),
  });

function dataOf({ input, batch, labels }: Form) {
  const count = BATCHES * batch;
  const values = input.reduce((a, b) => a * b, 1);
  return {
    x: Float32Array.from({ length: count * values }, (_, i) => noise(1, i) / 2 ** 32 - 0.5),
    y: Uint32Array.from({ length: count * labels }, (_, i) => noise(2, i) % CLASSES),
  };
}

/** Milliseconds of a step in each of some blocks. What compiles or settles comes before. */
async function timed(trainer: Trainer, form: Form, { rounds, steps }: Pick<ScaleTask, "rounds" | "steps">) {
  const data = trainer.upload(dataOf(form));
  const block = (): Promise<unknown> => trainer.fit(data, { steps, shuffle: false, resume: true });
  await block();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push((await milliseconds(block)) / steps);
  return times;
}

/** Steps of a block on the host alone: enough for a coarse clock, and for what a fit begins with to count for nothing. */
const HOST_STEPS = 1600;

globalThis.measureScale = async ({ axis, size, rounds, steps }) => {
  const form = forms[axis](size);
  await progress(`scale: ${axis} ${size}`);
  const trainer = await trainerOf(form, {});
  const ms = await timed(trainer, form, { rounds, steps });
  const { planned, lowerBound } = trainer.memory();
  const dispatches = dispatchesOf(trainer.recording());
  const { device } = countingDevice(trainer.software ? "software" : "gpu");
  trainer.dispose();
  let alone = undefined as Trainer | undefined;
  const planMs = await milliseconds(async () => {
    alone = await trainerOf(form, { device });
  });
  const host = await timed(alone as Trainer, form, { rounds, steps: HOST_STEPS });
  return {
    ...{ axis, size, ms, hostMicroseconds: host.map((time) => 1000 * time), planMs, dispatches },
    ...{ plannedBytes: planned, leastBytes: lowerBound },
  };
};
