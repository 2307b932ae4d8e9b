// Initial values. An initializer gives the deviation or the limit from fan-in and fan-out; the numbers themselves come
// from a stream of their own per tensor name, so adding a layer does not change the start of the others.

import { didYouMean, OptionError, ShapeError } from "./errors.ts";
import { shown } from "./option.ts";
import { type Random, randomFrom, stream } from "./random.ts";

/**
 * Gives the numbers of one tensor, row by row: `shape` as stored (the last axis out, the one before in), and random numbers
 * of the tensor's own, which are the same for the same seed and name.
 *
 * @example (shape, { normal }) => Float32Array.from({ length: shape[0] * shape[1] }, () => 0.02 * normal())
 */
export type Initializer = (shape: readonly number[], random: Random) => ArrayLike<number>;

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Inputs and outputs that one weight connects; a filter's window counts on both sides. */
function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  const out = shape[shape.length - 1] ?? 1;
  const window = size(shape.slice(0, -2));
  return { fanIn: window * (shape[shape.length - 2] ?? 1), fanOut: window * out };
}

function filled(shape: readonly number[], value: () => number): Float32Array {
  const values = new Float32Array(size(shape));
  for (let i = 0; i < values.length; i++) values[i] = value();
  return values;
}

const within =
  (limit: (shape: readonly number[]) => number): Initializer =>
  (shape, { uniform }) => {
    const half = limit(shape);
    return filled(shape, () => (uniform() * 2 - 1) * half);
  };

const spread =
  (deviation: (shape: readonly number[]) => number): Initializer =>
  (shape, { normal }) => {
    const sigma = deviation(shape);
    return filled(shape, () => normal() * sigma);
  };

const initializers = {
  zeros: (shape) => filled(shape, () => 0),
  ones: (shape) => filled(shape, () => 1),
  /** Uniform in +-sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010); Keras' default. */
  glorotUniform: within((shape) => Math.sqrt(6 / (fans(shape).fanIn + fans(shape).fanOut))),
  glorotNormal: spread((shape) => Math.sqrt(2 / (fans(shape).fanIn + fans(shape).fanOut))),
  /** Uniform in +-sqrt(6 / fanIn) (He et al. 2015), for layers that a relu follows. */
  heUniform: within((shape) => Math.sqrt(6 / fans(shape).fanIn)),
  heNormal: spread((shape) => Math.sqrt(2 / fans(shape).fanIn)),
  /** Uniform in +-0.05; Keras' default for embeddings. */
  uniform: within(() => 0.05),
  /** Rows of length 1 at right angles to each other, or columns where those are fewer (Saxe et al. 2014), for recurrent weights. */
  orthogonal(shape, { normal }) {
    const columns = shape[shape.length - 1] ?? 1;
    const rows = size(shape) / columns;
    const isWide = rows <= columns;
    const vectors: Float64Array[] = [];
    while (vectors.length < Math.min(rows, columns)) {
      const own = Float64Array.from({ length: Math.max(rows, columns) }, normal);
      for (const other of vectors) {
        const shared = own.reduce((sum, value, i) => sum + value * (other[i] as number), 0);
        for (let i = 0; i < own.length; i++) own[i] = (own[i] as number) - shared * (other[i] as number);
      }
      const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
      vectors.push(own.map((value) => value / length));
    }
    let at = 0;
    return filled(shape, () => {
      const [row, column] = [Math.floor(at / columns), at++ % columns];
      return (isWide ? vectors[row]?.[column] : vectors[column]?.[row]) as number;
    });
  },
} satisfies Record<string, Initializer>;

/** Initializers by name: constants, and those of Glorot and Bengio 2010, He et al. 2015 and Saxe et al. 2014; "uniform" is in +-0.05, as in Keras. */
export type InitializerName = keyof typeof initializers;

/** The initializer of a name, or the function itself. */
export function initializer(place: string, given: InitializerName | Initializer): Initializer {
  if (typeof given === "function") return given;
  const names = Object.keys(initializers);
  if (names.includes(given)) return initializers[given];
  throw new OptionError(
    `${place}: there is no initializer ${shown(given)}.${didYouMean(String(given), names)} Use one of ${names.join(", ")}, or a function.`,
  );
}

/** Starting values of the tensor `name` under `seed`. Throws ShapeError and OptionError where a function gives others. */
export function initialValues(
  tensor: { readonly name: string; readonly shape: readonly number[] },
  initialize: Initializer,
  seed: number,
): Float32Array<ArrayBuffer> {
  const place = `initializer of "${tensor.name}"`;
  const given: unknown = initialize([...tensor.shape], randomFrom(stream(seed, tensor.name)));
  if (!Array.isArray(given) && !(ArrayBuffer.isView(given) && !(given instanceof DataView))) {
    throw new OptionError(`${place}: it gave ${shown(given)}. Return a list of numbers, for example a Float32Array.`);
  }
  const found = given as ArrayLike<number>;
  const needed = size(tensor.shape);
  if (found.length !== needed) {
    throw new ShapeError(
      `${place}: it gave ${found.length} numbers, shape [${tensor.shape}] needs ${needed}. Return as many, row by row.`,
    );
  }
  const values = new Float32Array(needed);
  for (let i = 0; i < needed; i++) {
    const value = found[i];
    if (typeof value !== "number" || !Number.isFinite(Math.fround(value))) {
      throw new OptionError(
        `${place}: number ${i} is ${shown(value)}. Return numbers that are finite in f32, in one flat list.`,
      );
    }
    values[i] = value;
  }
  return values;
}
