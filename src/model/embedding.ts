// Layers of whole numbers, and of places in a sequence.

import { ShapeError } from "../errors.ts";
import { type Initializer, type InitializerName, initializer } from "../initializer.ts";
import { add } from "../op/elementwise.ts";
import { embedding as lookUp } from "../op/embedding.ts";
import { type Layer, type Scope, type Value, where, wholeNumber } from "../op/layer.ts";
import { slice } from "../op/slice.ts";
import { resolved } from "../option.ts";

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** Start of the table. Default "uniform", in +-0.05, as in Keras. */
  readonly initializer?: InitializerName | Initializer;
}

function startOf(place: string, options: EmbeddingOptions, example: string): Initializer {
  const given = resolved(place, options, { initializer: ["uniform"] } as const, example);
  return initializer(place, given.initializer);
}

/**
 * A learned row for each whole number: [B, ..] -> [B, .., units], with weight [vocabulary, units]. The input is declared with `classes`, at
 * most as many as the vocabulary: `compile(model, { input: { shape: [T], classes: 65 } })`. A row that no sample of a batch names
 * gets the gradient 0. Throws OptionError for options that do not exist, ShapeError where the input is not of whole numbers or has
 * more classes. For a last layer of the same weight see `ops.matmul` with transposeB.
 *
 * @example embedding(65, 384)
 */
export function embedding(vocabulary: number, units: number, options: EmbeddingOptions = {}): Layer {
  wholeNumber("embedding", "vocabulary", vocabulary);
  wholeNumber("embedding", "units", units);
  const start = startOf("embedding", options, 'embedding(65, 384, { initializer: "glorotUniform" })');
  return {
    kind: "embedding",
    apply(scope, x) {
      const table = scope.parameter("weight", [vocabulary, units], start);
      return scope.op(lookUp, { ids: x, table }).y;
    },
  };
}

function checkSequence(kind: string, scope: Scope, { shape }: Value): readonly [length: number, units: number] {
  if (shape.length === 3) return shape.slice(1) as unknown as readonly [number, number];
  throw new ShapeError(
    `${where(kind, scope)}: input has shape [${shape}], it must be [batch, length, features]. Give sequences.`,
  );
}

/**
 * Adds a learned row for each place: x [B, T, C] + weight [length, C], of which the first T rows are used. Throws OptionError for
 * options that do not exist, ShapeError where the input is no sequence or longer.
 *
 * @example positionEmbedding(256)
 */
export function positionEmbedding(length: number, options: EmbeddingOptions = {}): Layer {
  const kind = "positionEmbedding";
  wholeNumber(kind, "length", length);
  const start = startOf(kind, options, `${kind}(256, { initializer: "glorotUniform" })`);
  return {
    kind,
    apply(scope, x) {
      const [places, units] = checkSequence(kind, scope, x);
      if (places > length) {
        throw new ShapeError(
          `${where(kind, scope)}: its input has ${places} places, it has rows for ${length}. Set length to ${places}.`,
        );
      }
      const table = scope.parameter("weight", [length, units], start);
      const rows = places === length ? table : scope.op(slice, { x: table }, { end: [places] }).y;
      return scope.op(add, { x, y: rows }).z;
    },
  };
}

/** Options of `sinusoidalPositions`. */
export interface SinusoidalOptions {
  /** The longest wave is 2 pi times as long. Default 10000. */
  readonly wavelength?: number;
}

/**
 * Adds sines and cosines of the place: x [B, T, C] + p [T, C] with p[t, 2 i] = sin(t / wavelength^(2 i / C)) and p[t, 2 i + 1] the cosine of the
 * same (Vaswani et al. 2017). p is reckoned once, in f64, and kept as the state "waves". Throws OptionError for options that do not
 * exist, ShapeError where the input is no sequence.
 *
 * @example sinusoidalPositions()
 */
export function sinusoidalPositions(options: SinusoidalOptions = {}): Layer {
  const kind = "sinusoidalPositions";
  const table = { wavelength: [10_000, "greater than 1"] } as const;
  const { wavelength } = resolved(kind, options, table, `${kind}({ wavelength: 10000 })`);
  return {
    kind,
    apply(scope, x) {
      const [places, units] = checkSequence(kind, scope, x);
      const waves = scope.state("waves", [places, units], () =>
        Float64Array.from({ length: places * units }, (_, at) => {
          const [place, unit] = [Math.floor(at / units), at % units];
          const angle = place / wavelength ** ((unit - (unit % 2)) / units);
          return unit % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
        }),
      );
      return scope.op(add, { x, y: waves }).z;
    },
  };
}
