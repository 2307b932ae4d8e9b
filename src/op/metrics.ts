// Where the forward pass ends: one slot of the metrics, which the host reads.

import source from "../../shaders/metrics.wgsl?raw";
import finite from "../../shaders/parts/finite.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import type { Kernel } from "./op.ts";
import { defineOp } from "./op.ts";
import { dims } from "./tensor.ts";

type Attributes = {
  /** A loss before it has begun the slot. */
  readonly later?: boolean;
  /** It is a report, and no part of the loss. */
  readonly silent?: boolean;
  /** Its number among the reports; left out where it is none. */
  readonly report?: number;
  /** Reports of a step. */
  readonly reports?: number;
  /** Layers, whose alarms stand between the slots and the reports. */
  readonly layers?: number;
};

/** Steps that may share one submission. */
export const MOST_STEPS = 16;

const padded = (words: number): number => Math.ceil(words / 4) * 4;

/** Words in front of the alarms: the status and MOST_STEPS slots. */
export const ALARMS = 4 * (MOST_STEPS + 1);

/** Words of a report. */
export const REPORT_WORDS = 4;

/** The word at which the reports of the first step begin; see `metrics.wgsl`. */
export const reportsAt = (layers: number): number => ALARMS + padded(layers);

/** The word at which the counts of a submission begin, behind the reports of its steps. */
export const countsAt = (layers: number, reports: number): number =>
  reportsAt(layers) + reports * MOST_STEPS * REPORT_WORDS;

/** The word at which the losses of the samples of the first step begin, behind all counts. */
export const lossesAt = (layers: number, reports: number, counts: number): number =>
  countsAt(layers, reports) + padded(counts);

const kernel: Kernel<"rows" | "metrics"> = {
  name: "metrics",
  source,
  beside: true,
  choose({ tensors: { rows }, attributes, halts }) {
    const { later = false, silent = false, report, reports = 0, layers = 0 } = attributes as Attributes;
    const reported = report !== undefined;
    return {
      holes: { STEP: step, FINITE: finite, HALTING: halts, LATER: later, LOSS: !silent, REPORTED: reported },
      constants: {
        BATCH: rows.shape[0] as number,
        ...(reported && { FIRST: reportsAt(layers), REPORTS: reports, REPORT: report }),
      },
      grid: [1, 1, 1],
      note: dims(rows),
    };
  },
};

/** [R, 2] -> step, mean loss over the step's samples, hits, and labels that do not count; or a report of all but the step. */
export const metrics = defineOp({
  name: "metrics",
  inputs: ["rows"],
  outputs: ["metrics"],
  shape: (_, __: Attributes) => ({ metrics: { shape: [4], suffix: "metrics", role: "metrics" } }),
  kernel,
});
