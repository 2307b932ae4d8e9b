// The digits of the study: MNIST at half the size, which a processor learns in minutes, in parts that share no image,
// and how they look and what they are called once a shift has come over them.

import { type Digits, loadDigits } from "../digits.ts";
import type { Family, Shift } from "./plan.ts";
import { normal, shuffled } from "./random.ts";

/** Rows, and columns, of an image. */
export const SIZE = 14;
const PIXELS = SIZE * SIZE;

/** Where each part begins and ends in the files of MNIST. */
const parts = {
  pretraining: { file: "train", from: 0, to: 30_000 },
  tuning: { file: "train", from: 40_000, to: 50_000 },
  validation: { file: "train", from: 50_000, to: 60_000 },
  test: { file: "test", from: 0, to: 10_000 },
} as const;

export type Part = keyof typeof parts;

const files = new Map<"train" | "test", Promise<Digits>>();

async function load(file: "train" | "test"): Promise<Digits> {
  const digits = await loadDigits(file);
  return { ...digits, x: halved(digits.x) };
}

/** The mean of every 2 x 2 pixels. */
function halved(x: Uint8Array): Uint8Array {
  const half = new Uint8Array(x.length / 4);
  const width = 2 * SIZE;
  for (let i = 0; i < half.length; i++) {
    const row = Math.floor(i / SIZE); // of all images: they follow one another
    const at = row * 2 * width + (i % SIZE) * 2;
    const sum = (x[at] as number) + (x[at + 1] as number) + (x[at + width] as number) + (x[at + width + 1] as number);
    half[i] = sum / 4;
  }
  return half;
}

/** Digits that a family knows from its pre-training. */
const known = (family: Family, digit: number): boolean => family === "all" || digit < 5;
/** Classes of a family's network, before and after fine-tuning. */
export const classes = (family: Family): number => (family === "all" ? 10 : 5);

/** What a digit is called. */
function label(digit: number, shift: Shift | undefined): number {
  if (shift === "new digits") return digit - 5;
  return shift === "flipped labels" ? 9 - digit : digit;
}

export interface Choice {
  readonly part: Part;
  readonly family: Family;
  /** None for pre-training. */
  readonly shift?: Shift | undefined;
  /** At most this many images: the first ones of the part. */
  readonly count?: number | undefined;
  /** This many of each class, drawn by the seed. */
  readonly drawn?: { readonly perClass: number; readonly seed: number } | undefined;
}

const made = new Map<string, Promise<Digits>>();

/** The images of a part that a task is about, shifted; made once. */
export function digitsOf({ part, family, shift, count, drawn }: Choice): Promise<Digits> {
  const key = JSON.stringify([part, family, shift, count, drawn]);
  const digits = made.get(key) ?? make({ part, family, shift, count, drawn });
  made.set(key, digits);
  return digits;
}

async function make({ part, family, shift, count, drawn }: Choice): Promise<Digits> {
  const { file, from, to } = parts[part];
  const loading = files.get(file) ?? load(file);
  files.set(file, loading);
  const { x, y, ...scale } = await loading;
  const wanted = (i: number): boolean => (shift === "new digits") !== known(family, y[i] as number);
  let chosen = Array.from({ length: to - from }, (_, i) => from + i).filter(wanted);
  if (drawn !== undefined) {
    const taken = new Array<number>(10).fill(0);
    chosen = shuffled(chosen, drawn.seed).filter((i) => (taken[y[i] as number] as number)++ < drawn.perClass);
    chosen = shuffled(chosen, drawn.seed); // no class stands at the end
  }
  chosen = chosen.slice(0, count);
  const images = new Uint8Array(chosen.length * PIXELS);
  for (const [n, i] of chosen.entries())
    images.set(seen(x.subarray(i * PIXELS, (i + 1) * PIXELS), shift, i), n * PIXELS);
  return { ...scale, x: images, y: Uint8Array.from(chosen, (i) => label(y[i] as number, shift)) };
}

/** Deviation of the noise; white is 255. */
const NOISE = 90;

/** How an image looks. Image `i` has the same noise wherever it is used. */
function seen(image: Uint8Array, shift: Shift | undefined, i: number): Uint8Array | Uint8ClampedArray {
  if (shift === "inversion") return image.map((pixel) => 255 - pixel);
  if (shift === "blur") return blurred(blurred(image));
  if (shift !== "noise") return image;
  return Uint8ClampedArray.from(image, (pixel, at) => pixel + NOISE * normal(i * PIXELS + at));
}

/** The mean of every pixel's 3 x 3 neighbourhood, black beyond the rim. */
function blurred(image: Uint8Array): Uint8Array {
  return image.map((_, at) => {
    const [row, column] = [Math.floor(at / SIZE), at % SIZE];
    let sum = 0;
    for (let r = Math.max(0, row - 1); r <= Math.min(SIZE - 1, row + 1); r++) {
      for (let c = Math.max(0, column - 1); c <= Math.min(SIZE - 1, column + 1); c++)
        sum += image[r * SIZE + c] as number;
    }
    return sum / 9;
  });
}
