// What comes back of a submission: its metrics, and statistics where a step was sampled, through one of a few staging buffers that
// are mapped while the next submissions run, so that the device never waits for the host.

import type { Gpu } from "../gpu/device.ts";
import * as Usage from "../gpu/usage.ts";
import { ALARMS, countsAt, lossesAt, MOST_STEPS, REPORT_WORDS, reportsAt } from "../op/metrics.ts";

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
  /** Of each sample, in programs that leave more than metrics; they mean something where that was asked for. */
  readonly losses?: Float32Array;
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
  /** What was counted over all steps of the submission; empty where nothing is. */
  readonly counts: Uint32Array;
}

/** What of its values tells a step from others, and how many samples it has. */
type Awaited = readonly { readonly step: number; readonly count: number; readonly sampled?: boolean }[];

/** Word of a step's values, behind those that shaders know, that numbers the submission. */
export const NUMBER = 11;
/** Word of the staging buffer, of no use to the host, in which a submission leaves its number. */
const RAN = 2;

const noWords = new Uint32Array(0);
const noStatistics: Metrics["statistics"] = new Map();

/** What is copied beside metrics and reports: statistics, and counts and losses of samples. */
interface Copied {
  readonly statistics: GPUBuffer | undefined;
  readonly tellsMore: boolean;
  /** Its words begin with the values of the first step. */
  readonly ring: GPUBuffer;
  readonly number: number;
}

export type Stage = ReturnType<typeof createStage>;

/** What steps tell of: tensors in statistics, layers in alarms, reports beside the loss, words of counts, and samples. */
export interface Told {
  readonly rows: number;
  readonly layers: number;
  readonly reports: number;
  readonly counts: number;
  readonly batch: number;
}

export function createStage(gpu: Gpu, { rows, layers, reports, counts, batch }: Told) {
  const usage = Usage.MAP_READ | Usage.COPY_DST;
  const [plainBytes, losses] = [4 * countsAt(layers, reports), lossesAt(layers, reports, counts)];
  const bytes = 4 * (losses + MOST_STEPS * batch);
  const bytesOf = (tellsMore: boolean): number => (tellsMore ? bytes : plainBytes);
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

  function metricsOf(values: Awaited, statistics: Metrics["statistics"], { tellsMore }: Copied): Metrics {
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
      const own = reports === 0 ? told : { ...told, reports: reportsOf(i) };
      const from = losses + i * batch;
      steps.push(tellsMore ? { ...own, losses: reals.slice(from, from + count) } : own);
    }
    return {
      steps,
      badStep: words[0] as number,
      badRow: words[1] === 0xffffffff ? 0 : (words[1] as number),
      // Rare, and kept for longer than the words are.
      alarms: alarms.some(Boolean) ? alarms.slice() : noWords,
      statistics,
      counts: tellsMore ? words.slice(plainBytes / 4, plainBytes / 4 + counts) : noWords,
    };
  }

  function statisticsOf(values: Awaited, from: ArrayBuffer): Metrics["statistics"] {
    const all = new Float32Array(from.slice(0));
    const found = new Map<number, Float32Array>();
    for (const [i, { step, sampled }] of values.entries()) {
      if (sampled) found.set(step, all.subarray(i * rows * 8, (i + 1) * rows * 8));
    }
    return found;
  }

  const stage = {
    /** Settles with the submission that is on its way through here; undefined where none is. */
    done: undefined as Promise<unknown> | undefined,

    /** Has what the steps leave copied at the end of their submission; gives what reads it, once it is there. */
    copy(encoder: GPUCommandEncoder, metrics: GPUBuffer, how: Copied): (values: Awaited) => Promise<Metrics> {
      const { statistics, tellsMore, ring } = how;
      encoder.copyBufferToBuffer(metrics, 0, buffer, 0, bytesOf(tellsMore));
      encoder.copyBufferToBuffer(ring, 4 * NUMBER, buffer, 4 * RAN, 4);
      if (statistics !== undefined) {
        sampled ??= gpu.buffer("statistics staging", statistics.size, usage);
        encoder.copyBufferToBuffer(statistics, 0, sampled, 0, statistics.size);
      }
      return (values) => {
        const found = arrived(values, how);
        stage.done = found.catch(() => undefined);
        return found;
      };
    },

    destroy(): void {
      buffer.destroy();
      sampled?.destroy();
    },
  };

  async function arrived(values: Awaited, how: Copied): Promise<Metrics> {
    try {
      const own = how.statistics && sampled;
      const [told, more] = await Promise.all([gpu.mapped(buffer, bytesOf(how.tellsMore)), own && gpu.mapped(own)]);
      words.set(new Uint32Array(told));
      buffer.unmap();
      // What the device dropped leaves numbers of another submission behind: better none than wrong ones.
      if (words[RAN] !== how.number) throw gpu.dropped(`step ${values[0]?.step || "of a pass"}`);
      const statistics = more ? statisticsOf(values, more) : noStatistics;
      own?.unmap();
      return metricsOf(values, statistics, how);
    } finally {
      stage.done = undefined;
    }
  }

  return stage;
}
