// Initial values. An initializer gives the deviation or the limit from fan-in and fan-out; the numbers themselves come
// from a stream of their own per tensor name, so adding a layer does not change the start of the others.

import { OptionError, ShapeError } from "../errors.ts";
import { normal, stream, uniform } from "../random.ts";

/** Fills one tensor: `shape` as stored (last axis out, the one before in), `key` of the tensor's random stream. */
export type Initializer = (shape: readonly number[], key: number) => Float32Array<ArrayBuffer>;

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Inputs and outputs that one weight connects; a filter's window counts on both sides. */
function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  const out = shape[shape.length - 1] ?? 1;
  const window = size(shape.slice(0, -2));
  return { fanIn: window * (shape[shape.length - 2] ?? 1), fanOut: window * out };
}

const fill = (shape: readonly number[], value: (i: number) => number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: size(shape) }, (_, i) => value(i));

const within =
  (limit: (shape: readonly number[]) => number): Initializer =>
  (shape, key) => {
    const half = limit(shape);
    return fill(shape, (i) => (uniform(key, i) * 2 - 1) * half);
  };

const spread =
  (deviation: (shape: readonly number[]) => number): Initializer =>
  (shape, key) => {
    const sigma = deviation(shape);
    return fill(shape, (i) => normal(key, i) * sigma);
  };

const initializers = {
  zeros: (shape) => fill(shape, () => 0),
  ones: (shape) => fill(shape, () => 1),
  /** Uniform in +-sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010); Keras' default. */
  glorotUniform: within((shape) => Math.sqrt(6 / (fans(shape).fanIn + fans(shape).fanOut))),
  glorotNormal: spread((shape) => Math.sqrt(2 / (fans(shape).fanIn + fans(shape).fanOut))),
  /** Uniform in +-sqrt(6 / fanIn) (He et al. 2015), for layers that a relu follows. */
  heUniform: within((shape) => Math.sqrt(6 / fans(shape).fanIn)),
  heNormal: spread((shape) => Math.sqrt(2 / fans(shape).fanIn)),
} satisfies Record<string, Initializer>;

export type InitializerName = keyof typeof initializers;

/** The initializer of a name, or the function itself. */
export function initializer(place: string, given: InitializerName | Initializer): Initializer {
  if (typeof given === "function") return given;
  if (Object.hasOwn(initializers, given)) return initializers[given];
  throw new OptionError(
    `${place}: there is no initializer "${given}". Use one of ${Object.keys(initializers).join(", ")}, or a function.`,
  );
}

/** Starting values of the tensor `name` under `seed`. */
export function initialValues(
  tensor: { readonly name: string; readonly shape: readonly number[] },
  initialize: Initializer,
  seed: number,
): Float32Array<ArrayBuffer> {
  const values = initialize(tensor.shape, stream(seed, tensor.name));
  const needed = size(tensor.shape);
  if (values?.length === needed) return values;
  throw new ShapeError(
    `initializer of "${tensor.name}": it gave ${values?.length ?? "no"} numbers, shape [${tensor.shape}] needs ${needed}. Return a Float32Array of that length.`,
  );
}
