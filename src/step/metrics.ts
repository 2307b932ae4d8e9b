// What comes back of a submission: its metrics, and statistics where a step was sampled, through one of a few staging buffers that
// are mapped while the next submissions run, so that the device never waits for the host.

import { DeviceError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { BufferUsage, MapMode } from "../gpu/usage.ts";
import { ALARMS, REPORT_WORDS, reportsAt } from "../op/metrics.ts";

/** What comes back of one step. */
export interface StepMetrics {
  readonly step: number;
  readonly loss: number;
  readonly hits: number;
  /** Labels that do not count. */
  readonly ignored: number;
  readonly count: number;
  /** Left out where there are none. */
  readonly reports?: readonly { readonly mean: number; readonly hits: number; readonly ignored: number }[];
}

export interface Metrics {
  readonly steps: readonly StepMetrics[];
  /** First step whose loss was not finite or whose gradient was bad; 0 when there is none. */
  readonly badStep: number;
  /** Row of that gradient, from 1; 0 where it was the loss. */
  readonly badRow: number;
  /** Step of each layer's last alarm, 0 where there was none; empty where no layer has had any. */
  readonly alarms: Uint32Array;
  /** Statistics of the sampled steps by number, 8 numbers a row; see shaders/row-sum.wgsl. */
  readonly statistics: ReadonlyMap<number, Float32Array>;
  /** First step of the submission that left no metrics. */
  readonly missed: number | undefined;
}

/** What of its values tells a step from others, and how many samples it has. */
type Awaited = readonly { readonly step: number; readonly count: number; readonly sampled?: boolean }[];

const noAlarms = new Uint32Array(0);
const noStatistics: Metrics["statistics"] = new Map();

export type Stage = ReturnType<typeof createStage>;

/** What steps tell of: tensors in statistics, layers in alarms, and reports beside the loss. */
export interface Told {
  readonly rows: number;
  readonly layers: number;
  readonly reports: number;
}

/** `bytes` are those of the metrics of a submission. */
export function createStage(gpu: Gpu, bytes: number, { rows, layers, reports }: Told) {
  const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
  const buffer = gpu.buffer("metrics staging", bytes, usage);
  let sampled: GPUBuffer | undefined;
  // What was read last: so no submission makes arrays of its own.
  const words = new Uint32Array(bytes / 4);
  const reals = new Float32Array(words.buffer);
  const alarms = words.subarray(ALARMS, reportsAt(layers));

  const reportAt = (at: number) => ({
    mean: reals[at] as number,
    hits: words[at + 1] as number,
    ignored: words[at + 2] as number,
  });

  const reportsOf = (i: number): NonNullable<StepMetrics["reports"]> =>
    Array.from({ length: reports }, (_, report) => reportAt(reportsAt(layers) + (i * reports + report) * REPORT_WORDS));

  function metricsOf(values: Awaited, statistics: Metrics["statistics"]): Metrics {
    const steps: StepMetrics[] = [];
    // One object a step and nothing else, which a heap profile holds it to.
    for (let at = 4; steps.length < values.length; at += 4) {
      const i = steps.length;
      const loss = reals[at + 1] as number;
      const { count } = values[i] as Awaited[number];
      const told = {
        step: words[at] as number,
        loss,
        hits: words[at + 2] as number,
        ignored: words[at + 3] as number,
        count,
      };
      steps.push(reports === 0 ? told : { ...told, reports: reportsOf(i) });
    }
    return {
      steps,
      badStep: words[0] as number,
      badRow: words[1] === 0xffffffff ? 0 : (words[1] as number),
      // Rare, and kept for longer than the words are.
      alarms: alarms.some(Boolean) ? alarms.slice() : noAlarms,
      statistics,
      missed: values.find(({ step }, i) => steps[i]?.step !== step)?.step,
    };
  }

  function statisticsOf(values: Awaited, from: GPUBuffer): Metrics["statistics"] {
    const all = new Float32Array(from.getMappedRange().slice(0));
    from.unmap();
    const found = new Map<number, Float32Array>();
    for (const [i, { step, sampled }] of values.entries()) {
      if (sampled) found.set(step, all.subarray(i * rows * 8, (i + 1) * rows * 8));
    }
    return found;
  }

  const stage = {
    /** Settles with the submission that is on its way through here; undefined where none is. */
    done: undefined as Promise<unknown> | undefined,

    /** Has what the steps leave copied at the end of their submission. */
    copy(encoder: GPUCommandEncoder, metrics: GPUBuffer, statistics: GPUBuffer | undefined): void {
      encoder.copyBufferToBuffer(metrics, 0, buffer, 0, bytes);
      if (statistics === undefined) return;
      sampled ??= gpu.buffer("statistics staging", statistics.size, usage);
      encoder.copyBufferToBuffer(statistics, 0, sampled, 0, statistics.size);
    },

    /** What was copied, once it is there. */
    read(values: Awaited, isSampled: boolean): Promise<Metrics> {
      const found = arrived(values, isSampled ? sampled : undefined);
      stage.done = found.catch(() => undefined);
      return found;
    },

    destroy(): void {
      buffer.destroy();
      sampled?.destroy();
    },
  };

  async function arrived(values: Awaited, sampled: GPUBuffer | undefined): Promise<Metrics> {
    try {
      const mapped = buffer.mapAsync(MapMode.READ);
      await gpu.untilLost(sampled ? Promise.all([mapped, sampled.mapAsync(MapMode.READ)]) : mapped);
      words.set(new Uint32Array(buffer.getMappedRange()));
      buffer.unmap();
      return metricsOf(values, sampled ? statisticsOf(values, sampled) : noStatistics);
    } finally {
      stage.done = undefined;
    }
  }

  return stage;
}

/** A submission that the device dropped leaves numbers of another step behind: better no loss than a wrong one. */
export function checkArrival(gpu: Gpu, { missed }: Metrics): void {
  if (missed === undefined) return;
  throw new DeviceError(
    `device: step ${missed} did not run${gpu.lastError === "" ? "" : ` (${gpu.lastError})`}. Use a smaller batch or model; the weights are those from before it.`,
  );
}
