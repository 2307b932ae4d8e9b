// Layers without weights that pool, move or drop numbers.

import {
  averagePool1d,
  averagePool2d,
  type Borders,
  cropping2d,
  dropout,
  flatten,
  globalAveragePool1d,
  globalAveragePool2d,
  globalMaxPool1d,
  globalMaxPool2d,
  type Layer,
  maxPool1d,
  maxPool2d,
  ops,
  permute,
  reshape,
  spatialDropout,
  upSampling2d,
  zeroPadding2d,
} from "../index.ts";
import {
  type Config,
  checkChannelsLast,
  count,
  counts,
  flag,
  isLength,
  number,
  optionOf,
  refuse,
  shown,
  word,
} from "./config.ts";
import { identity, type LayerClass } from "./layer-class.ts";

/** A class without weights. */
const plain =
  (make: (config: Config) => Layer): LayerClass =>
  (config) => ({ layer: make(config), needs: [] });

type Pair = readonly [number, number];
type Pooling<Size> = (size: Size, options: { stride: Size; padding: "valid" | "same" }) => Layer;

const pool2d = (make: Pooling<Pair>): LayerClass =>
  plain((config) => {
    checkChannelsLast(config);
    const size = counts(config, "pool_size", 2, 2) as Pair;
    return make(size, {
      stride: counts(config, "strides", 2, size) as Pair,
      padding: word(config, "padding", ["valid", "same"], "valid"),
    });
  });

const pool1d = (make: Pooling<number>): LayerClass =>
  plain((config) => {
    checkChannelsLast(config);
    const [size] = counts(config, "pool_size", 1, 2) as [number];
    const [stride] = counts(config, "strides", 1, size) as [number];
    return make(size, { stride, padding: word(config, "padding", ["valid", "same"], "valid") });
  });

/** Over all positions; `keepdims` leaves an axis of one for each. */
const global = (make: () => Layer): LayerClass =>
  plain((config) => {
    checkChannelsLast(config);
    const layer = make();
    if (!flag(config, "keepdims", false)) return layer;
    return {
      ...layer,
      apply(scope, x) {
        const shape = x.shape.map((length, axis) => (axis === 0 || axis === x.shape.length - 1 ? length : 1));
        return scope.op(ops.reshape, { x: layer.apply(scope, x) }, { shape }).y;
      },
    };
  });

/** One number, a pair, or a pair of pairs. */
function borders(config: Config, key: string): Borders {
  checkChannelsLast(config);
  const given = optionOf(config, key) ?? (key === "padding" ? 1 : 0);
  const isPad = (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 16;
  const isPair = (value: unknown): boolean => Array.isArray(value) && value.length === 2 && value.every(isPad);
  if (isPad(given) || isPair(given)) return given as Borders;
  if (Array.isArray(given) && given.length === 2 && given.every((side) => isPad(side) || isPair(side)))
    return given.map((side) => (Array.isArray(side) ? side : [side, side])) as unknown as Borders;
  return refuse(
    config,
    `${key} is ${shown(given)}, it must be a whole number of at least 0, a pair of them or a pair of pairs.`,
  );
}

/** Zeros before and behind a sequence [B, T, C]. */
const zeroPadding1d = plain((config) => {
  const [before, behind] = counts(config, "padding", 2, 1, 0) as Pair;
  return {
    kind: "zeroPadding1d",
    apply: (scope, x) => scope.op(ops.pad, { x }, { before: [0, before, 0], after: [0, behind, 0] }).y,
  };
});

function shapeOf(config: Config, key: string, lowest: number): readonly number[] {
  const given = optionOf(config, key);
  if (Array.isArray(given) && given.length > 0 && given.every((one) => isLength(one) || one === lowest)) return given;
  return refuse(config, `${key} is ${shown(given)}, it must be a list of whole numbers.`);
}

const upSampling: LayerClass = (config) => {
  checkChannelsLast(config);
  const interpolation = word(config, "interpolation", ["nearest", "bilinear"], "nearest");
  return {
    layer: upSampling2d({ size: counts(config, "size", 2, 2) as Pair, interpolation }),
    needs: [],
    ...(interpolation === "bilinear" && {
      notes: ["its pixels are squares, as in Keras; TensorFlow.js takes other places between them"],
    }),
  };
};

function rateOf(config: Config): number {
  const rate = number(config, optionOf(config, "rate") === undefined ? "p" : "rate");
  if (rate < 0 || rate >= 1) refuse(config, `rate is ${rate}, it must be at least 0 and below 1.`);
  const noise = optionOf(config, "noise_shape");
  if (noise !== undefined)
    refuse(config, `noise_shape is ${shown(noise)}. Known is none: each number is dropped by itself.`);
  return rate;
}

/** [B, C] -> [B, n, C]. */
const repeatVector = plain((config) => {
  const times = count(config, "n");
  return {
    kind: "repeatVector",
    apply(scope, x) {
      const [batch, ...rest] = x.shape as [number];
      const one = scope.op(ops.reshape, { x }, { shape: [batch, 1, ...rest] }).y;
      return scope.op(ops.tile, { x: one }, { repeats: [1, times, ...rest.map(() => 1)] }).y;
    },
  };
});

const flattening = plain((config) => {
  checkChannelsLast(config);
  return flatten();
});

const dropping = (make: (rate: number) => Layer): LayerClass => plain((config) => make(rateOf(config)));

export const moveLayers: ReadonlyMap<string, LayerClass> = new Map([
  ["MaxPooling2D", pool2d(maxPool2d)],
  ["AveragePooling2D", pool2d(averagePool2d)],
  ["MaxPooling1D", pool1d(maxPool1d)],
  ["AveragePooling1D", pool1d(averagePool1d)],
  ["GlobalMaxPooling2D", global(globalMaxPool2d)],
  ["GlobalAveragePooling2D", global(globalAveragePool2d)],
  ["GlobalMaxPooling1D", global(globalMaxPool1d)],
  ["GlobalAveragePooling1D", global(globalAveragePool1d)],
  ["Flatten", flattening],
  ["Reshape", plain((config) => reshape(shapeOf(config, "target_shape", -1)))],
  ["Permute", plain((config) => permute(shapeOf(config, "dims", 1)))],
  ["ZeroPadding1D", zeroPadding1d],
  ["ZeroPadding2D", plain((config) => zeroPadding2d(borders(config, "padding")))],
  ["Cropping2D", plain((config) => cropping2d(borders(config, "cropping")))],
  ["UpSampling2D", upSampling],
  ["RepeatVector", repeatVector],
  ["Dropout", dropping(dropout)],
  ["SpatialDropout1D", dropping(spatialDropout)],
  ["SpatialDropout2D", dropping(spatialDropout)],
  ["ActivityRegularization", plain(() => identity as Layer)],
]);
