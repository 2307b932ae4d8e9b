// Layers that change images at random and in training alone: by whole pixels, each image by numbers of its own, drawn from the seed, the batch and
// the layer's path. So a run that is resumed or repeated sees the same images, and each copy of a cohort those of its own seed.

import { checkKind, checkOptions, say } from "../foreign/options.ts";
import {
  defineElementwise,
  defineOp,
  type Layer,
  type Op,
  OptionError,
  ops,
  type Scope,
  ShapeError,
  type Value,
} from "../index.ts";
import holeSource from "./hole.wgsl?raw";
import movedSource from "./moved.wgsl?raw";

type Pair = readonly number[];

type Move = {
  /** Height and width of what comes out, on the way back of what went in. */
  readonly size: Pair;
  /** 1 where half of the images is turned over along the axis. */
  readonly flips: Pair;
  /** The least offset along each axis, and how many there are from it on. */
  readonly first: Pair;
  readonly many: Pair;
  readonly fill: number;
  readonly back: boolean;
};

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const literal = (value: number): string => `(${Math.fround(value)}f)`;

/** y: images x [B, H, W, C], each flipped and moved as its own numbers u [B, 4] say. */
const moved: Op<"x" | "u", "y", Move> = defineOp({
  name: "moved",
  inputs: ["x", "u"],
  outputs: ["y"],
  shape: ({ x: { shape } }, { size: [height = 0, width = 0] }) => ({
    y: { shape: [shape[0] as number, height, width, shape[3] as number] },
  }),
  attributes: {
    size: [undefined, () => undefined],
    flips: [undefined, () => undefined],
    first: [undefined, () => undefined],
    many: [undefined, () => undefined],
    fill: [0, "a finite number"],
    back: [false],
  },
  back: ({ x, u, dy }, { attributes, give, emit }) =>
    give("x", () => emit(moved, { x: dy, u }, { ...attributes, size: x.shape.slice(1, 3), fill: 0, back: true }).y),
  kernel: {
    name: "moved",
    source: movedSource,
    choose({ tensors: { x, y }, attributes }) {
      const { flips, first, many, fill, back } = attributes as Move;
      const [from, to] = [x, y].map(({ shape }) => shape.slice(1, 3).join(", ")) as [string, string];
      return {
        holes: {
          ...(back
            ? { WHOLE: to, PART: from, OWN: "WHOLE", OTHER: "PART" }
            : { WHOLE: from, PART: to, OWN: "PART", OTHER: "WHOLE" }),
          FLIPS: flips.map((one) => one === 1).join(", "),
          ...{ FIRST: first.join(", "), MANY: many.join(", "), FILL: literal(fill), BACK: back },
        },
        constants: { LENGTH: size(y.shape), CHANNELS: y.shape[3] as number },
        grid: size(y.shape),
      };
    },
  },
});

type Hole = { readonly hole: Pair; readonly fill: number };

/** y: images x [B, H, W, C], each with `fill` in a hole that its own numbers u [B, 2] place. */
const holed: Op<"x" | "u", "y", Hole> = defineOp({
  name: "holed",
  inputs: ["x", "u"],
  outputs: ["y"],
  shape: ({ x: { shape } }) => ({ y: { shape } }),
  attributes: { hole: [undefined, () => undefined], fill: [0, "a finite number"] },
  back: ({ u, dy }, { attributes, give, emit }) =>
    give("x", () => emit(holed, { x: dy, u }, { ...attributes, fill: 0 }).y),
  kernel: {
    name: "hole",
    source: holeSource,
    choose({ tensors: { y }, attributes }) {
      const { hole, fill } = attributes as Hole;
      return {
        holes: { WHOLE: y.shape.slice(1, 3).join(", "), HOLE: hole.join(", "), FILL: literal(fill) },
        constants: { LENGTH: size(y.shape), CHANNELS: y.shape[3] as number },
        grid: size(y.shape),
      };
    },
  },
});

/** z = x + by (2 u - 1): u, uniform in [0, 1), says how far. */
const brightened: Op<"x" | "u", "z", { readonly by: number }> = defineElementwise({
  name: "brightened",
  inputs: ["x", "u"],
  attributes: { by: [undefined, "a finite number of at least 0"] },
  expression: ({ by }: { readonly by: number }) => `x + ${literal(by)} * (2 * u - 1)`,
  back: ({ dz }, { give }) => give("x", () => dz),
});

/** A layer of images that does something in training alone; `rest` is what it does otherwise. */
const random = (
  kind: string,
  change: (scope: Scope, x: Value) => Value,
  rest: (scope: Scope, x: Value) => Value = (_, x) => x,
): Layer => ({
  kind,
  apply(scope, x) {
    if (x.shape.length !== 4)
      throw new ShapeError(
        `${kind}${scope.path === "" ? "" : ` "${scope.path}"`}: input has shape [${x.shape}], it must be images [batch, height, width, channels].`,
      );
    return scope.mode === "train" ? change(scope, x) : rest(scope, x);
  },
});

/** Asks for images that are moved, where an axis that is not told of stays. */
function move(scope: Scope, x: Value, given: Partial<Move>): Value {
  const still = { size: x.shape.slice(1, 3), flips: [0, 0], first: [0, 0], many: [1, 1], fill: 0, back: false };
  const u = scope.draw("place", "uniform", [x.shape[0] as number, 4]);
  return scope.op(moved, { x, u }, { ...still, ...given }).y;
}

const modes = { horizontal: [0, 1], vertical: [1, 0], horizontal_and_vertical: [1, 1] } as const;

/**
 * Turns images over, each along each axis of `mode` with odds of one in two, as Keras' RandomFlip: [B, H, W, C]. In training alone. Throws OptionError for
 * another mode, ShapeError where the input is no image.
 *
 * @example sequential([randomFlip("horizontal"), conv2d(16), relu()])
 */
export function randomFlip(mode: keyof typeof modes = "horizontal_and_vertical"): Layer {
  const kind = "randomFlip";
  if (!Object.hasOwn(modes, String(mode)))
    throw new OptionError(`${kind}: mode is ${say(mode)}, it must be one of ${Object.keys(modes).join(", ")}.`);
  return random(kind, (scope, x) => move(scope, x, { flips: modes[mode] }));
}

/** Options of `randomTranslation`. */
export interface RandomTranslationOptions {
  /** How far images are moved up or down at most, as part of their height. Default 0.1. */
  readonly height?: number;
  /** To the left or right, as part of their width. Default: as `height`. */
  readonly width?: number;
  /** What stands where they were. Default 0. */
  readonly fill?: number;
}

/**
 * Moves images by whole pixels, each by its own, all distances as likely as one another, as Keras' RandomTranslation with fill_mode "constant":
 * [B, H, W, C]. In training alone. Throws OptionError for options that do not exist, ShapeError where the input is no image.
 *
 * @example randomTranslation({ height: 0.1 })
 */
export function randomTranslation(options: RandomTranslationOptions = {}): Layer {
  const kind = "randomTranslation";
  checkOptions(kind, options, {
    height: "a number from 0 to 1",
    width: "a number from 0 to 1",
    fill: "a finite number",
  });
  const { height = 0.1, width = height, fill = 0 } = options;
  return random(kind, (scope, x) => {
    const most = [height, width].map((part, axis) => Math.floor(part * (x.shape[axis + 1] as number)));
    return move(scope, x, { first: most.map((far) => -far), many: most.map((far) => 2 * far + 1), fill });
  });
}

/**
 * Cuts a part out of each image, anywhere in training and in the middle otherwise, as Keras' RandomCrop: [B, H, W, C] -> [B, height, width, C]. For shifts with a
 * border put zeroPadding2d before it. Throws OptionError for what is no size, ShapeError where images are smaller.
 *
 * @example sequential([zeroPadding2d(4), randomCrop(32, 32)])
 */
export function randomCrop(height: number, width: number): Layer {
  const kind = "randomCrop";
  checkKind(kind, "height", height, "a whole number of at least 1");
  checkKind(kind, "width", width, "a whole number of at least 1");
  const room = (x: Value): number[] => [height, width].map((part, axis) => (x.shape[axis + 1] as number) - part);
  const cut = (scope: Scope, x: Value, how: (room: readonly number[]) => Value): Value => {
    const left = room(x);
    if (left.every((pixels) => pixels >= 0)) return how(left);
    throw new ShapeError(
      `${kind}${scope.path === "" ? "" : ` "${scope.path}"`}: input has shape [${x.shape}], of which it cuts ${height} x ${width}. Cut less.`,
    );
  };
  return random(
    kind,
    (scope, x) =>
      cut(scope, x, (left) => move(scope, x, { size: [height, width], many: left.map((pixels) => pixels + 1) })),
    (scope, x) =>
      cut(scope, x, (left) => {
        const [top = 0, start = 0] = left.map((pixels) => Math.floor(pixels / 2));
        return scope.op(ops.slice, { x }, { begin: [0, top, start], end: [Infinity, top + height, start + width] }).y;
      }),
  );
}

/**
 * Makes images brighter or darker: adds to all numbers of one what is uniform from -factor to factor: [B, H, W, C]. The factor is in units of what the
 * layer is given, so for bytes that are scaled to [0, 1] a part of white. Nothing is cut off. In training alone. Throws OptionError for a factor
 * below 0, ShapeError where the input is no image.
 *
 * @example randomBrightness(0.2)
 */
export function randomBrightness(factor: number): Layer {
  const kind = "randomBrightness";
  checkKind(kind, "factor", factor, "a finite number of at least 0");
  return random(
    kind,
    (scope, x) =>
      scope.op(brightened, { x, u: scope.draw("by", "uniform", [x.shape[0] as number, 1, 1, 1]) }, { by: factor }).z,
  );
}

/** Options of `cutout`. */
export interface CutoutOptions {
  /** What stands in the hole. Default 0. */
  readonly fill?: number;
}

/**
 * A square hole of `size` pixels in each image, its middle anywhere in it (DeVries and Taylor 2017): [B, H, W, C]. In training alone. Throws OptionError for
 * what is no size, ShapeError where the input is no image.
 *
 * @example cutout(8)
 */
export function cutout(size: number, options: CutoutOptions = {}): Layer {
  const kind = "cutout";
  checkKind(kind, "size", size, "a whole number of at least 1");
  checkOptions(kind, options, { fill: "a finite number" });
  const { fill = 0 } = options;
  return random(
    kind,
    (scope, x) =>
      scope.op(holed, { x, u: scope.draw("place", "uniform", [x.shape[0] as number, 2]) }, { hole: [size, size], fill })
        .y,
  );
}
