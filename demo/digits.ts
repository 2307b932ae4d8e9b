// The MNIST digits: 60,000 images to train on and 10,000 to test with, 28 x 28 bytes each.

import { uniforms } from "./random.ts";

export interface Digits {
  /** [count, 28, 28, 1]. */
  readonly x: Uint8Array;
  /** The digit on each image. */
  readonly y: Uint8Array;
  readonly mean: number;
  readonly std: number;
}

/** Numbers in an image. */
export const PIXELS = 28 * 28;

/** How a file of the digits is read: from the server of the page, unless a runtime without one sets another way. */
let read = async (name: string): Promise<Uint8Array> => {
  const response = await fetch(`/mnist/${name}`);
  if (!response.ok) throw new Error(`/mnist/${name}: the server answers ${response.status}. Run npm install.`);
  return new Uint8Array(await response.arrayBuffer());
};

export function readDigitsWith(reader: typeof read): void {
  read = reader;
}

/** Loads the first `count` images of a part, or all of them. */
export async function loadDigits(part: "train" | "test", count?: number): Promise<Digits> {
  const prefix = part === "train" ? "train" : "t10k";
  const [images, labels] = await Promise.all([
    idx(`${prefix}-images-idx3-ubyte`, 16),
    idx(`${prefix}-labels-idx1-ubyte`, 8),
  ]);
  const most = count === undefined ? labels.length : Math.min(count, labels.length);
  // Mean and deviation of all training pixels in [0, 1].
  return { x: images.subarray(0, most * PIXELS), y: labels.subarray(0, most), mean: 0.1307, std: 0.3081 };
}

/** Images drawn at random, with repeats, as `path` decides; black and white become the numbers of `range`. */
export function drawnDigits(
  { x, y }: Digits,
  count: number,
  path: string,
  [black, white]: readonly [number, number],
): Float32Array<ArrayBuffer> {
  const next = uniforms(path);
  const images = new Float32Array(count * PIXELS);
  for (let i = 0; i < count; i++) {
    const from = Math.floor(next() * y.length) * PIXELS;
    for (let pixel = 0; pixel < PIXELS; pixel++)
      images[i * PIXELS + pixel] = black + ((white - black) * (x[from + pixel] as number)) / 255;
  }
  return images;
}

/** The bytes of a file in IDX format, without its header. */
const idx = async (name: string, header: number): Promise<Uint8Array> => (await read(name)).subarray(header);
