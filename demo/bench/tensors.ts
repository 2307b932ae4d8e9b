// Weights of the workloads as lists: names, shapes, and what their starting values are drawn from.

export interface WorkloadTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Half width of the uniform distribution that the starting values are drawn from, and its middle, by default 0. */
  readonly spread: number;
  readonly middle?: number;
}

const glorot = (fanIn: number, fanOut: number): number => Math.sqrt(6 / (fanIn + fanOut));

/** A weight without a bias: [in, out] or [kh, kw, in, out]. */
export function weight(name: string, shape: readonly number[]): WorkloadTensor {
  const out = shape[shape.length - 1] as number;
  const window = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  const inputs = shape[shape.length - 2] as number;
  return { name, shape, spread: glorot(window * inputs, window * out) };
}

/** A weight and a bias. */
export const layer = (name: string, shape: readonly number[]): WorkloadTensor[] => [
  weight(`${name}.weight`, shape),
  { name: `${name}.bias`, shape: shape.slice(-1), spread: 0.1 },
];

/** Gamma and beta of a norm. */
export const norm = (name: string, channels: number): WorkloadTensor[] => [
  { name: `${name}.gamma`, shape: [channels], spread: 0.1, middle: 1 },
  { name: `${name}.beta`, shape: [channels], spread: 0.1 },
];

const projections = ["query", "key", "value", "output"] as const;

/** A transformer block. */
export const block = (name: string, units: number, hidden: number): WorkloadTensor[] => [
  ...norm(`${name}.norm1`, units),
  ...projections.flatMap((part) => layer(`${name}.attention.${part}`, [units, units])),
  ...norm(`${name}.norm2`, units),
  ...layer(`${name}.hidden`, [units, hidden]),
  ...layer(`${name}.output`, [hidden, units]),
];

/** The adapters of a block's attention. */
export const adapters = (name: string, units: number, rank: number): WorkloadTensor[] =>
  projections.flatMap((part) => [
    weight(`${name}.attention.${part}.loraA`, [units, rank]),
    weight(`${name}.attention.${part}.loraB`, [rank, units]),
  ]);

const normed = (name: string, shape: readonly number[]): WorkloadTensor[] => [
  weight(`${name}.conv.weight`, shape),
  ...norm(`${name}.norm`, shape.at(-1) as number),
];

/** A stage of resnet8 from so many channels to so many; where they differ the bypass has a convolution too. */
export const stage = (name: string, from: number, to: number): WorkloadTensor[] => [
  ...normed(`${name}.inner.one`, [3, 3, from, to]),
  ...normed(`${name}.inner.two`, [3, 3, to, to]),
  ...(from === to ? [] : normed(`${name}.around`, [1, 1, from, to])),
];

export const stem = (channels: number, filters: number): WorkloadTensor[] =>
  normed("stem.one", [3, 3, channels, filters]);
