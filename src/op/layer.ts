// What a layer is, and what it may ask for while a model is being traced. A layer is a plain record; it holds no weights
// and no state, so one record may be used in several models.

import { NameError, OptionError } from "../errors.ts";
import type { Initializer, InitializerName } from "../initializer.ts";
import { checkRange, isRecord, shown } from "../option.ts";
import type { ConfusionMatrix } from "./confusion.ts";
import type { LossOp } from "./loss.ts";
import type { Attributes, Op } from "./op.ts";

/** A value that flows through a model while it is traced: shape with the batch first, `[B, ...]`. */
export interface Value {
  /** Its number in the trace. */
  readonly id: number;
  /** The batch first, [B, ..]. */
  readonly shape: readonly number[];
}

/**
 * Where a layer stands in the model, and the only way in which it adds to the graph. What does not fit is refused with the
 * path of the layer: OptionError, ShapeError or NameError.
 */
export interface Scope {
  /** Path of the layer, for example `blocks.3.fc1`; the empty string for the model itself. */
  readonly path: string;
  /** The scope of a part of this layer. */
  child(name: string): Scope;
  /** A trained tensor `path.name`. Asking twice for one name gives the same tensor: that is how weights are shared. */
  parameter(name: string, shape: readonly number[], initializer: InitializerName | Initializer): Value;
  /**
   * "train", or "predict" where nothing is learned: also in a layer of which all parameters are frozen or of the base, so ask for
   * them first.
   */
  readonly mode: "train" | "predict";
  /**
   * A tensor `path.name` that lives on from step to step without being trained, such as a running mean. It is kept in checkpoints
   * and among the weights. Its shape may not depend on the batch where programs of other batches ask for it. A layer that is used
   * twice goes on from what its first use has committed.
   */
  state(name: string, shape: readonly number[], initializer: InitializerName | Initializer): Value;
  /** What a state becomes once this step is made; a step that is refused moves no state. For steps that train alone. */
  commit(state: Value, next: Value): void;
  /**
   * Random numbers, others in each batch of a training, the same in a run that is resumed or repeated: "uniform" in [0, 1) or
   * "normal". By Philox4x32-10 with key (seed, batches since training began), counter (path.name, element).
   */
  draw(name: string, kind: "uniform" | "normal", shape: readonly number[]): Value;
  /** A node of the graph, of values by the names that the op has for its inputs; gives its outputs by their names. */
  op<In extends string, Out extends string>(
    op: Op<In, Out>,
    inputs: { readonly [Name in In]: Value },
    attributes?: Attributes,
  ): { readonly [Name in Out]: Value };
  /** A number to be told with the loss: the mean of values [B, ..] over the samples of a batch. */
  report(name: string, values: Value): void;
  /** Hears what the layer at this path made. @internal */
  made?(kind: string, y: Value): void;
}

/** Values by name, where a model has several inputs or outputs. */
export type Values = { readonly [name: string]: Value };

/** What a part of a model takes: the result of a part or an input, or several by the names that its layer has for them. */
export type From = string | { readonly [name: string]: string };

/** A layer with its place in a model. */
export interface GraphPart {
  /** Its path; with dots it lies in groups, `layer1.0.conv1`. */
  readonly name: string;
  /** What stands there. */
  readonly layer: Model;
  /** The parts or inputs whose results it takes. */
  readonly from: From;
}

/** One layer, or a whole model: whatever turns a value into a value, or values by name into others. */
export interface Layer<In = Value, Out = Value> {
  /** The factory's name, for messages. */
  readonly kind: string;
  /** Whether it takes values by name, and not only one value. */
  readonly takesValues?: boolean;
  /** The layers that it is made of, in order, where it shows them: `cut` and `replaceHead` look at them. */
  readonly parts?: readonly GraphPart[];
  /** The part, or the parts by name of output, whose results it gives. */
  readonly outputs?: From;
  /** Adds what it computes to the graph of `scope` and returns the result; called while a model is traced, by values without numbers. */
  apply(scope: Scope, x: In): Out;
}

/** A model, whatever its inputs and outputs are. */
// biome-ignore lint/suspicious/noExplicitAny: a model of named inputs asks for more than any record of values has.
export type Model = Layer<any, Value | Values>;

/**
 * A factory of layers that are nothing but one op. Layers of your own ask for the op itself, `scope.op(relu.op, { x }).z`, or apply
 * what the factory makes: `relu().apply(scope, x)`.
 */
export interface OpLayer<Given extends readonly unknown[], Out extends string = string> {
  /** Makes the layer. Throws OptionError for options that it has not. */
  (...given: Given): Layer;
  /** The op itself, for layers of your own. */
  readonly op: Op<"x", Out>;
}

/** Such a factory. `attributesOf` checks what it is given and makes the op's attributes of it; a layer gives the op's first output. */
/* @__NO_SIDE_EFFECTS__ */ export function layerOf<
  Given extends readonly unknown[],
  Out extends string,
  A extends Attributes,
>(op: Op<"x", Out, A>, attributesOf: (place: string, ...given: Given) => A): OpLayer<Given, Out> {
  const factory = (...given: Given): Layer => {
    const attributes = attributesOf(op.name, ...given);
    return { kind: op.name, apply: (scope, x) => scope.op(op, { x }, attributes)[op.outputs[0] as Out] };
  };
  return Object.assign(factory, { op });
}

/**
 * What a weighted mean is divided by: "mean", the sum of the weights, or "count", the number of values, which allows weights
 * below 0. Without weights both are the same.
 */
export type Reduction = "mean" | "count";

/** How the values of a loss become one number. */
export interface Weighting {
  /** What the loss is multiplied by. Default 1. */
  readonly weight?: number;
  /** Default "mean". */
  readonly reduction?: Reduction;
}

/** What must be known of a loss; its op computes it. */
export interface Loss extends Required<Weighting> {
  /** The op of value and gradient, a row of the batch each. */
  readonly op: LossOp;
  /** Of the op, beside those that every loss has. */
  readonly attributes: Attributes;
  /** Whether targets are class numbers, one a row, and not numbers in the shape of the prediction. */
  readonly integerTarget: boolean;
  /** Whether a value is that of a row of classes, the last axis of the prediction, and not that of a number. */
  readonly byRow: boolean;
  /** Whether its values can be hits, so that there is an accuracy. */
  readonly hasHits: boolean;
  /** Whether the values of a sample are added up, and not meaned. */
  readonly summed: boolean;
  /** What each class counts. */
  readonly classWeights?: readonly number[] | undefined;
  /** A label that does not count. */
  readonly ignoreIndex?: number | undefined;
  /** The loss of an output, in a loss function. `weights` as in data: one a sample, or one for each value. */
  of(output: Value, target: Value, weights?: Value): Term;
}

/**
 * A part of a loss: a loss of an output, or values [B, ..] that were made of outputs, with their weights. Weights are taken as they
 * are: no gradient goes into them.
 */
export type Term =
  | { readonly loss: Loss; readonly output: Value; readonly target: Value; readonly weights?: Value | undefined }
  | (Weighting & { readonly values: Value; readonly weights?: Value | undefined });

/**
 * A loss of your own: terms by name, or one, of what the model gives and of the targets, as one value or as values by name. All are
 * added up.
 */
// biome-ignore lint/suspicious/noExplicitAny: outputs and targets are those of the model that it is written for.
export type LossFunction = (outputs: any, targets: any, scope: Scope) => Term | { readonly [name: string]: Term };

/** Where metrics are made. */
export interface MetricScope extends Scope {
  /** Of labels that came as targets: the one that does not count, where a loss ignores one. */
  ignored(labels: Value): number | undefined;
}

/** A term of which not the mean is told alone, or not as it is. */
export interface Measure {
  /** What `loss.of(output, target)` gives. */
  readonly term: Term;
  /** The mean of its values, or the part of those that count which are hits. */
  readonly tells: "mean" | "hits";
  /** What is told of it, from the mean over all of an epoch or an evaluation. Default: the mean. */
  readonly finish?: ((mean: number) => number) | undefined;
}

/** Whole numbers that are added up over the batches of an evaluation, and what they say. Steps that train do not ask for them. */
export interface Counts {
  /** The counts of a batch: a value of whole numbers, which are added up on the GPU. */
  readonly counts: () => Value;
  /** What the sums over all batches say. */
  readonly matrix: (counts: ArrayLike<number>) => ConfusionMatrix;
}

/**
 * Values [B, ..] that are made of the model's outputs and of the targets, each as one value or as values by name, as a loss function has
 * them, to be told as the mean over samples. It may give `meanAbsoluteError().of(output, target)`, too.
 *
 * @example
 * const far: MetricFunction = (output, target, scope) => scope.op(ops.abs, { x: scope.op(ops.subtract, { x: output, y: target }).z }).z;
 */
// biome-ignore lint/suspicious/noExplicitAny: outputs and targets are those of the model that it is written for.
export type MetricFunction = (outputs: any, targets: any, scope: MetricScope) => Value | Term | Measure | Counts;

/** What is told beside a loss: a function, or another loss, of which nothing is learned and for which no weights of the data count. */
export type Metric = Loss | MetricFunction;

/** What a model is to learn: a loss of its output, a loss for each of several, or a function. */
export type Objective = Loss | { readonly [output: string]: Loss } | LossFunction;

/** Whether something is a layer. A factory that was not called is a function, and functions have an `apply` too. */
export const isLayer = (value: unknown): value is Layer =>
  typeof value === "object" && value !== null && typeof (value as Layer).apply === "function";

/** Refuses what is no layer; says so where its factory was not called. */
export function checkLayer(place: string, what: string, given: unknown): asserts given is Layer {
  if (isLayer(given)) return;
  // The function's own name is not told: in a minified program it is another.
  const text =
    typeof given === "function"
      ? "is a function. Call it, for example relu() and not relu."
      : `is ${shown(given)}. Give a layer, for example dense(10).`;
  throw new OptionError(`${place}: ${what} is no layer, it ${text}`);
}

export const isValue = (given: unknown): given is Value =>
  typeof given === "object" && given !== null && Array.isArray((given as Value).shape);

const isValues = (given: unknown): given is Values =>
  isRecord(given) && Object.keys(given).length > 0 && Object.values(given).every(isValue);

/** What a layer makes of a value, or of several; checks both, since layers may come from anywhere. */
export function applied<In, Out>(layer: Layer<In, Out>, scope: Scope, x: NoInfer<In>): Out {
  const place = where(layer.kind ?? "layer", scope);
  if (isValues(x) && layer.takesValues !== true) {
    throw new OptionError(
      `${place}: its input is values by name, ${Object.keys(x).join(", ")}, it takes one value. Take them apart in functional(), or let a layer of your own say takesValues: true.`,
    );
  }
  if (!isValue(x) && !isValues(x)) {
    throw new OptionError(
      `${place}: its input is ${shown(x)}, it must be a value. Give x, or what use() or add() gave.`,
    );
  }
  const y: unknown = layer.apply(scope, x);
  if (isValue(y)) scope.made?.(layer.kind, y);
  if (isValue(y) || isValues(y)) return y as Out;
  throw new OptionError(
    `${place}: its function returned ${shown(y)}, which is no value. Return what use(), add() or scope.op() gave.`,
  );
}

/** How messages name what stands at a path, where its kind is not known. */
export const placeOf = (path: string): string => (path === "" ? "model" : `layer "${path}"`);

/** `dense "head"`: how messages name a layer. */
export function where(kind: string, scope: { readonly path: string }): string {
  return scope.path === "" ? kind : `${kind} "${scope.path}"`;
}

/** Names become paths, checkpoint keys and patterns, so they are kept to letters, digits, "_" and "-". */
export function checkedName(path: string, name: string): string {
  if (typeof name === "string" && /^[A-Za-z0-9_-]+$/.test(name) && !(name in {})) return name;
  throw new NameError(
    `${placeOf(path)}: ${shown(name)} cannot be a name. Use letters, digits, "_" and "-", and no word that every object has.`,
  );
}

/** Refuses what a factory without options was given; gives no attributes. */
export function checkNothing(place: string, given: readonly unknown[]): Attributes {
  if (given.length === 0) return {};
  throw new OptionError(`${place}: it was given ${shown(given[0])}, but it has no options. Write ${place}().`);
}

/** What Keras has as an option is a layer here. */
export function checkNoActivation(place: string, options: unknown): void {
  if (typeof options !== "object" || options === null || !("activation" in options)) return;
  throw new OptionError(`${place}: it has no "activation". Put a layer after it, for example relu().`);
}

/** Checks a size that the user gave: a whole number of at least one. */
export function wholeNumber(place: string, what: string, value: number): number {
  checkRange(place, "a whole number of at least 1", { [what]: value });
  return value;
}
