// What a soak keeps: plain data for the file, and lines to read.

import type { Agreement } from "./agreement.ts";
import type { Counts, Found } from "./sequence.ts";
import type { TaskRun } from "./tasks.ts";

/** What counts as agreement of a configuration: a hundred-thousandth of the path. */
export const BAR = 1e-5;

export interface Runtime {
  /** A script of package.json. */
  readonly script: string;
  readonly passed: boolean;
  readonly seconds: number;
}

export interface SoakReport {
  readonly date: string;
  readonly commit: string;
  readonly browser: string;
  readonly adapter: string;
  readonly seed: number;
  readonly sequences: {
    readonly asked: number;
    /** Seeds from `seed` on that were run. */
    readonly done: number;
    /** Calls made, by name, those of searches for shorter sequences included. */
    readonly calls: Counts;
    readonly wrong: number;
    readonly untyped: number;
    readonly found: readonly Found[];
  };
  readonly configurations: readonly Agreement[];
  readonly tasks: readonly TaskRun[];
  readonly runtimes: readonly Runtime[];
}

/** Those of the found that are no error of a type: what is wrong in another way. */
export const counted = (found: readonly Found[]) => ({
  wrong: found.filter(({ kind }) => kind !== "untyped").length,
  untyped: found.filter(({ kind }) => kind === "untyped").length,
});

/** A failure, and the command that repeats it. */
export const failure = ({ seed, path, message, sequence }: Found): string =>
  [
    message,
    ...(sequence === undefined ? [] : [`  ${JSON.stringify(sequence)}`]),
    `  npm run soak -- --seed ${seed} --path ${path}`,
  ].join("\n");

export const configurationFailed = ({ worst, restIsKept }: Agreement): boolean => !(worst <= BAR && restIsKept);

/** All of it in a few lines. */
export function summary({ sequences, configurations, tasks, runtimes }: SoakReport): string {
  const made = Object.values(sequences.calls).reduce((sum, count) => sum + count, 0);
  const worst = Math.max(0, ...configurations.map((one) => one.worst));
  const off = configurations.filter(configurationFailed).length;
  const byKind = new Map<string, number>();
  for (const { kind, call } of sequences.found) {
    byKind.set(`${kind}: ${call}`, (byKind.get(`${kind}: ${call}`) ?? 0) + 1);
  }
  return [
    ...(sequences.done === 0
      ? []
      : [
          `${sequences.done} of ${sequences.asked} sequences, ${made} calls: ${sequences.wrong} wrong, ${sequences.untyped} untyped`,
        ]),
    ...[...byKind].sort(([, a], [, b]) => b - a).map(([name, count]) => `  ${count}  ${name}`),
    ...(configurations.length === 0
      ? []
      : [
          `${configurations.length} configurations: at most ${worst.toExponential(1)} of the path off, ${off} above ${BAR.toExponential(0)}`,
        ]),
    ...(tasks.length === 0
      ? []
      : [`${tasks.filter(({ passed }) => passed).length} of ${tasks.length} tasks learnt what they should`]),
    ...runtimes.map(({ script, passed, seconds }) => `${script}: ${passed ? "passed" : "FAILED"} in ${seconds} s`),
  ].join("\n");
}

export const hasFailed = ({ sequences, configurations, tasks, runtimes }: SoakReport): boolean =>
  sequences.found.length > 0 ||
  configurations.some(configurationFailed) ||
  tasks.some(({ passed }) => !passed) ||
  runtimes.some(({ passed }) => !passed);
