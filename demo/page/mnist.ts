// The digits that the page works with: fetched once, however often a training begins anew.

import { type Digits, loadDigits, readDigitsWith } from "../digits.ts";
import { readFile } from "./file.ts";

const PIXELS = 28 * 28;
const parts = new Map<"train" | "test", Promise<Digits>>();

function part(name: "train" | "test"): Promise<Digits> {
  const known = parts.get(name);
  if (known !== undefined) return known;
  readDigitsWith((file) => readFile(`mnist/${file}.gz`));
  const loading = loadDigits(name);
  parts.set(name, loading);
  loading.catch(() => parts.delete(name)); // to be tried again at the next reset
  return loading;
}

/** The first images of a part. */
export async function firstDigits(name: "train" | "test", count: number): Promise<Digits> {
  const { x, y, ...scale } = await part(name);
  return { x: x.subarray(0, count * PIXELS), y: y.subarray(0, count), ...scale };
}

/** Test images by their numbers. */
export async function chosenDigits(numbers: readonly number[]): Promise<Digits> {
  const { x, y, ...scale } = await part("test");
  const images = new Uint8Array(numbers.length * PIXELS);
  for (const [i, n] of numbers.entries()) images.set(x.subarray(n * PIXELS, (n + 1) * PIXELS), i * PIXELS);
  return { x: images, y: Uint8Array.from(numbers, (n) => y[n] as number), ...scale };
}
