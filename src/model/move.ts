// Layers that move numbers and learn nothing, and those that make images larger.

import { OptionError, ShapeError } from "../errors.ts";
import { concat, concat3 } from "../op/concat.ts";
import { interpolate } from "../op/interpolate.ts";
import { type Layer, type Scope, type Value, where, wholeNumber } from "../op/layer.ts";
import { permute as reorder } from "../op/permute.ts";
import { reshape as view } from "../op/reshape.ts";
import { pad, slice } from "../op/slice.ts";
import { size as product } from "../op/tensor.ts";
import { tile } from "../op/tile.ts";
import { pair } from "../op/window.ts";
import { anything, resolved, shown } from "../option.ts";

/**
 * The axes of a sample in another order, as in Keras' Permute: `permute([2, 1])` turns [B, T, C] into [B, C, T]. Axis 0, the
 * batch, stays. Throws OptionError for what is no list of axes, ShapeError where it does not name each axis of a sample once.
 *
 * @example permute([2, 1])
 */
export function permute(axes: readonly number[]): Layer {
  const isOrder = Array.isArray(axes) && axes.every((axis, _, all) => axis >= 1 && axis <= all.length);
  if (!isOrder || axes.length === 0 || new Set(axes).size !== axes.length || !axes.every(Number.isInteger)) {
    throw new OptionError(
      `permute: its axes are ${shown(axes)}, they must be those of a sample from 1 on, each once, for example [2, 1].`,
    );
  }
  return { kind: "permute", apply: (scope, x) => scope.op(reorder, { x }, { axes: [0, ...axes] }).y };
}

/**
 * Samples in another shape, as in Keras' Reshape: `reshape([4, 6])` turns [B, 24] into [B, 4, 6]. One length may be -1: what is left.
 * A change of view that moves nothing. Throws OptionError for what is no shape, ShapeError where the numbers do not fit.
 *
 * @example reshape([7, 7, -1])
 */
export function reshape(shape: readonly number[]): Layer {
  const isShape =
    Array.isArray(shape) && shape.every((length) => length === -1 || (Number.isInteger(length) && length >= 1));
  if (!isShape || shape.length === 0 || shape.filter((length) => length === -1).length > 1) {
    throw new OptionError(
      `reshape: the shape is ${shown(shape)}, it must be a list of lengths, of which one may be -1, for example [7, 7, -1].`,
    );
  }
  return {
    kind: "reshape",
    apply(scope, x) {
      const [batch = 1, ...rest] = x.shape;
      const known = product(shape.filter((length) => length !== -1));
      const own = shape.map((length) => (length === -1 ? product(rest) / known : length));
      if (product(own) !== product(rest) || !own.every(Number.isInteger)) {
        throw new ShapeError(
          `${where("reshape", scope)}: a sample of its input is [${rest}], which is ${product(rest)} numbers, the shape is [${shape}]. Give a shape of as many.`,
        );
      }
      return scope.op(view, { x }, { shape: [batch, ...own] }).y;
    },
  };
}

/** At each border of an image: one number, [vertical, horizontal], or [[top, bottom], [left, right]], as in Keras. */
export type Borders =
  | number
  | readonly [number, number]
  | readonly [readonly [number, number], readonly [number, number]];

type Sides = readonly [readonly [top: number, bottom: number], readonly [left: number, right: number]];

function borders(place: string, what: string, given: Borders): Sides {
  const isPad = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  const both: readonly unknown[] = Array.isArray(given) ? given : [given, given];
  const sides: readonly (readonly unknown[])[] = both.map((side) => (Array.isArray(side) ? side : [side, side]));
  const fits = sides.length === 2 && sides.every((side) => side.length === 2 && side.every(isPad));
  if (fits) return sides as unknown as Sides;
  throw new OptionError(
    `${place}: ${what} is ${shown(given)}, it must be a whole number of at least 0, two of them, or two pairs, for example 1, [1, 2] or [[0, 1], [0, 1]].`,
  );
}

function checkImage(kind: string, scope: Scope, { shape }: Value): void {
  if (shape.length === 4) return;
  throw new ShapeError(
    `${where(kind, scope)}: input has shape [${shape}], it must be [batch, height, width, channels]. Give images.`,
  );
}

/**
 * Zeros around images: [B, H, W, C] -> [B, top + H + bottom, left + W + right, C]. Throws OptionError for what is no padding,
 * ShapeError where the input is no image.
 *
 * @example zeroPadding2d([[0, 1], [0, 1]])
 */
export function zeroPadding2d(padding: Borders = 1): Layer {
  const [[top, bottom], [left, right]] = borders("zeroPadding2d", "padding", padding);
  return {
    kind: "zeroPadding2d",
    apply(scope, x) {
      checkImage("zeroPadding2d", scope, x);
      return scope.op(pad, { x }, { before: [0, top, left, 0], after: [0, bottom, right, 0] }).y;
    },
  };
}

/**
 * Images without their borders: [B, H, W, C] -> [B, H - top - bottom, W - left - right, C]. Throws as zeroPadding2d does, and ShapeError
 * where nothing is left.
 *
 * @example cropping2d(2)
 */
export function cropping2d(cropping: Borders = 0): Layer {
  const kind = "cropping2d";
  const [[top, bottom], [left, right]] = borders(kind, "cropping", cropping);
  return {
    kind,
    apply(scope, x) {
      checkImage(kind, scope, x);
      const [, height = 0, width = 0] = x.shape;
      if (top + bottom >= height || left + right >= width) {
        throw new ShapeError(
          `${where(kind, scope)}: input has shape [${x.shape}], of which it cuts ${top} + ${bottom} rows and ${left} + ${right} columns. Leave some.`,
        );
      }
      const end = [Number.POSITIVE_INFINITY, height - bottom, width - right];
      return scope.op(slice, { x }, { begin: [0, top, left], end }).y;
    },
  };
}

/** Options of `upSampling2d`. */
export interface UpSampling2dOptions {
  /** How many times as large, or [vertical, horizontal]. Default 2. */
  readonly size?: number | readonly [number, number];
  /** "nearest" repeats pixels, "bilinear" goes evenly from one to the next. Default "nearest". */
  readonly interpolation?: "nearest" | "bilinear";
  /**
   * Of "bilinear": whether the centres of the pixels in the corners stay where they are, as with PyTorch's align_corners. Default false: pixels
   * are squares, as in Keras.
   */
  readonly alignCorners?: boolean;
}

/**
 * Larger images: [B, H, W, C] -> [B, H * vertical, W * horizontal, C]. Throws OptionError for options that do not exist, ShapeError
 * where the input is no image.
 *
 * @example upSampling2d({ size: 2, interpolation: "bilinear" })
 */
export function upSampling2d(options: UpSampling2dOptions = {}): Layer {
  const place = "upSampling2d";
  const names = ["nearest", "bilinear"] as const;
  // The size is checked as a pair.
  const table = { size: [2, anything], interpolation: ["nearest", names], alignCorners: [false] } as const;
  const { interpolation, alignCorners, size } = resolved(place, options, table, `${place}({ size: 2 })`);
  const [down, across] = pair(place, "size", size);
  if (alignCorners && interpolation === "nearest") {
    throw new OptionError(
      `${place}: alignCorners is true, which is for interpolation "bilinear" alone. Set that, or leave it out.`,
    );
  }
  return {
    kind: place,
    apply(scope, x) {
      checkImage(place, scope, x);
      return interpolation === "nearest"
        ? scope.op(tile, { x }, { repeats: [1, down, across, 1], each: true }).y
        : scope.op(interpolate, { x }, { size: [down, across], alignCorners }).y;
    },
  };
}

/** The number of channels and the sizes of images that are cut in blocks. */
function blocked(kind: string, block: number, divides: (shape: readonly number[]) => boolean, what: string) {
  wholeNumber(kind, "block", block);
  return (scope: Scope, x: Value): readonly [number, number, number, number] => {
    checkImage(kind, scope, x);
    if (divides(x.shape)) return x.shape as unknown as readonly [number, number, number, number];
    throw new ShapeError(`${where(kind, scope)}: input has shape [${x.shape}], ${what}.`);
  };
}

/**
 * Blocks of pixels become channels, as in TensorFlow: [B, H, W, C] -> [B, H / block, W / block, block * block * C], in the order row of
 * the block, column, channel. PyTorch's pixel_unshuffle has the channel first. Throws OptionError for what is no size, ShapeError
 * where the input is no image or the blocks do not fill it.
 *
 * @example spaceToDepth(2)
 */
export function spaceToDepth(block: number): Layer {
  const kind = "spaceToDepth";
  const divides = ([, height = 0, width = 0]: readonly number[]) => height % block === 0 && width % block === 0;
  const check = blocked(kind, block, divides, `height and width must be multiples of ${block}`);
  return {
    kind,
    apply(scope, x) {
      const [batch, height, width, channels] = check(scope, x);
      const [rows, columns] = [height / block, width / block];
      const cut = scope.op(view, { x }, { shape: [batch, rows, block, columns, block, channels] }).y;
      const moved = scope.op(reorder, { x: cut }, { axes: [0, 1, 3, 2, 4, 5] }).y;
      return scope.op(view, { x: moved }, { shape: [batch, rows, columns, block * block * channels] }).y;
    },
  };
}

/**
 * The way back of spaceToDepth: [B, H, W, block * block * C] -> [B, H * block, W * block, C]. With one channel it is PyTorch's
 * pixel_shuffle too. Throws as spaceToDepth does.
 *
 * @example depthToSpace(2)
 */
export function depthToSpace(block: number): Layer {
  const kind = "depthToSpace";
  const divides = ([, , , channels = 0]: readonly number[]) => channels % (block * block) === 0;
  const check = blocked(kind, block, divides, `its channels must be a multiple of ${block} x ${block}`);
  return {
    kind,
    apply(scope, x) {
      const [batch, height, width, channels] = check(scope, x);
      const kept = channels / (block * block);
      const cut = scope.op(view, { x }, { shape: [batch, height, width, block, block, kept] }).y;
      const moved = scope.op(reorder, { x: cut }, { axes: [0, 1, 3, 2, 4, 5] }).y;
      return scope.op(view, { x: moved }, { shape: [batch, height * block, width * block, kept] }).y;
    },
  };
}

/**
 * Values after one another along an axis, as Keras' Concatenate; for functional models and layers of your own. A dispatch joins up to
 * three, so n values take (n - 1) / 2 dispatches, rounded up. Throws OptionError where there are no values, ShapeError where they differ
 * along another axis.
 *
 * @example functional((x, { use, scope }) => concatenate(scope, [use("a", dense(8), x), use("b", dense(4), x)]))
 */
export function concatenate(scope: Scope, values: readonly Value[], axis = -1): Value {
  if (!Array.isArray(values) || values.length === 0) {
    throw new OptionError(
      `${where("concatenate", scope)}: its values are ${shown(values)}, they must be a list of at least one value.`,
    );
  }
  let parts: readonly Value[] = [...values];
  while (parts.length > 2) {
    // In threes, level by level: no number moves much more often than another.
    const joined = Array.from({ length: Math.floor(parts.length / 3) }, (_, i) => {
      const [a, b, c] = parts.slice(3 * i, 3 * i + 3) as [Value, Value, Value];
      return scope.op(concat3, { a, b, c }, { axis }).y;
    });
    parts = [...joined, ...parts.slice(3 * joined.length)];
  }
  const [a, b] = parts as [Value, Value?];
  return b === undefined ? a : scope.op(concat, { a, b }, { axis }).y;
}
