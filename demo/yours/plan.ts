// What is asked of a network of others: which one, in which of the ways that the page compares, and at which rates. Plain data, also for
// who has no GPU.

import type { NetworkName } from "./networks.ts";

export const wayNames = ["layers", "head", "scratch"] as const;
export type WayName = (typeof wayNames)[number];

/** What a way is called, for people. */
export const ways: Readonly<Record<WayName, string>> = {
  layers: "rates by layer",
  head: "head only",
  scratch: "from scratch",
};

export interface Rates {
  /** Of the head; from scratch, of all layers. */
  readonly lr: number;
  /** Of the layer below the head, as a part of the head's. */
  readonly body: number;
  /** Of the layer at the input, as a part of that; layers between them in even parts, however many there are. */
  readonly first: number;
  /** Steps of the head alone, before the layers below wake. */
  readonly alone: number;
}

export interface Plan extends Rates {
  readonly network: NetworkName;
  readonly way: WayName;
  readonly classes: number;
  readonly batch: number;
  readonly size: number;
  readonly seed: number;
}
