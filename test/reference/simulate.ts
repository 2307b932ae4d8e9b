// A whole update in plain loops: micro-batches added up, norms, controllers, trust ratios, the rules, running means. What the
// passes around the update are held against together.

import type { Controller } from "../../src/kernels/control.ts";
import type { UpdateRule } from "../../src/kernels/update.ts";
import { BLOCK } from "../../src/plan/layout.ts";
import type { UpdateSettings } from "../../src/step/update.ts";
import { average } from "./average.ts";
import { control, type LayerNorms, type Memory, startMemory } from "./control.ts";
import { direction, type Norms, norm } from "./norm.ts";
import { rowSum } from "./row-sum.ts";
import { trust } from "./trust.ts";
import type { Round } from "./twin.ts";
import { clipped, update, withMomentum } from "./update.ts";

export interface SimulatedTensor {
  readonly rule: UpdateRule;
  readonly layer: number;
  /** Share of the new weights in the running mean. */
  readonly share: number;
  /** Weights and moments. */
  arrays: readonly Float64Array[];
  mean: Float64Array;
  moved: number;
}

export interface Simulated {
  readonly tensors: readonly SimulatedTensor[];
  readonly memories: readonly Memory[];
  readonly steers: (layer: number, name: Controller["name"]) => boolean;
}

export const startOf = (
  tensors: readonly SimulatedTensor[],
  layers: number,
  steers: Simulated["steers"],
): Simulated => ({ tensors, memories: Array.from({ length: layers }, startMemory), steers });

export interface SimulatedStep {
  readonly step: number;
  /** The host's layer table. */
  readonly table: Float32Array;
  readonly gradients: readonly Float64Array[];
  readonly loss: number;
  readonly momentum: number | undefined;
}

/** What one step leaves beside weights and memories. */
export interface Outcome {
  /** Rows as the update read them. */
  readonly rows: readonly (readonly number[])[];
  readonly norms: readonly Norms[];
  /** Factors of gradient and rate, undefined for rows at rest. */
  readonly factors: readonly (readonly [number, number] | undefined)[];
}

export function simulate(world: Simulated, settings: UpdateSettings, given: SimulatedStep, round: Round): Outcome {
  const { tensors, memories, steers } = world;
  const { controllers, clip, clamp } = settings;
  const { step, table, gradients, loss, momentum } = given;
  const host = tensors.map((_, i) => Array.from(table.subarray(4 * i, 4 * i + 4)));
  const isActive = (i: number): boolean => host[i]![3] !== 0;
  const seeks = controllers.some(({ name }) => name === "hypergradient");
  const ruleOf = (i: number): UpdateRule => withMomentum(tensors[i]!.rule, momentum);

  /** Norms of a tensor, with its gradients clipped by a factor. */
  function normsOf(i: number, factor: number, isLamb: boolean): Norms {
    const { arrays } = tensors[i]!;
    const [weights, ...moments] = arrays as [Float64Array];
    const raw = isActive(i) ? gradients[i]! : new Float64Array(weights.length);
    const g = clipped(raw, clamp, factor, round);
    const u = isActive(i) && isLamb ? direction(ruleOf(i), [weights, g, ...moments], host[i]!, round) : undefined;
    const blocks: Norms[] = [];
    for (let at = 0; at < weights.length; at += BLOCK) {
      const [own, seen, p, way] = [raw, g, weights, u].map((all) => all?.subarray(at, at + BLOCK));
      blocks.push(norm(own!, seen!, p!, way, round));
    }
    return rowSum(blocks, round);
  }

  const first = tensors.map(({ rule }, i) =>
    normsOf(i, 1, (seeks && rule.directed === true) || (clip === undefined && rule.trust?.kind === "lamb")),
  );
  const layers = memories.map((_, layer): LayerNorms | undefined => {
    const own = [...tensors.keys()].filter((i) => tensors[i]!.layer === layer && isActive(i));
    if (own.length === 0) return undefined;
    const sum = (value: (i: number) => number): number => own.reduce((total, i) => round(total + value(i)), 0);
    const [gradient, weight, way, product, bad] = [0, 1, 2, 3, 4].map((k) => sum((i) => first[i]![k]!));
    const moved = sum((i) => tensors[i]!.moved);
    return { gradient: gradient!, weight: weight!, direction: way!, product: product!, bad: bad!, moved };
  });
  const said = control(layers, steers, memories, { controllers, clip, step, loss, round });
  const factors = tensors.map(({ layer }, i) => (isActive(i) ? said[layer] : undefined));

  const rows = tensors.map(({ rule }, i): readonly number[] => {
    const factor = factors[i];
    if (factor === undefined) return [0, 0, 0, 0];
    const isRate = [..."xyzw"].map(
      (field) => (rule.rateFields ?? "x").includes(field) || (field === "y" && rule.variant.DECOUPLED === true),
    );
    const row = host[i]!.map((value, k) => (isRate[k] === true ? round(value * factor[1]) : value));
    // Both ratios look at gradients as they are when clipping is done.
    const norms = normsOf(i, factor[0], rule.trust?.kind === "lamb");
    return trust(ruleOf(i), norms, host[i]!, row, round);
  });
  for (const [i, tensor] of tensors.entries()) {
    const factor = factors[i];
    const [weights, ...moments] = tensor.arrays as [Float64Array];
    // The mean goes on towards weights that do not move.
    if (factor === undefined) {
      tensor.mean = average(tensor.mean, weights, tensor.share, round);
      continue;
    }
    const g = clipped(gradients[i]!, clamp, factor[0], round);
    const [after, , ...rest] = update(ruleOf(i), [weights, g, ...moments], rows[i]!, round) as Float64Array[];
    tensor.arrays = [after!, ...rest];
    tensor.moved = after!.reduce((sum, p, k) => round(sum + round((p - weights[k]!) ** 2)), 0);
    tensor.mean = average(tensor.mean, after!, tensor.share, round);
  }
  return { rows, norms: first, factors };
}
