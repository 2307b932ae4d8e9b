// How drawings of digits that nobody wrote are judged: by a network that has learnt to read digits, and how sure it is; and by how far
// their mean is from that of real digits, which tells a first lesson from none, where nothing can be read yet.

import type { CompileOptions } from "../../src/index.ts";
import { loadDigits } from "../digits.ts";
import { cnn } from "./digits.ts";
import { meanImage } from "./pictures.ts";
import type { Tested } from "./task.ts";

const LEARNT = { batch: 64, lr: 0.01, length: { epochs: 1 } };
const DRAWINGS = 500;
const SURE = 0.8;

/**
 * Judges what `draw` makes, pixels from 0 to 255, beside as many real digits. The judge learns from as many digits as who drew has seen, so
 * that a short training waits for no long schooling.
 */
export async function judged(
  draw: (drawings: number) => Promise<Uint8Array>,
  seen: number,
  device: CompileOptions["device"],
): Promise<Tested> {
  const judge = await cnn({ ...LEARNT, samples: seen, ...(device && { device }) });
  await judge.train(judge.steps);
  const digits = await loadDigits("test", DRAWINGS);
  /** What it reads, of those that it is sure of. */
  const read = async (x: Uint8Array): Promise<number[]> => {
    const { data } = await judge.trainer.predict({ ...digits, x }, { activation: "softmax" });
    const best = Array.from({ length: DRAWINGS }, (_, i) => Math.max(...data.subarray(10 * i, 10 * i + 10)));
    return best.flatMap((share, i) => (share > SURE ? data.indexOf(share, 10 * i) - 10 * i : []));
  };
  const drawings = await draw(DRAWINGS);
  const [drawn, real] = [await read(drawings), await read(digits.x)];
  judge.trainer.dispose();
  const [recognised, ofRealOnes] = [drawn.length / DRAWINGS, real.length / DRAWINGS];
  const kinds = new Set(drawn).size;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const verdict = `A network that reads digits is more than ${100 * SURE} % sure of ${percent(recognised)} of ${DRAWINGS} drawings, of real digits of ${percent(ofRealOnes)}; it finds ${kinds} of the ten digits among the drawings`;
  return { verdict, figures: { recognised, ofRealOnes, kinds, apart: apart(drawings, digits.x) }, samples: DRAWINGS };
}

/** Squared distance of the mean images; that of a black sheet is 1. */
export function apart(drawings: Uint8Array, real: Uint8Array): number {
  const wanted = meanImage(real);
  const square = (image: Float64Array): number => image.reduce((sum, pixel) => sum + pixel ** 2, 0);
  return square(meanImage(drawings).map((pixel, i) => pixel - (wanted[i] as number))) / square(wanted);
}
