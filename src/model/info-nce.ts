// The loss of pairs that belong together among all pairs of a batch.

import { OptionError, ShapeError } from "../errors.ts";
import { divide, multiply, subtract } from "../op/arithmetic.ts";
import { add } from "../op/elementwise.ts";
import {
  isValue,
  type LossFunction,
  type Scope,
  type Term,
  type Value,
  type Values,
  type Weighting,
} from "../op/layer.ts";
import { weighting } from "../op/loss.ts";
import { matmul } from "../op/matmul.ts";
import { max, sum } from "../op/reduce.ts";
import { reshape } from "../op/reshape.ts";
import { clip, exp, log, scaled, sqrt, square } from "../op/unary.ts";
import { isRecord, resolved } from "../option.ts";

/** Options of `infoNCE`. */
export interface InfoNceOptions extends Weighting {
  /** What cosines are divided by. Above 0, default 0.07, with which CLIP begins. */
  readonly temperature?: number;
}

/** A length below which a row counts as this long, as in torch.nn.functional.normalize. */
const LEAST = 1e-12;

const last = { axes: [-1], keepDims: true };
const first = { axes: [0], keepDims: true, batch: true };

/** Each row of x [B, D] as long as 1. */
function normalized(scope: Scope, x: Value): Value {
  const squares = scope.op(sum, { x: scope.op(square, { x }).z }, last).y;
  const length = scope.op(sqrt, { x: scope.op(clip, { x: squares }, { min: LEAST ** 2 }).z }).z;
  return scope.op(divide, { x, y: length }).z;
}

/** log of the sum of exp(a_i b_j) over the real rows i, for each j: [B, 1]. */
function logSum(scope: Scope, a: Value, b: Value): Value {
  const x = scope.op(matmul, { a, b }, { transposeB: true }).c;
  const top = scope.op(max, { x }, first).y;
  // Rows beyond a short batch, which are in no sum, may be above the largest: their power must stay finite.
  const below = scope.op(clip, { x: scope.op(subtract, { x, y: top }).z }, { max: 0 }).z;
  const all = scope.op(sum, { x: scope.op(exp, { x: below }).z }, first).y;
  const found = scope.op(add, { x: top, y: scope.op(log, { x: all }).z }).z;
  return scope.op(reshape, { x: found }, { shape: [x.shape[1] as number, 1] }).y;
}

/**
 * The contrastive loss of CLIP (Radford et al. 2021), after InfoNCE (van den Oord et al. 2018): of two outputs [B, D], for example what
 * is made of images and of their texts, the rows of a sample belong together. Cosines of all pairs of a batch, divided by
 * `temperature`, are logits; each row is to find its own among those of the other output, and the loss is the mean of the
 * cross-entropies of both directions. It has no targets, `target: {}`. A short batch is one of fewer pairs. Throws OptionError for options
 * that do not fit and for a model that does not give two outputs, ShapeError where these are not both [B, D].
 *
 * @example
 * const model = functional(({ image, text }, { use }) => ({ image: use("look", eye, image), text: use("read", reader, text) }));
 * const trainer = await compile(model, { input: { image: [32, 32, 3], text: [77] }, loss: infoNCE(), target: {}, ... });
 */
export function infoNCE(options: InfoNceOptions = {}): LossFunction {
  const table = { ...weighting, temperature: [0.07, "greater than 0"] } as const;
  const { temperature, ...weighed } = resolved("infoNCE", options, table);
  return (outputs: Values, _targets, scope): Term => {
    const [one, other] = pairOf(outputs);
    const [a, b] = [normalized(scope, one), normalized(scope, other)];
    const near = scope.op(scaled, { x: a }, { factor: 1 / temperature }).z;
    const own = scope.op(sum, { x: scope.op(multiply, { x: near, y: b }).z }, last).y;
    const both = scope.op(add, { x: logSum(scope, near, b), y: logSum(scope, b, near) }).z;
    const half = scope.op(scaled, { x: both }, { factor: 0.5 }).z;
    return { values: scope.op(subtract, { x: half, y: own }).z, ...weighed };
  };
}

/** The two outputs of a model, in the order in which it gives them. */
function pairOf(outputs: unknown): readonly [Value, Value] {
  const names = isValue(outputs) || !isRecord(outputs) ? [] : Object.keys(outputs);
  if (names.length !== 2) {
    throw new OptionError(
      `infoNCE: the model gives ${names.length === 0 ? "one output" : `${names.length} outputs, ${names.join(", ")}`}, it takes 2. Give two by name, for example with functional().`,
    );
  }
  const [one, other] = Object.values(outputs as Values) as [Value, Value];
  if (one.shape.length === 2 && String(one.shape) === String(other.shape)) return [one, other];
  throw new ShapeError(
    `infoNCE: the outputs ${names.join(" and ")} are [${one.shape}] and [${other.shape}]. Give two of the same shape, [batch, features].`,
  );
}
