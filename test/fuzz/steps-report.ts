// What a soak keeps of training that lasts, and what of it is wrong.

import type { Blocks, Buffers } from "./steps.ts";

/** Buffers and heap after so many steps, once garbage is collected. */
export interface Stand extends Buffers {
  readonly steps: number;
  readonly loss: number;
  /** Bytes of JavaScript. */
  readonly heap: number;
}

export interface StepsReport {
  readonly asked: number;
  /** From step 10 on. */
  readonly stands: readonly Stand[];
  readonly blocks: Blocks | undefined;
  /** Trainers that were compiled, trained and disposed of one after the other, and the buffers that were left. */
  readonly rounds: (Buffers & { readonly count: number }) | undefined;
}

export const noSteps = (asked: number): StepsReport => ({ asked, stands: [], blocks: undefined, rounds: undefined });

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Bytes of heap a step by least squares, over the second half, when code is compiled; and the half of its 95 % interval. */
export function slopeOf(stands: readonly Pick<Stand, "steps" | "heap">[]): {
  readonly slope: number;
  readonly half: number;
} {
  const late = stands.slice(stands.length >> 1);
  const [x, y] = [mean(late.map(({ steps }) => steps)), mean(late.map(({ heap }) => heap))];
  const spread = late.reduce((sum, { steps }) => sum + (steps - x) ** 2, 0);
  const slope = late.reduce((sum, { steps, heap }) => sum + (steps - x) * (heap - y), 0) / spread;
  const rest = late.reduce((sum, { steps, heap }) => sum + (heap - y - slope * (steps - x)) ** 2, 0);
  return { slope, half: 2.1 * Math.sqrt(rest / Math.max(1, late.length - 2) / spread) };
}

/** Throughput of the old trainer as a part of the fresh one's, pair by pair, and the half of the mean's 95 % interval. */
export function throughputOf({ old, fresh }: Blocks): { readonly part: number; readonly half: number } {
  const parts = old.map((milliseconds, i) => (fresh[i] as number) / milliseconds);
  const part = mean(parts);
  const variance = parts.reduce((sum, one) => sum + (one - part) ** 2, 0) / Math.max(1, parts.length - 1);
  return { part, half: 2.05 * Math.sqrt(variance / parts.length) };
}

/** A slope that is no more than chance makes, or than a byte in ten steps, is none. */
const MOST_SLOPE = 0.1;

/** What is wrong, in words. */
export function stepsFaults({ stands, blocks, rounds }: StepsReport): readonly string[] {
  const [first, last] = [stands[0], stands.at(-1)];
  const found: string[] = [];
  if (first !== undefined && last !== undefined && (first.alive !== last.alive || first.made !== last.made))
    found.push(
      `${first.alive} buffers of ${first.made} at step ${first.steps}, ${last.alive} of ${last.made} at ${last.steps}`,
    );
  if (stands.some(({ loss }) => !Number.isFinite(loss))) found.push("a loss is not finite");
  if (stands.length >= 8) {
    const { slope, half } = slopeOf(stands);
    if (slope > MOST_SLOPE && slope > half)
      found.push(`the heap grows by ${slope.toFixed(2)} +- ${half.toFixed(2)} bytes a step`);
  }
  if (blocks !== undefined) {
    const { part, half } = throughputOf(blocks);
    if (part < 0.98 && part + half < 1)
      found.push(`throughput is ${(100 * part).toFixed(1)} +- ${(100 * half).toFixed(1)} % of a fresh trainer's`);
  }
  if (rounds !== undefined && rounds.alive !== 0)
    found.push(`${rounds.alive} buffers are left of ${rounds.count} trainers`);
  return found;
}

/** All of it in a few lines. */
export function stepsSummary(report: StepsReport): readonly string[] {
  const { stands, blocks, rounds } = report;
  const last = stands.at(-1);
  if (last === undefined) return [];
  const { slope, half } = slopeOf(stands);
  const told = blocks && throughputOf(blocks);
  return [
    `${last.steps} steps: ${last.alive} buffers, ${last.made} made; heap ${slope.toFixed(3)} +- ${half.toFixed(3)} bytes a step`,
    ...(told
      ? [
          `throughput ${(100 * told.part).toFixed(1)} +- ${(100 * told.half).toFixed(1)} % of a fresh trainer's, ${blocks?.old.length} blocks`,
        ]
      : []),
    ...(rounds ? [`${rounds.count} trainers compiled, trained and disposed of: ${rounds.alive} buffers left`] : []),
    ...stepsFaults(report),
  ];
}
