// Examples that are there already: digits of MNIST, and drawings of Quick, Draw!, with others to judge by.

import { PIXELS } from "../digits.ts";
import { readFile } from "../page/file.ts";
import { firstDigits } from "../page/mnist.ts";
import { drawings, drawn, type Given } from "./given.ts";
import { greyOf } from "./pixels.ts";

/** How many of each class are learnt from, and how many in all judge. */
const [EACH, OTHERS] = [10, 500];

export type Source = "own" | "digits" | "drawings";

export interface Ready {
  readonly names: readonly string[];
  readonly classes: readonly (readonly HTMLCanvasElement[])[];
  readonly others: { readonly pictures: readonly HTMLCanvasElement[]; readonly y: Uint8Array };
}

/** The examples of a source for so many classes at most; undefined where they are to be the visitor's own. */
export async function ready(source: Source, classes: number, seed: number): Promise<Ready | undefined> {
  if (source === "own") return undefined;
  const how = { each: EACH, others: OTHERS, seed };
  const given =
    source === "drawings" ? await drawings((path) => readFile(`networks/${path}`), how) : await digits(classes, how);
  const pictures = ({ x, y }: Given["learnt"]) => [...y.keys()].map((i) => greyOf(x, i));
  const learnt = pictures(given.learnt);
  return {
    names: given.names,
    classes: given.names.map((_, label) => learnt.filter((_, i) => given.learnt.y[i] === label)),
    others: { pictures: pictures(given.others), y: given.others.y },
  };
}

async function digits(classes: number, how: Parameters<typeof drawn>[2]): Promise<Given> {
  const { x, y } = await firstDigits("test", 10_000);
  const labels = Array.from({ length: classes }, (_, digit) => [digit, String(digit)] as const);
  return drawn({ x: x.subarray(0, y.length * PIXELS), y }, labels, how);
}
