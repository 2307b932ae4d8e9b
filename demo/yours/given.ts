// Examples that are there already, to try the page with: a few of each class to learn from, and others to judge by. Pure functions of
// their seed.

import { shuffled } from "../study/random.ts";

export interface Judged {
  /** Bytes of all pictures, one after the other. */
  readonly x: Uint8Array<ArrayBuffer>;
  readonly y: Uint8Array<ArrayBuffer>;
}

export interface Given {
  readonly names: readonly string[];
  readonly learnt: Judged;
  readonly others: Judged;
}

/** So many pictures of each class, drawn by a seed, and as many others of all of them. Classes are those that `labels` names, in order. */
export function drawn(
  { x, y }: { readonly x: Uint8Array; readonly y: ArrayLike<number> },
  labels: readonly (readonly [label: number, name: string])[],
  { each, others, seed }: { readonly each: number; readonly others: number; readonly seed: number },
): Given {
  const pixels = x.length / y.length;
  const order = shuffled([...Array(y.length).keys()], seed);
  const pick = (numbers: readonly number[]): Judged => {
    const images = new Uint8Array(numbers.length * pixels);
    for (const [n, i] of numbers.entries()) images.set(x.subarray(i * pixels, (i + 1) * pixels), n * pixels);
    return {
      x: images,
      y: Uint8Array.from(numbers, (i) => labels.findIndex(([label]) => label === y[i])),
    };
  };
  const byClass = labels.map(([label]) => order.filter((i) => y[i] === label));
  const rest = Math.floor(others / labels.length);
  return {
    names: labels.map(([, name]) => name),
    learnt: pick(byClass.flatMap((numbers) => numbers.slice(0, each))),
    others: pick(byClass.flatMap((numbers) => numbers.slice(each, each + rest))),
  };
}

/** Three files of Google's Quick, Draw!, CC BY 4.0, 28 x 28 bytes a drawing, white on black. */
const kinds = [
  ["quickdraw/cats1000.bin", "cat"],
  ["quickdraw/rainbows1000.bin", "rainbow"],
  ["quickdraw/trains1000.bin", "train"],
] as const;

/** Drawings of three kinds; `get` has the bytes of a file of demo/data.json. */
export async function drawings(
  get: (path: string) => Promise<Uint8Array>,
  how: Parameters<typeof drawn>[2],
): Promise<Given> {
  const files = await Promise.all(kinds.map(([path]) => get(path)));
  const x = new Uint8Array(files.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  const y = files.flatMap((file, label) => {
    x.set(file, at);
    at += file.length;
    return Array<number>(file.length / 784).fill(label);
  });
  return drawn(
    { x, y },
    kinds.map(([, name], label) => [label, name]),
    how,
  );
}
