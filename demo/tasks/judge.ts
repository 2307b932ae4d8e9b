// How drawings of digits that nobody wrote are judged: by a network that has learnt to read digits, and how sure it is.

import type { CompileOptions } from "../../src/index.ts";
import { loadDigits } from "../digits.ts";
import { cnn } from "./digits.ts";
import type { Tested } from "./task.ts";

const LEARNT = { batch: 64, lr: 0.01, length: { epochs: 1 } };
/** What a judge learns from: who tries a task on a few digits waits for no long schooling. */
const schooling = (samples: number): number => Math.min(12_800, 20 * samples);
const DRAWINGS = 500;
const SURE = 0.8;

/** Judges what `draw` makes, pixels from 0 to 255, beside as many real digits, of a network that learnt from `samples`. */
export async function judged(
  draw: (drawings: number) => Promise<Uint8Array>,
  samples: number,
  device: CompileOptions["device"],
): Promise<Tested> {
  const judge = await cnn({ ...LEARNT, samples: schooling(samples), ...(device && { device }) });
  await judge.train(judge.steps);
  const digits = await loadDigits("test", DRAWINGS);
  /** What it reads, of those that it is sure of. */
  const read = async (x: Uint8Array): Promise<number[]> => {
    const { data } = await judge.trainer.predict({ ...digits, x }, { activation: "softmax" });
    const best = Array.from({ length: DRAWINGS }, (_, i) => Math.max(...data.subarray(10 * i, 10 * i + 10)));
    return best.flatMap((share, i) => (share > SURE ? data.indexOf(share, 10 * i) - 10 * i : []));
  };
  const drawn = await read(await draw(DRAWINGS));
  const real = await read(digits.x);
  judge.trainer.dispose();
  const [recognised, ofRealOnes] = [drawn.length / DRAWINGS, real.length / DRAWINGS];
  const kinds = new Set(drawn).size;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const verdict = `A network that reads digits is more than ${100 * SURE} % sure of ${percent(recognised)} of ${DRAWINGS} drawings, of real digits of ${percent(ofRealOnes)}; it finds ${kinds} of the ten digits among the drawings`;
  return { verdict, figures: { recognised, ofRealOnes, kinds }, samples: DRAWINGS };
}
