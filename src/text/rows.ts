// Weights for another vocabulary: an embedding and a head have a row for each token, which goes where its token has gone.

import { DataError, type HostTensor, NameError, OptionError, ShapeError } from "../index.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Options of `extendRows`. */
export interface ExtendRowsOptions {
  /**
   * The tensors that have something for each token, such as "tokens.weight", "head.weight" and "head.bias". In a record the axis on which tokens
   * stand, { "head.weight": 1 }; in a list it is the one that is as long as the vocabulary was.
   */
  readonly tensors: readonly string[] | { readonly [name: string]: number };
  /** The vocabulary that the weights are of: a tokenizer, or its size. */
  readonly from: Tokenizer | number;
  /** The one that they are to be of. Of two tokenizers a piece that both have keeps its row; of two sizes the first rows stay. */
  readonly to: Tokenizer | number;
  /** What a new token begins with: the mean of the old ones, or numbers of their mean and deviation. Default "mean". */
  readonly start?: "mean" | "normal";
  /** Of the numbers that are drawn. Default 0. */
  readonly seed?: number;
}

/** Weights as `trainer.weights()` gives them. */
type Weights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>;

/**
 * Weights with room for the tokens of another vocabulary; other tensors are handed on as they are. With "mean" a new token is at first as
 * likely as the old ones are on the whole (Hewitt 2021). Throws NameError for a tensor that is not there, ShapeError where no axis or several are
 * as long as the vocabulary, OptionError for the rest.
 *
 * @example
 * const longer = extend(tokenizer, ["ROMEO:"]);
 * const weights = extendRows(await trainer.weights(), { tensors: ["tokens.weight", "head.weight", "head.bias"], from: tokenizer, to: longer });
 */
export function extendRows(weights: Weights, options: ExtendRowsOptions): Map<string, HostTensor> {
  const place = "extendRows";
  const { tensors, from, to, start = "mean", seed = 0, ...odd } = Object(options) as ExtendRowsOptions;
  const [stray] = Object.keys(odd);
  if (stray !== undefined)
    throw new OptionError(`${place}: it has no "${stray}". It may have tensors, from, to, start, seed.`);
  if (!(weights instanceof Map)) throw new DataError(`${place}: its weights are no Map. Give what weights() gave.`);
  if (!["mean", "normal"].includes(start))
    throw new OptionError(`${place}: start is ${JSON.stringify(start)}, it must be "mean" or "normal".`);
  if (typeof tensors !== "object" || tensors === null || Object.keys(tensors).length === 0)
    throw new OptionError(`${place}: tensors is ${JSON.stringify(tensors)}. Write { tensors: ["tokens.weight"] }.`);
  const [before, after] = [sizeOf(place, "from", from), sizeOf(place, "to", to)];
  const source = sources(place, from, to, before, after);
  const axes = new Map(
    Array.isArray(tensors) ? tensors.map((name) => [name, undefined]) : (Object.entries(tensors) as [string, number][]),
  ) as Map<string, number | undefined>;
  for (const name of axes.keys()) {
    if (weights.has(name)) continue;
    throw new NameError(`${place}: there is no tensor "${name}". Tensors: ${[...weights.keys()].join(", ")}.`);
  }
  const made = new Map<string, HostTensor>();
  for (const [name, { shape, data }] of weights) {
    if (!axes.has(name)) made.set(name, { shape, data: Float32Array.from(data) });
    else {
      const axis = axisOf(place, name, shape, before, axes.get(name));
      const next = { shape: shape.with(axis, after), data: moved(shape, data, axis, source, start, seed, name) };
      made.set(name, next);
    }
  }
  return made;
}

function sizeOf(place: string, name: string, given: unknown): number {
  const size = typeof given === "number" ? given : Object(given).size;
  if (Number.isInteger(size) && size >= 1) return size;
  throw new OptionError(
    `${place}: ${name} is ${String(given)}, it must be a tokenizer or a whole number of at least 1.`,
  );
}

/** For each token of the new vocabulary the old one whose row it has, or -1. */
function sources(place: string, from: unknown, to: unknown, before: number, after: number): Int32Array {
  if (typeof from === "number" || typeof to === "number") {
    if (after < before)
      throw new OptionError(
        `${place}: from ${before} tokens to ${after} some must go, and numbers do not say which. Give both tokenizers.`,
      );
    return Int32Array.from({ length: after }, (_, token) => (token < before ? token : -1));
  }
  const old = new Map((from as Tokenizer).vocabulary.map((piece, token) => [piece, token]));
  return Int32Array.from((to as Tokenizer).vocabulary, (piece) => old.get(piece) ?? -1);
}

function axisOf(place: string, name: string, shape: readonly number[], size: number, given?: number): number {
  if (given !== undefined) {
    if (shape[given] === size) return given;
    throw new ShapeError(`${place}: "${name}" is [${shape}], its axis ${given} has not the ${size} tokens of "from".`);
  }
  const found = shape.flatMap((length, axis) => (length === size ? [axis] : []));
  if (found.length === 1) return found[0] as number;
  throw new ShapeError(
    `${place}: "${name}" is [${shape}], ${found.length === 0 ? "no axis has" : `axes ${found.join(" and ")} have`} the ${size} tokens of "from". ${found.length === 0 ? "Leave it out, or correct from." : `Say which: { "${name}": ${found[0]} }.`}`,
  );
}

function moved(
  shape: readonly number[],
  data: ArrayLike<number>,
  axis: number,
  source: Int32Array,
  start: "mean" | "normal",
  seed: number,
  name: string,
): Float32Array<ArrayBuffer> {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const before = shape[axis] as number;
  const made = new Float32Array(outer * source.length * inner);
  const normal = normals(`${seed} ${name}`);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = (token: number): number => data[(o * before + token) * inner + i] as number;
      let [sum, squares] = [0, 0];
      for (let token = 0; token < before; token++) sum += at(token);
      const mean = sum / before;
      for (let token = 0; token < before; token++) squares += (at(token) - mean) ** 2;
      const deviation = start === "mean" ? 0 : Math.sqrt(squares / before);
      for (const [token, old] of source.entries())
        made[(o * source.length + token) * inner + i] = old < 0 ? mean + deviation * (deviation && normal()) : at(old);
    }
  }
  return made;
}

/** Normal numbers of a name: splitmix32 (Steele, Lea and Flood 2014) and the transform of Box and Muller. */
function normals(name: string): () => number {
  let state = 0;
  for (const character of name) state = Math.imul(state ^ (character.codePointAt(0) as number), 0x9e3779b1);
  const uniform = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
