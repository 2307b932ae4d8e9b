// The workloads as plain data: shapes, starting weights, batches. Every engine that takes part in a benchmark, and the PyTorch
// script in test/golden, starts from these exact f32 numbers, so that losses can be compared before anyone compares times.
// Layouts are those of Gradus: images NHWC, dense [in, out], filters [kh, kw, in, out].

import { adapters, block, layer, norm, stage, stem, type WorkloadTensor, weight } from "./tensors.ts";

export const workloadNames = ["mlp", "deep", "cnn", "gpt", "resnet", "vit", "lstm", "finetune", "lora"] as const;
export type WorkloadName = (typeof workloadNames)[number];

export interface Workload {
  readonly name: WorkloadName;
  readonly batch: number;
  /** Shape of one sample, without the batch. */
  readonly input: readonly number[];
  /** Inputs are whole numbers below this, each with a label of its own; without it they are numbers, with one label a sample. */
  readonly tokens?: number;
  readonly classes: number;
  /** In forward order. */
  readonly tensors: readonly WorkloadTensor[];
  /** First steps over which the losses of all engines must agree. Default: all that are looked at. */
  readonly agreed?: number;
  /** Tensors that do not train, by their beginnings or, of a base, all but the adapters. */
  readonly frozen?: readonly string[] | "all but adapters";
}

/** Batches repeat after this many steps. */
export const BATCHES = 4;

const times = (count: number, each: (i: number) => WorkloadTensor[]): WorkloadTensor[] =>
  Array.from({ length: count }, (_, i) => each(i)).flat();

/** Characters that texts are made of, how long they are, and numbers for each in a gpt. */
const [CHARACTERS, LENGTH, UNITS] = [65, 64, 64];
const BLOCKS = 4;
/** Columns of the adapters' first factors. */
export const RANK = 8;

const text = { input: [LENGTH], tokens: CHARACTERS, classes: CHARACTERS } as const;
const gpt = [
  weight("tokens.weight", [CHARACTERS, UNITS]),
  weight("places.weight", [LENGTH, UNITS]),
  ...times(BLOCKS, (i) => block(`block${i}`, UNITS, 4 * UNITS)),
  ...norm("norm", UNITS),
];
const resnet = [...stem(3, 16), ...stage("stage1", 16, 16), ...stage("stage2", 16, 32), ...stage("stage3", 32, 64)];
const photos = {
  batch: 16,
  input: [32, 32, 3],
  classes: 10,
  tensors: [...resnet, ...layer("head", [64, 10])],
} as const;

/** Sizes of the gpt, for engines that build their own. */
export const gptSize = { vocabulary: CHARACTERS, length: LENGTH, units: UNITS, heads: 4, blocks: BLOCKS } as const;

export const workloads: { readonly [Name in WorkloadName]: Workload & { readonly name: Name } } = {
  /** 784-256-128-10, relu between. */
  mlp: {
    name: "mlp",
    batch: 64,
    input: [784],
    classes: 10,
    tensors: [...layer("fc1", [784, 256]), ...layer("fc2", [256, 128]), ...layer("fc3", [128, 10])],
  },
  /**
   * 32 times dense 64 and relu, dense 10; spread so that what comes in is as large at the end. So many relus make much of little: from
   * one part in 100,000 in the third step jax-js is a hundredth away in the eighth, while the others stay together.
   */
  deep: {
    name: "deep",
    agreed: 3,
    batch: 32,
    input: [64],
    classes: 10,
    tensors: [
      ...times(32, (i) =>
        layer(`fc${i}`, [64, 64]).map((tensor) => ({ ...tensor, spread: tensor.spread * Math.SQRT2 })),
      ),
      ...layer("head", [64, 10]),
    ],
  },
  /** conv 8 3x3 same, relu, pool 2, conv 16 3x3 same, relu, pool 2, flatten (NHWC order), dense 10. */
  cnn: {
    name: "cnn",
    batch: 32,
    input: [28, 28, 1],
    classes: 10,
    tensors: [...layer("conv1", [3, 3, 1, 8]), ...layer("conv2", [3, 3, 8, 16]), ...layer("head", [784, 10])],
  },
  /** demo/models/char-gpt.ts: 4 blocks of 64 numbers and 4 heads, whose table is its last layer too. */
  gpt: { name: "gpt", batch: 8, ...text, tensors: gpt },
  /** demo/models/resnet8.ts, with batch norm. On WebAssembly jax-js is a thousandth away in the tenth step, where others differ by a millionth. */
  resnet: { name: "resnet", agreed: 8, ...photos },
  /** demo/models/vit-tiny.ts: 16 patches, 3 blocks. */
  vit: {
    name: "vit",
    batch: 32,
    input: [28, 28, 1],
    classes: 10,
    tensors: [
      ...layer("patches.0", [7, 7, 1, 64]),
      weight("patches.2.weight", [16, 64]),
      ...times(3, (i) => block(`blocks.${i}`, 64, 128)),
      ...norm("norm", 64),
      ...layer("head", [64, 10]),
    ],
  },
  /** demo/models/char-lstm.ts: 128 units. */
  lstm: {
    name: "lstm",
    batch: 16,
    ...text,
    tensors: [
      weight("tokens.weight", [CHARACTERS, 64]),
      ...layer("read", [64, 512]),
      weight("read.recurrentWeight", [128, 512]),
      ...layer("head", [128, CHARACTERS]),
    ],
  },
  /** The resnet with its stem and its first two stages frozen. */
  finetune: { name: "finetune", ...photos, frozen: ["stem.", "stage1.", "stage2."] },
  /** The gpt as a base that has no gradients, with adapters on the four products of each attention. */
  lora: {
    name: "lora",
    batch: 8,
    ...text,
    tensors: [...gpt, ...times(BLOCKS, (i) => adapters(`block${i}`, UNITS, RANK))],
    frozen: "all but adapters",
  },
};

/** Labels of a batch, over which the loss is a mean. */
export const labelsOf = ({ batch, input, tokens }: Workload): number =>
  tokens === undefined ? batch : batch * size(input);

/** Whether a tensor of a workload stays as it is. */
export const isFrozen = ({ frozen = [] }: Workload, name: string): boolean =>
  frozen === "all but adapters" ? !name.includes(".lora") : frozen.some((beginning) => name.startsWith(beginning));

/** The i-th 32-bit word of stream `seed`: one multiply-xorshift hash, the same in Python (test/golden). */
export function noise(seed: number, i: number): number {
  let x = (Math.imul(i, 0x9e3779b1) + Math.imul(seed, 0x85ebca77)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Starting values of tensor `index`, f32, row-major: stream 1000 + index, uniform in (-spread, spread). */
export function startingWeights(workload: Workload, index: number): Float32Array {
  const tensor = workload.tensors[index];
  if (tensor === undefined) throw new RangeError(`workload ${workload.name} has no tensor ${index}`);
  return Float32Array.from(
    { length: size(tensor.shape) },
    (_, i) => ((noise(1000 + index, i) / 2 ** 32) * 2 - 1) * tensor.spread + (tensor.middle ?? 0),
  );
}

/** Side of the square of noise in an otherwise black image, and how many images there are to one that has it. */
const PATCH = 8;
const LIT_EVERY = 8;

/**
 * Batch k: inputs in [0, 1) as f32 [batch, ...input] from stream 1 + 2k, labels from stream 2 + 2k. Tokens are whole numbers of
 * these streams, and have a label each. A flat sample is
 * noise all over. Images are black but for a square of noise in every eighth, placed by stream 60 + k: in noise all
 * over, some relu or pooling window would sit within f32 rounding of its switch, and no two correct engines would agree
 * for long. test/golden/trajectory.py checks that none does.
 */
export function batchOf(workload: Workload, step: number): { x: Float32Array | Uint32Array; y: Uint32Array } {
  const k = step % BATCHES;
  const below = (stream: number, count: number, most: number): Uint32Array =>
    Uint32Array.from({ length: count }, (_, i) => noise(stream, i) % most);
  if (workload.tokens !== undefined) {
    const count = workload.batch * size(workload.input);
    return { x: below(1 + 2 * k, count, workload.tokens), y: below(2 + 2 * k, count, workload.classes) };
  }
  const [height, width, channels = 1] = workload.input;
  const values = size(workload.input);
  const lit = (i: number): boolean => {
    if (height === undefined || width === undefined) return true;
    const image = Math.floor(i / values);
    if (image % LIT_EVERY !== 0) return false;
    const place = noise(60 + k, image);
    const row = (Math.floor(i / channels / width) % height) - (place % (height - PATCH + 1));
    const column = (Math.floor(i / channels) % width) - ((place >>> 8) % (width - PATCH + 1));
    return row >= 0 && row < PATCH && column >= 0 && column < PATCH;
  };
  const x = Float32Array.from({ length: workload.batch * values }, (_, i) =>
    lit(i) ? noise(1 + 2 * k, i) / 2 ** 32 : 0,
  );
  return { x, y: below(2 + 2 * k, workload.batch, workload.classes) };
}
