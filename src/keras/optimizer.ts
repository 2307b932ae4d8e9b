// What an optimizer of Keras kept: how often it has updated, and its moments by the names of the model's tensors.

import type { OptimizerState, TensorState } from "../index.ts";
import { entry, fail, isObject } from "./config.ts";
import { type Placed, plainName } from "./place.ts";
import type { FileTensor, Numbers } from "./tensor.ts";

/** An optimizer as the file has it, and as `compile` takes it. */
export interface KerasState extends OptimizerState {
  /** Keras's name of it, "Adam". */
  readonly optimizer: string;
  /** Updates that were made. */
  readonly iterations: number;
  /** Its options in Keras's names, such as learning_rate, beta_1 and epsilon. */
  readonly options: Readonly<Record<string, number | boolean>>;
  /** Numbers beside the weights: by Keras's name, `m` and `v` of Adam, then by tensor of the model. */
  readonly slots: ReadonlyMap<string, ReadonlyMap<string, Numbers>>;
  /** Its slots as moments of `adam({ epsFirst: true })`, `adamw` or `sgd({ lrInMomentum: true })`, with `iterations` as step; else empty. */
  readonly tensors: ReadonlyMap<string, TensorState>;
}

/** Moments by Keras's name; -1 where Keras keeps what is added to the weight. */
const moments: Readonly<
  Record<string, Readonly<Record<string, readonly [moment: "moment1" | "moment2" | "moment3", sign: number]>>>
> = {
  Adam: { m: ["moment1", 1], v: ["moment2", 1], vhat: ["moment3", 1] },
  SGD: { momentum: ["moment1", -1] },
};

function momentsOf(optimizer: string, step: number, slots: KerasState["slots"]): Map<string, TensorState> {
  const tensors = new Map<string, TensorState>();
  const known = Object.entries(moments).find(([name]) => name === optimizer.replace(/W$/, ""))?.[1] ?? {};
  for (const [slot, [moment, sign]] of Object.entries(known))
    for (const [name, { shape, data }] of slots.get(slot) ?? []) {
      const numbers = { shape, data: Float32Array.from(data, (value) => sign * value) };
      tensors.set(name, { ...(tensors.get(name) ?? { step }), [moment]: numbers });
    }
  return tensors;
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
  const tensors = momentsOf(name, iterations, slots);
  return { state: { optimizer: name, iterations, options, slots, step: iterations, tensors }, leftOut };
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
