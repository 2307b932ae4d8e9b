// Networks that Keras and TensorFlow.js trained and others published: how each is read, and the inputs of its check values. The bytes
// come by a function, since a page asks a server for them and Node the disk.

import { type FromKeras, fromKeras, type KerasOptions } from "../../src/keras/index.ts";
import { ruleInput } from "./golden-data.ts";
import type { Given } from "./run-model.ts";

/** Bytes of a file of the manifest. */
export type Get = (path: string) => Promise<Uint8Array>;

export interface KerasNetwork {
  readonly folder: string;
  /** As golden.json calls it. */
  readonly net: string;
  /** Numbers in all of its tensors, as the data page says. */
  readonly numbers: number;
  read(get: Get, options?: KerasOptions): Promise<FromKeras>;
  /** By name; "" is the only one. */
  inputs(shape: readonly number[]): ReadonlyMap<string, Given>;
}

const layersModel =
  (folder: string): KerasNetwork["read"] =>
  async (get, options) =>
    fromKeras({ json: await get(`${folder}/model.json`), weights: (path) => get(`${folder}/${path}`) }, options);

const h5 =
  (file: string): KerasNetwork["read"] =>
  async (get, options) =>
    fromKeras(await get(`mlperf-tiny/${file}.h5`), options);

const alone =
  (scaled?: (x: number) => number): KerasNetwork["inputs"] =>
  (shape) =>
    new Map([["", { shape: shape.slice(1), data: ruleInput(shape, scaled) }]]);

export const kerasNetworks = {
  doodlenet: {
    folder: "doodlenet",
    net: "doodlenet",
    numbers: 544_201,
    read: layersModel("doodlenet"),
    inputs: alone(),
  },
  darknet: {
    folder: "darknettiny",
    net: "tiny darknet imagenet",
    numbers: 1_046_488,
    read: layersModel("darknettiny"),
    inputs: alone(),
  },
  mobilenet: {
    folder: "mobilenet-v1-025",
    net: "mobilenet v1 0.25 imagenet",
    numbers: 475_544,
    read: layersModel("mobilenet-v1-025"),
    inputs: alone((x) => 2 * x - 1),
  },
  cvae: {
    folder: "cvae-quickdraw",
    net: "cvae decoder",
    numbers: 62_721,
    read: layersModel("cvae-quickdraw"),
    inputs: () =>
      new Map([
        ["latent_input", { shape: [16], data: ruleInput([16], (x) => 2 * x - 1) }],
        ["label", { shape: [51], data: Float64Array.from({ length: 51 }, (_, i) => Number(i === 7)) }],
      ]),
  },
  resnet8: {
    folder: "mlperf-tiny",
    net: "resnet8 cifar-10",
    numbers: 78_666,
    read: h5("pretrainedResnet"),
    inputs: alone((x) => 255 * x),
  },
  person: {
    folder: "mlperf-tiny",
    net: "mobilenet-v1 0.25 visual wake words",
    numbers: 221_794,
    read: h5("vww_96"),
    inputs: alone(),
  },
  wakeWord: {
    folder: "mlperf-tiny",
    net: "streaming wake word",
    numbers: 47_707,
    read: h5("str_ww_ref_model"),
    inputs: alone(),
  },
  anomaly: {
    folder: "mlperf-tiny",
    net: "anomaly autoencoder",
    numbers: 269_992,
    read: h5("ad01"),
    inputs: alone((x) => 60 * x - 60),
  },
} satisfies Readonly<Record<string, KerasNetwork>>;
