// What steps tell, and means of it over samples, summed in f64 in the order of the steps.

import type { Report } from "../graph/report.ts";
import type { Evaluation, StepResult } from "../recipe/fit-options.ts";
import type { StepMetrics } from "../step/metrics.ts";

/** What a program says of its numbers. */
export interface Telling {
  /** Labels of a sample, over all losses. */
  readonly labels: number;
  readonly reports: readonly Report[];
}

/** A step's numbers as they are told. */
export function toldOf(
  { labels, reports }: Telling,
  { step, loss, hits, ignored, count, reports: raw }: StepMetrics,
): StepResult {
  const accuracy = labels > 0 ? hits / (count * labels - ignored) : Number.NaN;
  const result = { step, loss, accuracy, samples: count };
  if (raw === undefined) return result;
  const named = reports.flatMap(({ name, labels }, i): [string, number][] => {
    const { mean, hits, ignored } = raw[i] as (typeof raw)[number];
    const counted = count * labels - ignored;
    const accuracy: [string, number][] = counted === 0 ? [] : [[`${name}.accuracy`, hits / counted]];
    return [[name, mean], ...accuracy];
  });
  return { ...result, reports: Object.fromEntries(named) };
}

export class Tally {
  #loss = 0;
  #hits = 0;
  #labelled = 0;
  #samples = 0;
  /** Of each report the sum and the samples that had it: a layer may report in some steps alone. */
  readonly #reports = new Map<string, readonly [sum: number, samples: number]>();

  add({ loss, accuracy, samples, reports }: Omit<StepResult, "step">): void {
    this.#loss += loss * samples;
    this.#samples += samples;
    // A batch may have no label that counts.
    if (!Number.isNaN(accuracy)) {
      this.#hits += accuracy * samples;
      this.#labelled += samples;
    }
    if (reports === undefined) return;
    for (const [name, value] of Object.entries(reports)) {
      const [sum, seen] = this.#reports.get(name) ?? [0, 0];
      this.#reports.set(name, [sum + value * samples, seen + samples]);
    }
  }

  /** NaN where nothing was added. */
  get means(): Evaluation {
    const samples = this.#samples;
    const means = { loss: this.#loss / samples, accuracy: this.#hits / this.#labelled, samples };
    if (this.#reports.size === 0) return means;
    return {
      ...means,
      reports: Object.fromEntries([...this.#reports].map(([name, [sum, seen]]) => [name, sum / seen])),
    };
  }
}
