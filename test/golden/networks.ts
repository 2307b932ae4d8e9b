// What networks.safetensors says of a network, and the weights and data from which PyTorch began: the formulas of networks.py.

import { noise } from "../../demo/bench/workload.ts";
import { decodeSafetensors, type FileTensor } from "../../src/io/safetensors.ts";
import file from "./networks.safetensors?url";

export interface GoldenNetwork {
  readonly seed: number;
  readonly rule: "adam" | "adamw";
  readonly options: { readonly lr: number; readonly weight_decay?: number; readonly eps?: number };
  /** What the rate of each layer is multiplied by. */
  readonly rates: Readonly<Record<string, number>>;
  /** Before each update. */
  readonly losses: readonly number[];
  /** The loss of all samples in the end, as in predictions. */
  readonly evaluated: number;
  /** Weights and states in the order in which they are made, and of how many numbers one is kept. */
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly every: number }>>;
  /** Weights whose gradient is 0. */
  readonly still: readonly string[];
  /** By tensor, how far it moved, and then the two moments of a weight. */
  readonly rows: ReadonlyMap<string, readonly (readonly number[])[]>;
}

export interface GoldenNetworks {
  readonly samples: number;
  readonly batch: number;
  of(name: string): GoldenNetwork;
}

export async function goldenNetworks(): Promise<GoldenNetworks> {
  const { tensors, metadata } = decodeSafetensors(new Uint8Array(await (await fetch(file)).arrayBuffer()));
  return {
    samples: Number(metadata.samples),
    batch: Number(metadata.batch),
    of(name) {
      const own = [...tensors].filter(([key]) => key.startsWith(`${name}/`));
      const rows = new Map(own.map(([key, tensor]) => [key.slice(name.length + 1), rowsOf(tensor)]));
      return { ...JSON.parse(metadata[name] as string), rows };
    },
  };
}

function rowsOf({ shape, data }: FileTensor): number[][] {
  const [rows = 0, length = 0] = shape;
  return Array.from({ length: rows }, (_, row) => [...data.subarray(row * length, (row + 1) * length)]);
}

const product = (shape: readonly number[]): number => shape.reduce((all, length) => all * length, 1);

/** Numbers from 0 to 1, as f32 holds them. */
export const uniform = (stream: number, ...shape: readonly number[]): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: product(shape) }, (_, i) => noise(stream, i) / 2 ** 32);

export const labels = (stream: number, classes: number, ...shape: readonly number[]): Uint32Array<ArrayBuffer> =>
  Uint32Array.from({ length: product(shape) }, (_, i) => noise(stream, i) % classes);

/** The weights at the start. */
export function startOf({ seed, tensors }: GoldenNetwork): Record<string, Float32Array> {
  const weights = Object.entries(tensors).filter(([name]) => !/moving\w+$/.test(name));
  return Object.fromEntries(
    weights.map(([name, { shape }], i) => {
      const [inputs = 0, outputs = 0] = shape.slice(-2);
      const glorot = Math.sqrt(6 / (product(shape.slice(0, -2)) * (inputs + outputs)));
      const spread = shape.length > 1 ? glorot : 0.25;
      const around = name.endsWith("gamma") ? 1 : 0;
      return [name, uniform(1000 * seed + i, ...shape).map((u) => (2 * u - 1) * spread + around)];
    }),
  );
}
