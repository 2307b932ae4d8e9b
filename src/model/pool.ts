// Poolings over all of an image or a sequence, and those of sequences, which are images of one row.

import { ShapeError } from "../errors.ts";
import { averagePool2d } from "../op/average-pool2d.ts";
import { checkNothing, type Layer, where, wholeNumber } from "../op/layer.ts";
import { maxPool2d } from "../op/max-pool2d.ts";
import type { Op } from "../op/op.ts";
import { max, mean } from "../op/reduce.ts";
import { reshape } from "../op/reshape.ts";
import { padsOf } from "../op/window.ts";
import { anything, resolved } from "../option.ts";

const forms = {
  3: "a sequence [batch, length, channels]. Give compile an input of two lengths",
  4: "an image [batch, height, width, channels]. Give compile an input of three lengths",
} as const;

/** Refuses what has not so many axes. */
function checkRank(kind: string, scope: { readonly path: string }, shape: readonly number[], rank: 3 | 4): void {
  if (shape.length === rank) return;
  throw new ShapeError(`${where(kind, scope)}: input has shape [${shape}], it must be ${forms[rank]}.`);
}

/** A layer that reduces all positions of what has so many axes. */
function global(kind: string, op: Op<"x", "y">, rank: 3 | 4, given: readonly unknown[]): Layer {
  checkNothing(kind, given);
  return {
    kind,
    apply(scope, x) {
      checkRank(kind, scope, x.shape, rank);
      return scope.op(op, { x }, { axes: rank === 4 ? [1, 2] : [1] }).y;
    },
  };
}

/**
 * The mean of each channel over an image: [B, H, W, C] -> [B, C]. Keras' GlobalAveragePooling2D. Throws ShapeError for what is no image.
 *
 * @example sequential([conv2d(64), relu(), globalAveragePool2d(), dense(10)])
 */
export function globalAveragePool2d(...given: []): Layer {
  return global("globalAveragePool2d", mean, 4, given);
}

/** The mean of each channel over a sequence: [B, T, C] -> [B, C]. Keras' GlobalAveragePooling1D. Throws ShapeError for what is no sequence. */
export function globalAveragePool1d(...given: []): Layer {
  return global("globalAveragePool1d", mean, 3, given);
}

/**
 * The largest value of each channel over an image: [B, H, W, C] -> [B, C]. Of equal values the first counts. Keras' GlobalMaxPooling2D.
 * Throws ShapeError for what is no image.
 */
export function globalMaxPool2d(...given: []): Layer {
  return global("globalMaxPool2d", max, 4, given);
}

/** The largest value of each channel over a sequence: [B, T, C] -> [B, C]. Keras' GlobalMaxPooling1D. Throws ShapeError for what is no sequence. */
export function globalMaxPool1d(...given: []): Layer {
  return global("globalMaxPool1d", max, 3, given);
}

/** Options of `maxPool1d` and `averagePool1d`. */
export interface Pool1dOptions {
  /** Step of the window. Default: the window's size. */
  readonly stride?: number;
  /** As for maxPool2d; of each side [before, after]. Default "valid". */
  readonly padding?: "same" | "valid" | number | readonly [number, number];
}

/** A pooling of images, on sequences: a view before and behind it. */
function along(kind: string, op: unknown, size: number, options: Pool1dOptions): Layer {
  wholeNumber(kind, "size", size);
  const table = { stride: [size, "a whole number of at least 1"], padding: ["valid", anything] } as const;
  const { stride, ...given } = resolved(kind, options, table, `${kind}(2, { stride: 1 })`);
  const padding = padsOf(kind, given.padding, true);
  return {
    kind,
    apply(scope, x) {
      checkRank(kind, scope, x.shape, 3);
      const [batch, length, channels] = x.shape as [number, number, number];
      if (padding === "valid" && size > length) {
        throw new ShapeError(
          `${where(kind, scope)}: input is ${length} long, the window ${size}. Use a smaller window or padding "same".`,
        );
      }
      const image = scope.op(reshape, { x }, { shape: [batch, 1, length, channels] }).y;
      const slide = { kernel: [1, size], stride: [1, stride], padding };
      const y = scope.op(op as Op<"x", "y">, { x: image }, slide).y;
      return scope.op(reshape, { x: y }, { shape: [batch, y.shape[2] as number, channels] }).y;
    },
  };
}

/**
 * The largest value of each window of a sequence: [B, T, C] -> [B, OT, C]. Throws OptionError for options that do not exist, ShapeError
 * where the window does not fit.
 *
 * @example maxPool1d(2)
 */
export function maxPool1d(size: number, options: Pool1dOptions = {}): Layer {
  return along("maxPool1d", maxPool2d.op, size, options);
}

/**
 * The mean of each window of a sequence: [B, T, C] -> [B, OT, C]; under padding "same" that of the positions inside. Options and errors
 * are those of maxPool1d.
 *
 * @example averagePool1d(2)
 */
export function averagePool1d(size: number, options: Pool1dOptions = {}): Layer {
  return along("averagePool1d", averagePool2d.op, size, options);
}
