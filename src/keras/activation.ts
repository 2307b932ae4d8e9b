// Activations by Keras's names, as options of other layers and as layers of their own.

import {
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  type Layer,
  leakyRelu,
  logSoftmax,
  mish,
  ops,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
} from "../index.ts";
import { type Config, entry, isObject, optionOf, refuse, shown } from "./config.ts";
import { oldHardSigmoid, softsign } from "./own-ops.ts";

type Make = (major: number) => Layer;

/** By names without "_" and capitals, since writers differ in them. */
const table: ReadonlyMap<string, Make | undefined> = new Map<string, Make | undefined>([
  ["linear", undefined],
  ["relu", () => relu()],
  ["relu6", () => relu6()],
  // As a name it has no option: its slope is that of Keras 3.
  ["leakyrelu", () => leakyRelu({ slope: 0.2 })],
  ["elu", () => elu()],
  ["selu", () => selu()],
  ["gelu", () => gelu()],
  ["tanh", () => tanh()],
  ["sigmoid", () => sigmoid()],
  ["hardsigmoid", (major) => (major >= 3 ? hardSigmoid() : oldHardSigmoid())],
  ["swish", () => silu()],
  ["silu", () => silu()],
  ["hardswish", () => hardSwish()],
  ["hardsilu", () => hardSwish()],
  ["softplus", () => softplus()],
  ["softsign", () => ({ kind: "softsign", apply: (scope, x) => scope.op(softsign, { x }).z })],
  ["mish", () => mish()],
  ["exponential", () => ({ kind: "exp", apply: (scope, x) => scope.op(ops.exp, { x }).z })],
  ["softmax", () => softmax()],
  ["logsoftmax", () => logSoftmax()],
]);

const plain = (name: string): string => name.replaceAll("_", "").toLowerCase();

/** Those after which a loss from logits takes what was before them. */
export const isProbability = (name: string | undefined): boolean => name === "softmax" || name === "sigmoid";

/** The name of an activation: some versions write an object of class or name. */
export function activationName(config: Config, key = "activation"): string {
  const given = optionOf(config, key);
  const inner = isObject(given) ? entry(given, "config") : undefined;
  const name = isObject(given)
    ? isObject(inner)
      ? entry(given, "class_name")
      : (inner ?? entry(given, "class_name"))
    : given;
  if (name === undefined) return "linear";
  if (typeof name !== "string" || !table.has(plain(name))) {
    return refuse(config, `${key} is ${shown(given)}. Known: ${[...table.keys()].join(", ")}.`);
  }
  return plain(name);
}

/** The layer of a name; none for "linear". */
export const activationOf = (name: string, major: number): Layer | undefined => table.get(name)?.(major);
