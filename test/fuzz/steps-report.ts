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

/**
 * Bytes that the heap grows by from one stand to the next, in the median of the second half. What leaves something behind does so in each
 * part, while code that is compiled late shows in a few.
 */
export function growthOf(stands: readonly Pick<Stand, "heap">[]): number {
  const late = stands.slice(stands.length >> 1).map(({ heap }) => heap);
  const grown = late.slice(1).map((heap, i) => heap - (late[i] as number));
  return grown.sort((a, b) => a - b)[grown.length >> 1] ?? 0;
}

/** Throughput of the old trainer as a part of the fresh one's, pair by pair, and the half of the mean's 95 % interval. */
export function throughputOf({ old, fresh }: Blocks): { readonly part: number; readonly half: number } {
  const parts = old.map((milliseconds, i) => (fresh[i] as number) / milliseconds);
  const part = mean(parts);
  const variance = parts.reduce((sum, one) => sum + (one - part) ** 2, 0) / Math.max(1, parts.length - 1);
  return { part, half: 2.05 * Math.sqrt(variance / parts.length) };
}

/** What reading the heap may leave itself: of 2,500 steps, a tenth of a byte each. */
const MOST_GROWTH = 256;

/** What is wrong, in words. */
export function stepsFaults({ stands, blocks, rounds }: StepsReport): readonly string[] {
  const [first, last] = [stands[0], stands.at(-1)];
  const found: string[] = [];
  if (first !== undefined && last !== undefined && (first.alive !== last.alive || first.made !== last.made))
    found.push(
      `${first.alive} buffers of ${first.made} at step ${first.steps}, ${last.alive} of ${last.made} at ${last.steps}`,
    );
  if (stands.some(({ loss }) => !Number.isFinite(loss))) found.push("a loss is not finite");
  const growth = growthOf(stands);
  if (growth > MOST_GROWTH) found.push(`the heap grows by ${growth} bytes from one part to the next`);
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
  const told = blocks && throughputOf(blocks);
  return [
    `${last.steps} steps: ${last.alive} buffers, ${last.made} made; the heap grows by ${growthOf(stands)} bytes from one part to the next`,
    ...(told
      ? [
          `throughput ${(100 * told.part).toFixed(1)} +- ${(100 * told.half).toFixed(1)} % of a fresh trainer's, ${blocks?.old.length} blocks`,
        ]
      : []),
    ...(rounds ? [`${rounds.count} trainers compiled, trained and disposed of: ${rounds.alive} buffers left`] : []),
    ...stepsFaults(report),
  ];
}
