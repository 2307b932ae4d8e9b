// What a soak keeps: plain data for the file, and lines to read.

import type { Measured } from "../foreign/figures.ts";
import type { Agreement } from "./agreement.ts";
import {
  type FaultsReport,
  faultsSummary,
  type InterruptionsReport,
  interruptionsSummary,
  type LossesReport,
  lossesSummary,
} from "./faults/report.ts";
import { type PlacesReport, placesSummary } from "./places-report.ts";
import { type ReadersReport, readersSummary } from "./reader/report.ts";
import type { Counts, Found } from "./sequence.ts";
import { type StepsReport, stepsFaults, stepsSummary } from "./steps-report.ts";
import type { TaskRun } from "./tasks.ts";

/** What counts as agreement of a configuration: a hundred-thousandth of the path. */
export const BAR = 1e-5;

export interface Runtime {
  /** A script of package.json. */
  readonly script: string;
  readonly passed: boolean;
  readonly seconds: number;
}

/** What came of a figure: beside the published ones, or why there is none. */
export interface FigureRun {
  readonly name: string;
  readonly seconds: number;
  readonly measured: readonly Measured[];
  readonly message?: string;
}

export interface SoakReport {
  readonly date: string;
  readonly commit: string;
  /** Undefined where nothing ran in one. */
  readonly browser?: string | undefined;
  readonly adapter?: string | undefined;
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
  readonly readers: ReadersReport;
  readonly figures: readonly FigureRun[];
  readonly tasks: readonly TaskRun[];
  readonly runtimes: readonly Runtime[];
  readonly faults: FaultsReport;
  readonly losses: LossesReport;
  /** Ends of the GPU process are losses too. */
  readonly crashes: LossesReport;
  readonly interruptions: InterruptionsReport;
  readonly places: PlacesReport;
  readonly steps: StepsReport;
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

export const isPublished = ({ found, published, within }: Measured): boolean => Math.abs(found - published) <= within;
export const figureFailed = ({ measured, message }: FigureRun): boolean =>
  message !== undefined || !measured.every(isPublished);

/** A figure beside what was published. */
export const figureLine = (name: string, one: Measured): string => {
  const [found, published] = [one.found, one.published].map((value) => Number(value.toPrecision(4)));
  return `${name}: ${one.what}: ${found}, published ${published}${isPublished(one) ? "" : `, more than ${one.within} apart`}`;
};

/** All of it in a few lines. */
export function summary(report: SoakReport): string {
  const { sequences, configurations, readers, figures, tasks, runtimes } = report;
  const { faults, losses, crashes, interruptions, places, steps } = report;
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
    ...readersSummary(readers),
    ...(figures.length === 0
      ? []
      : [`${figures.filter((one) => !figureFailed(one)).length} of ${figures.length} networks have their figures`]),
    ...(tasks.length === 0
      ? []
      : [`${tasks.filter(({ passed }) => passed).length} of ${tasks.length} tasks learnt what they should`]),
    ...runtimes.map(({ script, passed, seconds }) => `${script}: ${passed ? "passed" : "FAILED"} in ${seconds} s`),
    ...faultsSummary(faults),
    ...lossesSummary(losses),
    ...lossesSummary(crashes, "ends of the GPU process"),
    ...interruptionsSummary(interruptions),
    ...placesSummary(places),
    ...stepsSummary(steps),
  ].join("\n");
}

export const hasFailed = (report: SoakReport): boolean =>
  [
    report.sequences,
    report.readers,
    report.faults,
    report.losses,
    report.crashes,
    report.interruptions,
    report.places,
  ].some(({ found }) => found.length > 0) ||
  report.configurations.some(configurationFailed) ||
  report.figures.some(figureFailed) ||
  report.tasks.some(({ passed }) => !passed) ||
  report.runtimes.some(({ passed }) => !passed) ||
  stepsFaults(report.steps).length > 0;
