// What a training reports in the end: plain data for --json, and the same as text to read.

import { duration, number } from "../../src/callbacks/terminal.ts";
import type { LayerRow, MemoryReport } from "../../src/index.ts";
import type { Origin } from "../origin.ts";
import type { Counts } from "./count.ts";
import type { Looked, Opened, Trained } from "./page.ts";

export interface Report extends Origin {
  readonly task: string;
  /** That it was trained on. */
  readonly samples: number;
  readonly batch: number;
  /** From the first sample read to the last step, compilation and what was looked at on the way included. */
  readonly seconds: number;
  /** On samples that it never saw. */
  readonly test: Readonly<Record<string, number>>;
  /** Of the first and the last step of this run. */
  readonly lossFirst: number;
  readonly lossLast: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  readonly parameters: number;
  /** `lr` is the rate that the schedule scales: the highest of the training. */
  readonly layers: readonly Pick<LayerRow, "name" | "parameterCount" | "state" | "lr" | "weightDecay">[];
  /** Of the steps after the first ones. */
  readonly perStep: Counts;
  /** Bytes of activations. */
  readonly memory: MemoryReport;
}

/** What was asked for, what came of it, and how long it took. */
export interface Run {
  readonly task: string;
  readonly batch: number;
  readonly size: Opened;
  readonly trained: Trained;
  readonly seconds: number;
}

export function reportOf(origin: Origin, { task, batch, size, trained, seconds }: Run, looked: Looked): Report {
  const { lossFirst, lossLast, steps, stepsPerSecond, perStep } = trained;
  const layers = looked.layers.map(({ name, parameterCount, state, lr, weightDecay }) => ({
    name,
    parameterCount,
    state,
    lr,
    weightDecay,
  }));
  const { planned, naive, lowerBound } = looked.memory;
  return {
    ...origin,
    task,
    samples: size.samples,
    batch,
    seconds,
    test: { ...looked.tested.figures, samples: looked.tested.samples },
    lossFirst,
    lossLast,
    steps,
    stepsPerSecond,
    parameters: looked.parameters,
    layers,
    perStep,
    memory: { planned, naive, lowerBound },
  };
}

const count = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 2 });
const bytes = (value: number): string =>
  value < 1e6 ? `${(value / 1e3).toFixed(0)} kB` : `${(value / 1e6).toFixed(2)} MB`;
const short = (value: number): string => `${Number(value.toPrecision(3))}`;

/** The report as lines of text, below what the test found. */
export function describe(report: Report, verdict: string): string {
  const { perStep, memory, parameters } = report;
  return [
    verdict,
    "",
    layerTable(report),
    "",
    `Time       ${duration(report.seconds)} on ${report.adapter}, ${report.processor}`,
    `Speed      ${number(report.stepsPerSecond)} steps/s`,
    `Network    ${count(parameters)} parameters in ${report.layers.length} layers`,
    `Per step   ${calls(perStep)}`,
    `Memory     activations ${bytes(memory.planned)} planned, ${bytes(memory.naive)} naive, ${bytes(memory.lowerBound)} lower bound`,
  ].join("\n");
}

function calls({ dispatches, submits, createBuffer, createBindGroup, createComputePipeline }: Counts): string {
  if (Number.isNaN(dispatches)) return "not counted: there were too few steps";
  const made = `${count(createBuffer)} buffers, ${count(createBindGroup)} bind groups, ${count(createComputePipeline)} pipelines`;
  return `${count(dispatches)} dispatches, ${count(submits)} submits; ${made} made`;
}

/** One row for each layer. Words stand left in their column, numbers right. */
function layerTable({ layers }: Report): string {
  const columns = [
    { title: "layer", cells: layers.map(({ name }) => name), words: true },
    { title: "parameters", cells: layers.map(({ parameterCount }) => count(parameterCount)) },
    { title: "state", cells: layers.map(({ state }) => state), words: true },
    { title: "peak lr", cells: layers.map(({ lr }) => short(lr)) },
    { title: "weight decay", cells: layers.map(({ weightDecay }) => short(weightDecay)) },
  ].map(({ title, cells, words }) => {
    const all = [title, ...cells];
    const width = Math.max(...all.map((text) => text.length));
    return all.map((text) => (words ? text.padEnd(width) : text.padStart(width)));
  });
  return ["", ...layers].map((_, line) => columns.map((column) => column[line]).join("  ")).join("\n");
}
