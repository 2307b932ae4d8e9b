// Networks that others trained, as test/golden/families.py trains them twenty steps: how each is read, its rates by layer, and its data by
// the rule of whole numbers. The bytes come by a function, since a page asks a server for them and Node the disk.

import { noise } from "../../demo/bench/workload.ts";
import { readCharRnn } from "../../demo/char-rnn-file.ts";
import { llamaWeights, readLlama } from "../../demo/llama-file.ts";
import { charLstm } from "../../demo/models/char-lstm.ts";
import { llama } from "../../demo/models/llama.ts";
import { adam, type HostTensor, type Input, type Model, type Optimizer, sgd, summary } from "../../src/index.ts";
import { fromKeras } from "../../src/keras/index.ts";
import { loadWeights } from "../../src/pytorch/index.ts";
import { pytorchNetworks } from "../foreign/pytorch.ts";

export const BATCH = 4;

type Get = (path: string) => Promise<Uint8Array<ArrayBuffer>>;
type Weights = ReadonlyMap<string, HostTensor>;

export interface Family {
  readonly input: Input;
  readonly optimizer: Optimizer;
  /** Of those that fit a tensor's name the last counts; 0: it is frozen. */
  readonly rates: readonly (readonly [pattern: string, rate: number])[];
  read(get: Get): Promise<{ readonly model: Model; readonly weights: Weights }>;
  samples(step: number): { readonly x: Float32Array<ArrayBuffer> | number[]; readonly y: number[] };
  /** The model's name of a tensor of the golden file. */
  named(name: string): string;
}

const rule = (i: number): number => (i * 7919) % 1009;

const images = (
  count: number,
  { step, seed, scale, shift }: Readonly<Record<"step" | "seed" | "scale" | "shift", number>>,
): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => (rule(i + count * step + seed) / 1009) * scale + shift);

/** What is read, [4, 16], and what follows it. */
function tokens(step: number, vocabulary: number): { readonly x: number[]; readonly y: number[] } {
  const [places, count] = [16, BATCH * 17];
  const at = (row: number, place: number): number => rule(row * (places + 1) + place + count * step) % vocabulary;
  const read = (from: number): number[] =>
    Array.from({ length: BATCH * places }, (_, i) => at(Math.floor(i / places), (i % places) + from));
  return { x: read(0), y: read(1) };
}

const asIs = (name: string): string => name;

const resnet = (seed: number, rates: Family["rates"]): Family => ({
  input: [16, 16, 3],
  optimizer: sgd({ lr: 1, momentum: 0.9 }),
  rates,
  async read(get) {
    const { file, options, model, input } = pytorchNetworks.resnet20;
    return { model, weights: (await loadWeights(summary(model, { input }), await get(file), options)).weights };
  },
  samples: (step) => ({
    x: images(BATCH * 768, { step, seed, scale: 4, shift: -2 }),
    y: Array.from({ length: BATCH }, (_, i) => (i * 3) % 10),
  }),
  named: asIs,
});

export const families = {
  resnet20: resnet(0, [
    ["**", 3e-4],
    ["layer1.**", 1.2e-4],
    ["layer2.**", 2e-4],
    ["layer3.**", 3e-4],
    ["linear.**", 6e-4],
  ]),
  "resnet20-frozen": resnet(574, [
    ["**", 1e-3],
    ["layer1.**", 4e-4],
    ["layer2.**", 7e-4],
    ["linear.**", 2e-3],
    ["**.bn*", 0],
    ["bn1", 0],
  ]),
  mobilenet: {
    input: [48, 48, 3],
    optimizer: sgd({ lr: 1, momentum: 0.9 }),
    rates: [
      ["conv1", 1e-6],
      ["conv1_bn", 1e-6],
      ["conv_dw_*", 3e-5],
      ["conv_pw_*", 4e-5],
      ["conv_dw_1*", 6e-5],
      ["conv_pw_1*", 1e-4],
      ["conv_preds", 1e-2],
    ],
    async read(get) {
      const json = JSON.parse(new TextDecoder().decode(await get("mobilenet-v1-025/model.json")));
      for (const { class_name, config } of json.modelTopology.model_config.config.layers)
        if (class_name === "Dropout") config.rate = 0;
      return fromKeras({ json, weights: (path) => get(`mobilenet-v1-025/${path}`) }, { logits: true });
    },
    samples: (step) => ({
      x: images(BATCH * 6912, { step, seed: 0, scale: 2, shift: -1 }),
      y: Array.from({ length: BATCH }, (_, i) => (i * 250 + 7 * step) % 1000),
    }),
    named: asIs,
  },
  tinystories: {
    input: { shape: [16], classes: 512 },
    optimizer: adam({ lr: 1, eps: 1e-4 }),
    rates: [
      ["**", 4e-4],
      ["tokens.**", 3e-4],
      ["norm.**", 2e-3],
      ["block2.**", 6e-4],
      ["block3.**", 8e-4],
      ["block4.**", 1e-3],
      ["block0.look.norm.**", 2e-3],
      ["block1.look.norm.**", 2e-3],
    ],
    async read(get) {
      const { size, tensors } = readLlama(await get("tinystories-260k/stories260K.bin"));
      return { model: llama(size), weights: llamaWeights(tensors) };
    },
    samples: (step) => tokens(step, 512),
    named: (name) => [...llamaWeights(new Map([[name, { shape: [0], data: new Float32Array() }]])).keys()][0] as string,
  },
  "char-rnn": {
    input: { shape: [16], classes: 65 },
    optimizer: adam({ lr: 1, eps: 1e-4 }),
    rates: [
      ["head.**", 2e-3],
      ["tokens.**", 1e-3],
      ["read.**", 4e-4],
      ["read2.**", 6e-4],
    ],
    read: async (get) => ({
      model: charLstm(65, 128, { characters: 128, layers: 2 }),
      weights: await readCharRnn((file) => get(`charrnn/shakespeare/${file}`)),
    }),
    samples: (step) => tokens(step, 65),
    named: asIs,
  },
} as const satisfies Readonly<Record<string, Family>>;

/** Euclidean, of as many numbers as there are. */
export const length = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, one) => sum + one * one, 0));

/** A tensor's way as the golden file tells it: its length, and its sums under eight rows of signs, whose error is that of all numbers. */
export function told(way: Float64Array): readonly number[] {
  const sums = Array.from({ length: 8 }, (_, row) =>
    way.reduce((sum, one, i) => sum + (noise(row, i) >>> 31 === 1 ? -one : one), 0),
  );
  return [length(way), ...sums];
}

/** How far two ways are from each other. */
export function apart(one: readonly number[], other: readonly number[]): number {
  const [longer = 0, ...sums] = one.map((value, i) => Math.abs(value - (other[i] as number)));
  return Math.max(longer, length(sums) / Math.sqrt(sums.length));
}
