// A trained model as an ONNX file for whatever serves it.

import { sizeOf } from "../foreign/strided.ts";
import { type Input, type Model, OptionError, type Value } from "../index.ts";
import { modelSchema } from "../onnx/file.ts";
import { FLOAT, type Host, host, INT32, INT64, isFloat } from "../onnx/host.ts";
import { type Origin, originOf } from "../onnx/origin.ts";
import { refusal } from "./ask.ts";
import { encode } from "./encode.ts";
import { forms } from "./forms.ts";
import { channelsFirst, type Held, inOrder, sheetOf } from "./sheet.ts";
import { type Dims, type Given, type Traced, traced } from "./trace.ts";

/** Options of `toOnnx`. */
export interface ToOnnxOptions {
  /**
   * Shape of one sample, or several by name, as for `compile`. Default: what `fromOnnx` read the model with, or the `inputShape` of the
   * trainer or network.
   */
  readonly input?: Input | { readonly [name: string]: Input };
  /**
   * How images [B, height, width, channels] go in and come out: "NHWC", the default, takes the numbers that `predict` takes; "NCHW" is
   * what PyTorch's exporter writes, and saves one change of order.
   */
  readonly layout?: "NHWC" | "NCHW";
  /** For how many samples at once the file is. Default: any number. */
  readonly batch?: number;
}

/** Weights as `trainer.weights()` gives them. */
type Weights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>;

/** A trainer, or the network of one or of `inference`. */
interface Weighted {
  /** As of a trainer. */
  weights(): Promise<Weights>;
  /** Of a trainer: what knows the shape of its input. */
  readonly network?: { readonly inputShape: readonly number[] };
  /** Of a network: one sample, without the batch. */
  readonly inputShape?: readonly number[];
}

const KEYS = ["input", "layout", "batch"];

const refuse = (what: string): never => {
  throw new OptionError(`toOnnx: ${what}`);
};

/**
 * Writes a trained model as an ONNX file for serving: opset 13, or up to 17 where an operator needs it, in inference (no dropout, running
 * values of batch norms), any number of samples. Inputs and outputs have the model's names, one alone is `input` or `output`, and an output
 * that is called as an input has `_out` behind; a model of `fromOnnx` goes back under the names that it had. Initializers have the names of
 * the model's tensors. Numbers are f32, those that rows of a table are looked up by int64. What the options `mean`, `std` and `scale` of
 * `compile` do to x is not in the file.
 *
 * `source` is the trainer, a network, or weights by name. Throws OptionError for ops without a form in ONNX (those of your own), by name
 * and path, and for weights that are missing or of another shape, with both shapes.
 *
 * @example
 * const bytes = await toOnnx(trainer, model);
 *
 * @example
 * const bytes = await toOnnx(await trainer.weights(), model, { input: { shape: [128], classes: 65 } });
 */
export async function toOnnx(
  source: Weighted | Weights,
  model: Model,
  options: ToOnnxOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkOptions(source, model, options);
  const weights = source instanceof Map ? source : await (source as Weighted).weights();
  const origin = originOf(model);
  const { given, isOne } = inputsOf(options, origin, source as Weighted);
  const batch = options.batch ?? origin?.batch;
  return encode(modelSchema, messageOf(weights, described(model, given, isOne, batch), { given, origin, options }));
}

function checkOptions(source: unknown, model: unknown, options: ToOnnxOptions): void {
  const isWeighted = typeof (source as Weighted | undefined)?.weights === "function";
  if (!(source instanceof Map) && !isWeighted)
    refuse("its first argument is no trainer, network, or Map of weights. Write toOnnx(trainer, model).");
  if (typeof (model as Model | undefined)?.apply !== "function")
    refuse("its second argument is no model. Write toOnnx(trainer, model), with the model that the trainer has.");
  const odd = Object.keys(options).find((key) => !KEYS.includes(key));
  if (odd !== undefined) refuse(`there is no option "${odd}". Options: ${KEYS.join(", ")}.`);
  const { layout = "NHWC", batch = 1 } = options;
  if (layout !== "NHWC" && layout !== "NCHW")
    refuse(`layout is ${JSON.stringify(layout)}, it must be "NHWC" or "NCHW".`);
  if (!Number.isSafeInteger(batch) || batch < 1)
    refuse(`batch is ${batch}, it must be a whole number of at least 1. Leave it out for any.`);
}

/** What a layer refuses is told as it is, and so is what a model stumbles over that is given other inputs than it takes. */
function described(model: Model, given: readonly Given[], isOne: boolean, batch: number | undefined): Traced {
  try {
    return traced(model, given, isOne, batch);
  } catch (cause) {
    if (cause instanceof OptionError) throw cause;
    return refuse(
      `the model cannot be applied to its input: ${(cause as Error).message} Give the option input as compile has it.`,
    );
  }
}

function inputsOf(
  { input }: ToOnnxOptions,
  origin: Origin | undefined,
  { network, inputShape = network?.inputShape }: Weighted,
): { readonly given: readonly Given[]; readonly isOne: boolean } {
  if (input === undefined && origin !== undefined) return { given: origin.inputs, isOne: origin.inputs.length === 1 };
  const told: unknown = input ?? inputShape;
  const one = (name: string, each: unknown): Given => {
    const { shape = each, classes } = (each ?? {}) as { readonly shape?: unknown; readonly classes?: number };
    if (!Array.isArray(shape) || !shape.every((length) => Number.isSafeInteger(length) && length >= 1))
      return refuse(
        `the input${name === "" ? "" : ` "${name}"`} is ${JSON.stringify(each)}. Give the shape of a sample, for example { input: [28, 28, 1] }.`,
      );
    return { name, shape, classes };
  };
  const isOne =
    typeof told !== "object" ||
    told === null ||
    Array.isArray(told) ||
    Array.isArray((told as { shape?: unknown }).shape);
  if (isOne) return { given: [one(origin?.inputs[0]?.name ?? "", told)], isOne };
  return { given: Object.entries(told).map(([name, each]) => one(name, each)), isOne };
}

interface Facts {
  readonly given: readonly Given[];
  readonly origin: Origin | undefined;
  readonly options: ToOnnxOptions;
}

function messageOf(weights: Weights, { uses, dims, owns, inputs, outputs }: Traced, facts: Facts) {
  const { given, origin, options } = facts;
  const axesOf = (shape: Dims): readonly number[] =>
    options.layout === "NCHW" && shape.length === 4 ? channelsFirst(4) : inOrder(shape.length);
  const sourcesOf = (names: readonly string[], there: readonly { name: string; source: string }[], one: string) =>
    names.map((name) => there.find((known) => known.name === name)?.source ?? (name === "" ? one : name));
  const inputNames = sourcesOf(
    given.map(({ name }) => name),
    origin?.inputs ?? [],
    "input",
  );
  const outputNames = sourcesOf(Object.keys(outputs), origin?.outputs ?? [], "output").map((name) =>
    inputNames.includes(name) ? `${name}_out` : name,
  );
  const sheet = sheetOf(inputNames, outputNames);
  const dimsOf = ({ id }: Value): Dims => dims.get(id) as Dims;

  // What outputs need, and which inputs are numbers of rows.
  const needed = new Set(Object.values(outputs).map(({ id }) => id));
  const ids = new Set<number>();
  const kept = uses
    .toReversed()
    .filter((use) => {
      const made = Object.values(use.outputs).map(({ id }) => id);
      if (!made.some((id) => needed.has(id))) return false;
      if (use.op === "embedding") ids.add(use.inputs.ids?.id as number);
      for (const { id } of Object.values(use.inputs)) {
        needed.add(id);
        if (made.some((one) => ids.has(one))) ids.add(id);
      }
      return true;
    })
    .toReversed();

  const held = new Map<number, Held>();
  const types = inputs.map((value, i) => {
    const [name, shape] = [inputNames[i] as string, dimsOf(value)];
    const told = origin?.inputs[i]?.type ?? FLOAT;
    const isReal = isFloat(told) && !ids.has(value.id);
    const type = isReal ? FLOAT : told === INT32 ? INT32 : INT64;
    const own = isReal || ids.has(value.id) ? name : sheet.node("Cast", [name], { to: FLOAT });
    const axes = axesOf(shape);
    held.set(value.id, sheet.flow(own, shape, axes));
    return { name, type, dims: axes.map((axis) => shape[axis] as number) };
  });
  for (const [id, asked] of owns) held.set(id, tensorOf(weights, asked.path, asked.shape, asked.role));
  let opset = 13;
  for (const { op, path, inputs: taken, outputs: made, attributes } of kept) {
    const refuseOp = refusal(op, path);
    const form = Object.hasOwn(forms, op) ? forms[op] : undefined;
    if (form === undefined) return refuseOp("is one");
    const x = Object.fromEntries(
      Object.entries(taken).map(([name, { id }]) => [name, held.get(id) ?? refuseOp("takes random numbers")]),
    );
    sheet.path = path;
    const [first] = Object.entries(made) as [[string, Value]];
    const put = form({
      ...{ op, x, attributes, shape: dimsOf(first[1]), sheet, refuse: refuseOp },
      needs: (least) => {
        opset = Math.max(opset, least);
      },
    });
    const all =
      "kind" in put && typeof put.kind === "string" ? { [first[0]]: put as Held } : (put as Record<string, Held>);
    for (const [name, one] of Object.entries(all)) {
      const value = made[name];
      if (value !== undefined) held.set(value.id, { from: { op, x, attributes }, ...one });
    }
  }
  sheet.path = "";
  const ends = Object.values(outputs).map((value, i) => {
    const one = held.get(value.id) as Held;
    const shape = dimsOf(value);
    const axes = axesOf(shape);
    return {
      name: outputNames[i] as string,
      made: sheet.laid(one, axes),
      type: FLOAT,
      dims: axes.map((axis) => shape[axis] as number),
    };
  });
  const info = ({ name, type, dims }: { readonly name: string; readonly type: number; readonly dims: Dims }) => ({
    name,
    type: {
      tensor: {
        element: type,
        shape: {
          dim: dims.map((length) =>
            length >= 0 ? { value: length } : { param: length === -1 ? "batch" : `${-length}batch` },
          ),
        },
      },
    },
  });
  return {
    // The form of files of that opset.
    version: opset < 15 ? 7 : 8,
    producer: "Gradus",
    opset: [{ domain: "", version: opset }],
    graph: {
      name: "model",
      ...sheet.done(ends.map(({ name, made }) => [name, made] as const)),
      input: types.map(info),
      output: ends.map(info),
    },
  };
}

/** A tensor of the model; one that is neither trained nor the running value of a batch norm is a constant of the file. */
function tensorOf(weights: Weights, path: string, shape: readonly number[], role: "parameter" | "state"): Host {
  const found = weights.get(path) ?? refuse(`there is no weight "${path}". Give all that trainer.weights() gives.`);
  if (String(found.shape) !== String(shape) || found.data.length !== sizeOf(shape))
    refuse(
      `"${path}" is [${found.shape}] with ${found.data.length} numbers, the model has [${shape}]. Give the model that the weights are of.`,
    );
  const isNamed = role === "parameter" || /(^|\.)moving(Mean|Variance)$/.test(path);
  return { ...host(shape, found.data, FLOAT), ...(isNamed && { name: path }) };
}
