// Random places of a long training: each is gone back to and compared with the checkpoint of a run that never went anywhere, and left without
// a change, which has to lead to the end of that run. What is kept of it, and lines to read.

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

/** Steps of the training, and between two snapshots. */
const [STEPS, EVERY] = [1500, 1000];

/** What came of a place. */
export interface PlaceOutcome {
  readonly number: number;
  readonly step: number;
  /** Steps that were made again to reach it. */
  readonly replayed: number;
  /** What was not as it was; empty where all bits are. */
  readonly wrong: string;
}

/** Snapshots that the training left. */
export interface TimelineSize {
  readonly steps: number;
  readonly every: number;
  readonly snapshots: number;
  /** Of all of them, and of one checkpoint of the trainer. */
  readonly bytes: number;
  readonly checkpoint: number;
}

export interface PlacesReport {
  readonly asked: number;
  readonly done: number;
  readonly size?: TimelineSize;
  /** Steps made again, over all places, and at most. */
  readonly replayed: number;
  readonly most: number;
  readonly found: readonly PlaceOutcome[];
}

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

export const noPlaces = (asked: number): PlacesReport => ({ asked, done: 0, replayed: 0, most: 0, found: [] });

/** With more places. */
export function withPlaces(report: PlacesReport, size: TimelineSize, outcomes: readonly PlaceOutcome[]): PlacesReport {
  const replayed = outcomes.map((one) => one.replayed);
  return {
    asked: report.asked,
    done: report.done + outcomes.length,
    size,
    replayed: replayed.reduce((sum, one) => sum + one, report.replayed),
    most: Math.max(report.most, ...replayed),
    found: [...report.found, ...outcomes.filter(({ wrong }) => wrong !== "")],
  };
}

export const placeFailure = ({ number, step, wrong }: PlaceOutcome): string =>
  `place ${number}, step ${step}: ${wrong}\n  npm run soak -- --only branches --places 1 --seed ${number} --fresh`;

export function placesSummary({ asked, done, size, replayed, most, found }: PlacesReport): string[] {
  if (size === undefined) return [];
  const { steps, snapshots, bytes } = size;
  return [
    `${done - found.length} of ${done} places have their bits, of ${asked} asked: ${replayed} steps made again, at most ${most}; ${snapshots} snapshots of ${steps} steps, ${bytes} bytes`,
  ];
}
