// Low-rank adapters (Hu et al. 2022), as PEFT has them: beside a product with W stands one with A and one with B, y = x W + (alpha / rank) x A B.
// The sum W + A B would need the gradient of a whole weight on the way back; two narrow products do not, and let dropout in between. In a
// step of a small Llama on 4 x 256 tokens, rank 4 everywhere, that is 610 million multiply-adds of products against 800.

import { sizeOf } from "../foreign/strided.ts";
import {
  defineElementwise,
  dropout,
  type Initializer,
  type Model,
  type Op,
  OptionError,
  ops,
  type Value,
} from "../index.ts";
import { checkKeys, checkWhole } from "./names.ts";
import { adapted, type Request, type Rows, reshaped } from "./scope.ts";

/** Options of `lora`. */
export interface LoraOptions {
  /** Layers by path, a pattern or several: of these, weights that go into a product, a convolution or a table. */
  readonly layers: string | readonly string[];
  /** Columns of A and rows of B. Default 8. */
  readonly rank?: number;
  /** What the product counts, times its rank. Default `rank`. */
  readonly alpha?: number;
  /** What share of x is dropped before A, in training. Default 0. */
  readonly dropout?: number;
}

const scaled = defineElementwise<"x", { readonly factor: number }>({
  name: "scaled",
  inputs: ["x"],
  attributes: { factor: [undefined, "a finite number"] },
  expression: ({ factor }) => `x * (${Math.fround(factor)}f)`,
  back({ dz }, { attributes, give, emit }) {
    give("x", () => emit(scaled, { x: dz }, attributes).z);
  },
});

const zeros: Initializer = (shape) => new Float32Array(sizeOf(shape));
/** PyTorch's kaiming_uniform with a slope of sqrt(5): within 1 / sqrt(inputs). */
const kaiming: Initializer = (shape, { uniform }) =>
  Float32Array.from({ length: sizeOf(shape) }, () => (2 * uniform() - 1) / Math.sqrt(sizeOf(shape.slice(0, -1))));
const normal: Initializer = (shape, random) => Float32Array.from({ length: sizeOf(shape) }, () => random.normal());

/**
 * The model with adapters beside the weights of these layers. A layer `path` with a weight [.., in, out] gets `path.loraA` [.., in, rank] and
 * `path.loraB` [1.., rank, out]; B is 0 at first, so that nothing changes, and A is uniform, but for a table, where it is the other way round. All
 * other names stay, so the weights of the model fit. With `base: { except: "**.lora*" }` nothing else trains, and the weights of the model have
 * neither gradients nor moments, with `dtype: "f16"` in it half of their bytes; `loraPlus()` is for the rates. Convolutions in groups are
 * refused, and so is a pattern that names nothing: OptionError, NameError.
 *
 * @example
 * compile(lora(model, { layers: "**.attention", rank: 8 }), { base: { except: ["**.lora*", "head"] }, weights, ... })
 */
export function lora<M extends Model>(model: M, options: LoraOptions): M {
  const place = "lora";
  checkKeys(place, options, ["layers", "rank", "alpha", "dropout"]);
  const { layers, rank = 8, alpha = rank, dropout: rate = 0 } = options;
  checkWhole(place, "rank", rank);
  checkAlpha(place, alpha);
  const drop = dropout(rate);

  /** Both factors, by the forms that the op has the weight in. */
  function factors({ weight }: Request, form: Value, table = false): { a: Value; b: Value } {
    const stored = weight.value.shape;
    const ones = stored.slice(0, -2).map(() => 1);
    const [narrow, wide] = table ? [zeros, normal] : [kaiming, zeros];
    const a = weight.scope.parameter("loraA", [...stored.slice(0, -1), rank], narrow);
    const b = weight.scope.parameter("loraB", [...ones, rank, stored.at(-1) as number], wide);
    const more = form.shape.slice(0, form.shape.length - 2).map(() => 1);
    return {
      a: reshaped(weight.scope, a, [...form.shape.slice(0, -1), rank]),
      b: reshaped(weight.scope, b, [...more, rank, stored.at(-1) as number]),
    };
  }
  const dropped = ({ weight }: Request, x: Value): Value =>
    rate === 0 ? x : drop.apply(weight.scope.child("lora"), x);
  const added = ({ scope, made }: Request, more: Value): Value =>
    scope.op(ops.add, {
      x: made,
      y: alpha === rank ? more : scope.op(scaled as Op<"x", "z">, { x: more }, { factor: alpha / rank }).z,
    }).z;

  const rows: Rows = {
    matmul: {
      weight: "b",
      output: "c",
      adapt(request) {
        const { scope, inputs, attributes } = request;
        const { a, b } = factors(request, inputs.b as Value);
        const { transposeA = false, transposeB = false } = attributes as { transposeA?: boolean; transposeB?: boolean };
        const [first, second] = transposeB ? [b, a] : [a, b];
        const x = dropped(request, inputs.a as Value);
        const low = scope.op(ops.matmul, { a: x, b: first }, { transposeA, transposeB }).c;
        return added(request, scope.op(ops.matmul, { a: low, b: second }, { transposeB }).c);
      },
    },
    conv2d: {
      weight: "b",
      output: "c",
      adapt(request) {
        const { scope, inputs, attributes, weight } = request;
        if ((attributes.groups ?? 1) !== 1)
          throw new OptionError(
            `${place}: "${weight.scope.path}" is a convolution in ${attributes.groups} groups, which has no adapter here. Let layers pass it over.`,
          );
        const { a, b } = factors(request, inputs.b as Value);
        const low = scope.op(ops.conv2d, { a: dropped(request, inputs.a as Value), b: a }, attributes).c;
        return added(request, scope.op(ops.conv2d, { a: low, b }).c);
      },
    },
    embedding: {
      weight: "table",
      output: "y",
      adapt(request) {
        const { scope, op, inputs, made } = request;
        const { a, b } = factors(request, inputs.table as Value, true);
        const low = (scope.op(op, { ...inputs, table: a }) as { readonly y: Value }).y;
        const rows = reshaped(scope, low, [sizeOf(low.shape.slice(0, -1)), rank]);
        return added(request, reshaped(scope, scope.op(ops.matmul, { a: rows, b }).c, made.shape));
      },
    },
  };
  return adapted(place, model, layers, rows);
}

export function checkAlpha(place: string, alpha: unknown): asserts alpha is number {
  if (typeof alpha === "number" && Number.isFinite(alpha) && alpha > 0) return;
  throw new OptionError(`${place}: alpha is ${JSON.stringify(alpha)}, it must be a finite number above 0.`);
}
