// A layer of norms.json or layers.json as a model whose x is a weight too, so that its gradient can be asked for.

import type { Layer } from "../../src/index.ts";
import * as door from "../../src/index.ts";
import layers from "./layers.json";
import norms from "./norms.json";

export interface LayerCase {
  readonly layer: string;
  readonly args: readonly unknown[];
  readonly shape: readonly number[];
  readonly out: readonly number[];
  readonly x: readonly number[];
  readonly target: readonly number[];
  readonly y: readonly number[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  /** Of batch normalization: what came before x, and where the running values end. */
  readonly before?: readonly (readonly number[])[];
  readonly states?: Readonly<Record<string, readonly number[]>>;
}

export const layerCases = [...norms.layers, ...layers.layers] as unknown as readonly LayerCase[];

export const nameOf = ({ layer, args, shape }: LayerCase): string =>
  `${layer}(${args.map((one) => JSON.stringify(one)).join(", ")}) of [${shape}]`;

/** Its input is one number a sample, which nothing depends on. */
export function modelOf({ layer, args, shape }: LayerCase): Layer {
  const made = (door as unknown as Record<string, (...args: unknown[]) => Layer>)[layer]!(...args);
  return { kind: "own", apply: (scope) => made.apply(scope, scope.parameter("x", shape, "zeros")) };
}

/** 0.5 sum((y - t)^2). */
export const lossOf = ({ y }: LayerCase) => door.meanSquaredError({ weight: y.length / 2 });

/** The largest error of numbers, relative to the largest of them. */
export function errorOf(found: ArrayLike<number>, expected: readonly number[]): number {
  if (found.length !== expected.length) throw new Error(`There are ${found.length} numbers, not ${expected.length}.`);
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(found[i]! - value))) / largest;
}
