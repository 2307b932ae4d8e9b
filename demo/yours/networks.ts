// The networks of others that become a visitor's own: the files that each is read from, who made them, and what stays of them under a
// new head. Plain data, but for the reading.

import { dense, type Model, replaceHead } from "../../src/index.ts";
import { type FromKeras, fromKeras } from "../../src/keras/index.ts";

export const networkNames = ["doodlenet", "mobilenet"] as const;
export type NetworkName = (typeof networkNames)[number];

export interface Network {
  /** The folder in demo/data.json. */
  readonly folder: string;
  /** The part behind which the new head stands. */
  readonly after: string;
  /** Sides of a picture that it takes, the first of them at first, and its channels. */
  readonly sizes: readonly [number, ...number[]];
  readonly channels: 1 | 3;
  /** Of pixels in [0, 1]. */
  readonly mean: number;
  readonly std: number;
  /** Layers that rest whatever is trained, a pattern: statistics of a few pictures would spoil those of many. */
  readonly rest?: string;
}

export const networks: Readonly<Record<NetworkName, Network>> = {
  doodlenet: { folder: "doodlenet", after: "dense", sizes: [28], channels: 1, mean: 0, std: 1 },
  mobilenet: {
    ...{ folder: "mobilenet-v1-025", after: "global_average_pooling2d_1", sizes: [96, 128, 160, 192, 224] },
    ...{ channels: 3, mean: 0.5, std: 0.5, rest: "**_bn" },
  },
};

/** The bytes of a file of demo/data.json. */
export type Get = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

/** A network as it was published. */
export const readNetwork = async (name: NetworkName, get: Get): Promise<FromKeras> => {
  const { folder } = networks[name];
  const json = await get(`${folder}/model.json`);
  return fromKeras({ json, weights: (path) => get(`${folder}/${path}`) }, { logits: true });
};

/** Its body with a head for so many classes. */
export const withHead = (name: NetworkName, model: Model, classes: number): Model =>
  replaceHead(model, [dense(classes)], { after: networks[name].after });
