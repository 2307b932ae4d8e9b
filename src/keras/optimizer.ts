// What an optimizer of Keras kept: how often it has updated, and its moments by the names of the model's tensors.

import { entry, fail, isObject } from "./config.ts";
import { type Placed, plainName } from "./place.ts";
import type { FileTensor, Numbers } from "./tensor.ts";

/** An optimizer as the file has it. */
export interface KerasState {
  /** Keras's name of it, "Adam". */
  readonly optimizer: string;
  /** Updates that were made. */
  readonly iterations: number;
  /** Its options in Keras's names, such as learning_rate, beta_1 and epsilon. */
  readonly options: Readonly<Record<string, number | boolean>>;
  /** Numbers beside the weights: by Keras's name, `m` and `v` of Adam, then by tensor of the model. */
  readonly slots: ReadonlyMap<string, ReadonlyMap<string, Numbers>>;
}

export interface ReadState {
  readonly state: KerasState;
  /** What could not be told to a tensor of the model. */
  readonly leftOut: readonly string[];
}

const counters = ["iter", "iterations", "iteration"];

/** Reads it; undefined where the file has none. */
export function stateOf(
  training: unknown,
  kept: readonly FileTensor[] | undefined,
  weights: readonly Placed[],
): ReadState | undefined {
  if (kept === undefined || kept.length === 0) return undefined;
  const config = isObject(training) ? entry(training, "optimizer_config") : undefined;
  const [kind, given] = isObject(config) ? [entry(config, "class_name"), entry(config, "config")] : [];
  const options = Object.fromEntries(
    Object.entries(isObject(given) ? given : {}).filter(
      ([, value]) => typeof value === "number" || typeof value === "boolean",
    ),
  ) as Record<string, number | boolean>;
  const byName = new Map<string, Placed[]>();
  for (const one of weights) {
    const name = plainName(one.tensor.name);
    byName.set(name, [...(byName.get(name) ?? []), one]);
  }
  const slots = new Map<string, Map<string, Numbers>>();
  const leftOut: string[] = [];
  let iterations = 0;
  for (const tensor of kept) {
    const parts = plainName(tensor.name).split("/");
    if (counters.includes(parts.at(-1) as string) && tensor.shape.length === 0) {
      iterations = tensor.numbers()[0] as number;
      if (!Number.isSafeInteger(iterations) || iterations < 0)
        return fail("optimizer_weights", `"${tensor.name}" is ${iterations}, it must be a whole number of at least 0.`);
      continue;
    }
    const [slot, owners] = slotOf(parts, byName);
    if (owners === undefined) {
      leftOut.push(tensor.name);
      continue;
    }
    const own = owners[0]?.tensor.shape as readonly number[];
    if (String(own) !== String(tensor.shape))
      return fail("optimizer_weights", `"${tensor.name}" has shape [${tensor.shape}], its weight has [${own}].`);
    const given = { shape: tensor.shape, data: tensor.numbers() };
    const named = slots.get(slot) ?? new Map<string, Numbers>();
    slots.set(slot, named);
    for (const { name, need } of owners) named.set(name, need.turn?.(given) ?? given);
  }
  const name = typeof kind === "string" ? kind.slice(kind.lastIndexOf(">") + 1) : "unknown";
  return { state: { optimizer: name, iterations, options, slots }, leftOut };
}

/** `Adam/dense/kernel/m` and `Adam/m/dense/kernel`, with or without a group before them. */
function slotOf(
  parts: readonly string[],
  byName: ReadonlyMap<string, readonly Placed[]>,
): [slot: string, owners: readonly Placed[] | undefined] {
  for (let begin = 1; begin < parts.length - 1; begin++) {
    const old = byName.get(parts.slice(begin, -1).join("/"));
    if (old !== undefined) return [parts.at(-1) as string, old];
    const recent = byName.get(parts.slice(begin + 1).join("/"));
    if (recent !== undefined) return [parts[begin] as string, recent];
  }
  return ["", undefined];
}
