// Random places of a long training: each is gone back to and compared with the checkpoint of a run that never went anywhere, and left without
// a change, which has to lead to the end of that run.

import { branches } from "../../src/branches/index.ts";
import {
  adamw,
  batchNorm,
  compile,
  crossEntropy,
  decodeSafetensors,
  dense,
  dropout,
  oneCycle,
  relu,
  sequential,
  type Trainer,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import type { PlaceOutcome, TimelineSize } from "./places-report.ts";

/** Steps of the training, and between two snapshots. */
const [STEPS, EVERY] = [1500, 1000];

const data = {
  x: Float32Array.from({ length: 300 * 8 }, (_, i) => uniform(11, i) - 0.5),
  y: Uint8Array.from({ length: 300 }, (_, i) => Math.floor(uniform(12, i) * 3)),
};

/** Running statistics, random numbers, means of the weights, moments and a schedule. */
const open = (device: GPUDevice): Promise<Trainer> =>
  compile(
    sequential({ stem: [dense(16), batchNorm(), relu(), dropout(0.2)], body: [dense(16), relu()], head: dense(3) }),
    {
      ...{ device, input: [8], batch: 32, seed: 3, averaging: 0.99, loss: crossEntropy() },
      ...{ optimizer: adamw({ lr: 3e-3 }), schedule: oneCycle({ steps: STEPS }) },
    },
  );

/** Changes on the way, after a step. */
function change({ rates }: Trainer, step: number): void {
  if (step === 200) rates.freeze("stem");
  if (step === 610) rates.unfreeze("stem");
  if (step === 1000) rates.scale("head", 0.5);
  if (step === 1290) rates.set("body.**", { lr: 1e-3, weightDecay: 0.1 });
}

/** Weights, moments, means and states by name. */
const bitsOf = (bytes: Uint8Array): string =>
  JSON.stringify(
    [...decodeSafetensors(bytes).tensors].map(([name, { data }]) => [
      name,
      Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    ]),
  );

const stepOf = (number: number): number => Math.floor(uniform(977, number) * (STEPS + 1));

/** Goes to the places of these numbers, on a training that is made for them. */
export async function tryPlaces(
  device: GPUDevice,
  numbers: readonly number[],
): Promise<{ readonly size: TimelineSize; readonly outcomes: readonly PlaceOutcome[] }> {
  const straight = await open(device);
  const wanted = new Set(numbers.map(stepOf));
  const bits = new Map<number, string>([[0, bitsOf(await straight.save())]]);
  const losses: number[] = [];
  await straight.fit(data, {
    steps: STEPS,
    lockstep: true,
    onStep({ step, loss }) {
      losses.push(loss);
      change(straight, step);
      if (!wanted.has(step) && step !== STEPS) return undefined;
      return straight.save().then((bytes) => void bits.set(step, bitsOf(bytes)));
    },
  });
  straight.dispose();

  const trainer = await open(device);
  const timeline = await branches(trainer, { every: EVERY });
  await timeline.fit(data, { steps: STEPS, lockstep: true, onStep: ({ step }) => change(trainer, step) });
  const outcomes: PlaceOutcome[] = [];
  for (const number of numbers) {
    const step = stepOf(number);
    const place = timeline.at(step);
    const replayed = await place.visit();
    const wrong: string[] = [];
    if (replayed !== step % EVERY) wrong.push(`${replayed} steps made again, not ${step % EVERY}`);
    if (bitsOf(await trainer.save()) !== bits.get(step)) wrong.push(`other bits after step ${step}`);
    const branch = await place.branch();
    if (bitsOf(await trainer.save()) !== bits.get(STEPS)) wrong.push(`other bits at the end`);
    if (String(branch.losses()) !== String(losses)) wrong.push("other losses");
    outcomes.push({ number, step, replayed, wrong: wrong.join(", ") });
  }
  const { snapshots } = timeline;
  const bytes = snapshots.reduce((sum, one) => sum + one.bytes, 0);
  const checkpoint = (await trainer.save()).length;
  trainer.dispose();
  return { outcomes, size: { steps: STEPS, every: EVERY, snapshots: snapshots.length, bytes, checkpoint } };
}
