// The layer table as people read it: a row for each tensor, or one for each layer.

import type { Phase, Row } from "./row.ts";

/** A tensor for people. */
export interface TensorRow {
  /** Path of the tensor, "stem.0.weight". */
  readonly name: string;
  /** The layer whose settings it follows. */
  readonly layer: string;
  /** Numbers in it. */
  readonly parameterCount: number;
  /** Waiting is frozen before `from`, resting left alone by a guard. */
  readonly state: Phase;
  /** Name of the update rule. */
  readonly optimizer: string;
  /** Base learning rate, before multiplier and schedule. */
  readonly base: number;
  /** Factor of its rules on the base rate. */
  readonly multiplier: number;
  /** Of the next step. Before the first fit a schedule that counts epochs stands at its start. */
  readonly lr: number;
  /** Its decay now. */
  readonly weightDecay: number;
  /** Decay of the running average of the weights. */
  readonly averaging: number;
  /** Updates that it has had. */
  readonly updates: number;
}

/**
 * A layer for people. Where its tensors differ, everything but the counts is that of its first tensor that is most awake: the bias
 * of a layer whose weight is frozen, and else the weight. `{ tensors: true }` shows each tensor.
 */
export interface LayerRow extends Omit<TensorRow, "layer"> {
  /** Numbers in all its tensors, those assigned to it included. */
  readonly parameterCount: number;
  /** Tensors that other layers made and that were assigned to this one. */
  readonly assigned: number;
}

/** What changes from step to step. */
export type Standing = Pick<TensorRow, "state" | "lr" | "updates">;

export const tensorRows = (rows: readonly Row[], standing: (row: Row, i: number) => Standing): TensorRow[] =>
  rows.map((row, i) => {
    const { name, layer, length, optimizer, lr: base, multiplier, weightDecay, averaging } = row;
    const { state, lr, updates } = standing(row, i);
    return {
      ...{ name, layer, parameterCount: length, state, optimizer: optimizer.rule.name, base, multiplier, lr },
      ...{ weightDecay, averaging, updates },
    };
  });

const awake: readonly Phase[] = ["active", "resting", "waiting", "frozen"];

/** Of the layers that have tensors. */
export const layerRows = (layers: readonly string[], rows: readonly Row[], tensors: readonly TensorRow[]): LayerRow[] =>
  layers.flatMap((name) => {
    const own = tensors.filter(({ layer }) => layer === name);
    const state = awake.find((phase) => own.some((tensor) => tensor.state === phase));
    const shown = own.find((tensor) => tensor.state === state);
    if (shown === undefined) return [];
    const { layer, ...settings } = shown;
    const parameterCount = own.reduce((sum, tensor) => sum + tensor.parameterCount, 0);
    const assigned = rows.filter((row) => row.layer === name && row.home !== name).length;
    return { ...settings, name, parameterCount, assigned };
  });
