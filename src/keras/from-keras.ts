// A network that Keras or TensorFlow.js trained, as a model of Gradus with its weights.

import { sizeOf } from "../foreign/strided.ts";
import { GradusError, type Input, type Model, OptionError, summary, type Value, type Values } from "../index.ts";
import { built, type FileInput, type Leaf } from "./build.ts";
import { fail, shown } from "./config.ts";
import { type KerasState, stateOf } from "./optimizer.ts";
import { numbersOf, type Placed, placed } from "./place.ts";
import { type KerasReport, reportOf } from "./report.ts";
import { type KerasSource, opened } from "./source.ts";
import type { Numbers } from "./tensor.ts";
import { shapedValue, tracedPart } from "./traced-part.ts";

/** Options of `fromKeras`. */
export interface KerasOptions {
  /** Whether a softmax or sigmoid at the end is left out, so that the model gives logits, as losses take them. Default false. */
  readonly logits?: boolean;
}

/** What `compile` takes as `input`. */
export type KerasInput = Input | { readonly [name: string]: Input };

/** What `fromKeras` gives. */
export interface FromKeras {
  /** Of named parts, which `cut` and `replaceHead` take: parts are called as the layers are in the file. */
  readonly model: Model;
  /** By Gradus's names, running means and variances among them: what `compile` takes as `weights`. */
  readonly weights: ReadonlyMap<string, Numbers>;
  /** What was read, what was left out, and what to know. `String(report)` is a table. */
  readonly report: KerasReport;
  /** What `compile` takes as `input`; undefined where the file leaves a length free. Shapes are without the batch. */
  readonly input: KerasInput | undefined;
  /** What the optimizer kept, where the file has it. */
  readonly state: KerasState | undefined;
}

/**
 * Reads a TensorFlow.js layers-model, `{ json, weights }`, or the bytes of a Keras .h5 file: Sequential and functional models in the form
 * of Keras 2, also models in models, layers that are used several times, and several inputs and outputs. Layers keep their names, in which
 * "/" becomes "." and what cannot stand in a path becomes "_"; an activation of a layer stands under the layer's name. A layer that is used
 * again is a part "name#2". Weights in uint8, uint16 and float16 become f32.
 *
 * Nothing of the file is executed. Throws CheckpointError for what is damaged, missing or not known, with the layer, shard or place and
 * both numbers, OptionError for options that do not exist.
 *
 * @example
 * const { model, weights, input } = await fromKeras({ json, weights: shards }, { logits: true });
 * const trainer = await compile(replaceHead(model, [dense(10)]), { input, loss: crossEntropy(), weights });
 */
export async function fromKeras(source: KerasSource, options: KerasOptions = {}): Promise<FromKeras> {
  const logits = logitsOf(options);
  const file = await opened(source);
  const major = Number.parseInt(file.version ?? "2", 10);
  const { model, leaves, inputs, ends } = built(file.model, { logits, major: Number.isNaN(major) ? 2 : major });
  const found = placed(leaves, file.tensors);
  const weights = new Map<string, Numbers>();
  for (const one of found) weights.set(one.name, numbersOf(one));
  for (const { at, made } of leaves)
    for (const { to, shape } of made.zeros ?? [])
      weights.set(`${at}.${to}`, { shape, data: new Float32Array(sizeOf(shape)) });
  const input = inputOf(inputs);
  if (input !== undefined) checkAgainst(model, input, weights);
  const state = stateOf(file.training, file.optimizer, found);
  const used = new Set(found.map(({ tensor }) => tensor));
  const unused = file.tensors
    .filter((tensor) => !used.has(tensor))
    .map(({ name, shape }) => `weight "${name}" [${shape}]`);
  const report = reportOf({
    format: file.format,
    leaves,
    numbers: numbersByLeaf(found),
    ends,
    logits,
    leftOut: [...unused, ...(state?.leftOut ?? []).map((name) => `"${name}" of the optimizer`)],
    advice: input === undefined ? ["The file leaves a length of the input free: give compile the input's shape."] : [],
  });
  return { model, weights, report, input, state: state?.state };
}

function logitsOf(options: unknown): boolean {
  const given = typeof options === "object" && options !== null ? options : undefined;
  const odd = Object.keys(given ?? {}).find((key) => key !== "logits");
  if (given === undefined || odd !== undefined)
    throw new OptionError(
      `fromKeras: ${odd === undefined ? `its options are ${shown(options)}, they must be an object` : `it has no "${odd}"`}. It may have logits.`,
    );
  const { logits = false } = given as KerasOptions;
  if (typeof logits !== "boolean")
    throw new OptionError(`fromKeras: logits is ${shown(logits)}, it must be true or false.`);
  return logits;
}

/** The only input as it is, several by name. */
function inputOf(inputs: ReadonlyMap<string, FileInput | undefined>): KerasInput | undefined {
  const all = [...inputs];
  if (all.some(([, input]) => input === undefined)) return undefined;
  return all.length === 1 ? all[0]?.[1] : (Object.fromEntries(all) as { readonly [name: string]: Input });
}

function numbersByLeaf(found: readonly Placed[]): ReadonlyMap<Leaf, number> {
  const numbers = new Map<Leaf, number>();
  const counted = new Map<Leaf, Set<unknown>>();
  for (const { leaf, tensor } of found) {
    const seen = counted.get(leaf) ?? new Set();
    counted.set(leaf, seen);
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    numbers.set(leaf, (numbers.get(leaf) ?? 0) + sizeOf(tensor.shape));
  }
  return numbers;
}

/** Lets the model apply itself once, so that layers that do not fit together are found here, and holds its tensors against the weights. */
function checkAgainst(model: Model, input: KerasInput, weights: ReadonlyMap<string, Numbers>): void {
  let tensors: ReadonlyMap<string, readonly number[]>;
  try {
    // The summary asks each op whether its inputs fit; it does not tell all tensors.
    summary(model, { input });
    tensors = tracedPart(model, valuesOf(input)).tensors;
  } catch (cause) {
    if (!(cause instanceof GradusError) || cause.message.startsWith("fromKeras: ")) throw cause;
    fail("the layers do not fit together", cause.message);
  }
  for (const [name, shape] of tensors) {
    const given = weights.get(name)?.shape;
    if (String(given) === String(shape)) continue;
    fail(
      `weight "${name}"`,
      `the file has ${given === undefined ? "none" : `shape [${given}]`}, the layer needs [${shape}].`,
    );
  }
}

/** Values of these shapes: one, or several by name. */
function valuesOf(input: KerasInput): Value | Values {
  const one = (given: Input): Value =>
    "shape" in given ? shapedValue([1, ...given.shape], given.classes) : shapedValue([1, ...given]);
  return isOneInput(input)
    ? one(input)
    : Object.fromEntries(Object.entries(input).map(([name, given]) => [name, one(given)]));
}

const isOneInput = (input: KerasInput): input is Input =>
  Array.isArray(input) || Array.isArray((input as { readonly shape?: unknown }).shape);
