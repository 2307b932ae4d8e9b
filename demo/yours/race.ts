// The ways beside each other: each begins anew, learns from the same examples for equally many seconds, and is judged by the same others.

import type { CompileOptions } from "../../src/index.ts";
import type { FromKeras } from "../../src/keras/index.ts";
import type { Samples } from "./examples.ts";
import { OnGpu } from "./on-gpu.ts";
import { type Plan, type WayName, ways } from "./plan.ts";
import { compileWay } from "./ways.ts";

export interface Ended {
  readonly way: WayName;
  readonly steps: number;
  readonly seconds: number;
  /** Part of the others that it knows. */
  readonly accuracy: number;
}

/** Trains one way for so many seconds, compiling not counted, and judges it. */
export async function runWay(
  read: FromKeras,
  plan: Plan,
  { learnt, others }: Samples,
  seconds: number,
  options: Partial<CompileOptions>,
): Promise<Ended> {
  const trainer = await compileWay(read, plan, options);
  try {
    const pictures = new OnGpu(trainer, plan.network);
    const given = await pictures.samples("learnt", learnt);
    const since = performance.now();
    const spent = (): number => (performance.now() - since) / 1000;
    await trainer.fit(given, {
      epochs: 1e6,
      onStep: () => {
        if (spent() >= seconds) trainer.stop();
      },
    });
    const [steps, took] = [trainer.steps, spent()];
    const { accuracy } = await trainer.evaluate(await pictures.samples("others", others));
    return { way: plan.way, steps, seconds: took, accuracy };
  } finally {
    trainer.dispose();
  }
}

/**
 * What came of it in one sentence, which says where chance may have decided: two standard deviations of the difference, with a hit and a
 * miss more (Agresti and Caffo 2000), since few samples that are all right are no certainty.
 */
export function verdict(ended: readonly Ended[], others: number): string {
  const [layers, head] = (["layers", "head"] as const).map((way) => ended.find((one) => one.way === way));
  if (layers === undefined || head === undefined) return "";
  const variance = [layers, head].reduce((sum, { accuracy }) => {
    const part = (accuracy * others + 1) / (others + 2);
    return sum + (part * (1 - part)) / (others + 2);
  }, 0);
  const [ahead, chance] = [100 * (layers.accuracy - head.accuracy), 200 * Math.sqrt(variance)];
  const by = `${Math.abs(ahead).toFixed(1)} points ${ahead < 0 ? "less" : "more"}`;
  if (Math.abs(ahead) > chance)
    return `In the same seconds ${ways.layers} ${ahead > 0 ? "beat" : "lost to"} ${ways.head}: ${by}.`;
  return `In the same seconds ${ways.layers} did not beat ${ways.head} beyond chance: ${by}, where chance alone makes up to ${chance.toFixed(1)} on ${others} others.`;
}
