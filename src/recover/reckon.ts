// What kernels make of known numbers, reckoned on the host by plain loops. The numbers are small and whole, so that each sum of products is
// exact in f32, in whatever order it is made.

import type { Attributes, Work } from "../index.ts";

/** Number `at` of an input of the op. */
type Read = (input: string, at: number) => number;
/** Number `at` of an output, before what stands at the kernel's end. */
type Reckon = (work: Work, read: Read, at: number) => number;

/** What is known of an op. */
export interface Rule {
  /** Of some of its outputs; the others are held against themselves alone. */
  readonly makes: Readonly<Record<string, Reckon>>;
  /** Inputs that hold other numbers than `digit` gives. */
  readonly holds?: Readonly<Record<string, (work: Work, at: number) => number>>;
  /** Works of the op that it is for. Default: all. */
  readonly fits?: (work: Work) => boolean;
  /** How far from right a result may be, as a part of the largest. Default 0. */
  readonly near?: number;
}

/** Whole numbers from -2 to 2, in no pattern that a tile may have. */
export const digit = (at: number): number => ((Math.imul(at + 1, 0x9e3779b1) >>> 16) % 5) - 2;

export const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const shapeOf = ({ tensors }: Work, name: string): readonly number[] => tensors[name]?.shape ?? [];

/** The sum of all rows of the second operand. */
const columnSum: Reckon = (work, read, at) => {
  const shape = shapeOf(work, "b");
  let sum = 0;
  for (let from = at; from < count(shape); from += shape.at(-1) as number) sum += read("b", from);
  return sum;
};

const matmul: Rule = {
  makes: {
    c(work, read, at) {
      const { transposeA, transposeB } = work.attributes;
      const [down = 0, across = 0] = shapeOf(work, "a").slice(-2);
      const [M, K] = transposeA ? [across, down] : [down, across];
      const N = shapeOf(work, "b").at(transposeB ? -2 : -1) as number;
      const [matrix, m, n] = [Math.floor(at / (M * N)), Math.floor(at / N) % M, at % N];
      let sum = 0;
      for (let k = 0; k < K; k++) {
        const a = read("a", matrix * M * K + (transposeA ? k * M + m : m * K + k));
        sum += a * read("b", matrix * K * N + (transposeB ? n * K + k : k * N + n));
      }
      return sum;
    },
    sum: columnSum,
  },
};

type Slide = Attributes & {
  readonly stride: readonly number[];
  readonly padding: "same" | "valid" | readonly number[];
  readonly dilation?: readonly number[];
  readonly groups?: number;
};

/** Zeros before the first pixel along an axis, 0 the vertical one. */
function zerosBefore({ stride, padding }: Slide, axis: number, pixels: number, span: number): number {
  if (padding !== "same") return padding === "valid" ? 0 : (padding[2 * axis] as number);
  const step = stride[axis] as number;
  return Math.floor(Math.max(0, (Math.ceil(pixels / step) - 1) * step + span - pixels) / 2);
}

/** The names of a convolution's images [B, H, W, C], filter [kh, kw, C / groups, F] and results [B, OH, OW, F], one of which is c, what it makes. */
function convolution(image: string, filter: string, result: string): Rule {
  const c: Reckon = (work, read, at) => {
    const slide = work.attributes as Slide;
    const { stride, dilation = [1, 1], groups = 1 } = slide;
    const shapes = [image, filter, result].map((name) => shapeOf(work, name).slice(-4));
    const [[, height = 0, width = 0, channels = 0] = [], [tall = 0, wide = 0, own = 0] = []] = shapes;
    const [, , [batch = 0, down = 0, across = 0, filters = 0] = []] = shapes;
    const zeros = [
      zerosBefore(slide, 0, height, (tall - 1) * (dilation[0] as number) + 1),
      zerosBefore(slide, 1, width, (wide - 1) * (dilation[1] as number) + 1),
    ];
    /** Where the number stands that is asked for, in the operand of this name; of the others all places count. */
    const asked = (name: string, axis: number): number | undefined =>
      name === "c" ? indices(shapeOf(work, "c").slice(-4), at)[axis] : undefined;
    const range = (length: number, one?: number): readonly number[] =>
      one === undefined ? Array.from({ length }, (_, i) => i) : [one];
    const pixelOf = (place: number, tap: number, axis: number): number =>
      place * (stride[axis] as number) + tap * (dilation[axis] as number) - (zeros[axis] as number);
    /** Places of the result, taps and pixels along an axis that meet. */
    const meetings = (axis: 0 | 1, [places, taps, pixels]: readonly [number, number, number]) =>
      range(places, asked(result, axis + 1)).flatMap((place) =>
        range(taps, asked(filter, axis)).flatMap((tap) => {
          const pixel = pixelOf(place, tap, axis);
          const isThere = pixel >= 0 && pixel < pixels && pixel === (asked(image, axis + 1) ?? pixel);
          return isThere ? [[place, tap, pixel] as const] : [];
        }),
      );
    const [rows, columns] = [meetings(0, [down, tall, height]), meetings(1, [across, wide, width])];
    let sum = 0;
    for (const b of range(batch, asked(result, 0) ?? asked(image, 0)))
      for (const f of range(filters, asked(result, 3) ?? asked(filter, 3))) {
        const first = Math.floor(f / (filters / groups)) * own;
        const channel = asked(image, 3);
        const mine = channel === undefined ? asked(filter, 2) : channel - first;
        if (mine !== undefined && (mine < 0 || mine >= own)) continue;
        for (const c of range(own, mine))
          for (const [oy, ky, y] of rows)
            for (const [ox, kx, x] of columns)
              sum +=
                (image === "c" ? 1 : read(image, ((b * height + y) * width + x) * channels + first + c)) *
                (filter === "c" ? 1 : read(filter, ((ky * wide + kx) * own + c) * filters + f)) *
                (result === "c" ? 1 : read(result, ((b * down + oy) * across + ox) * filters + f));
      }
    return sum;
  };
  return { makes: { c, ...(filter === "c" && { sum: columnSum }) } };
}

/** The place of number `at` along each axis. */
function indices(shape: readonly number[], at: number): readonly number[] {
  let rest = at;
  return shape
    .toReversed()
    .map((length) => {
      const index = rest % length;
      rest = Math.floor(rest / length);
      return index;
    })
    .toReversed();
}

/** A logit so far above the others that its power of e is all of the sum. */
const FAR = 256;
const classes = (work: Work): number => shapeOf(work, "prediction").at(-1) as number;
const top = (work: Work, row: number): number => (3 * row + 1) % classes(work);
const label = (work: Work, row: number): number => row % classes(work);
const plain = ({ attributes, tensors }: Work): boolean =>
  tensors.scales === undefined && (attributes.factor ?? 1) === 1;
/** Values that a loss is the mean of, where each row of the prediction is one. */
const rows = (work: Work): number => count(shapeOf(work, "prediction")) / classes(work);

const softmaxCrossEntropy: Rule = {
  fits: (work) =>
    plain(work) &&
    !work.attributes.soft &&
    !work.attributes.smoothing &&
    work.attributes.ignored === undefined &&
    work.tensors.classes === undefined,
  holds: {
    prediction: (work, at) => (at % classes(work) === top(work, Math.floor(at / classes(work))) ? FAR : 0),
    target: label,
  },
  makes: {
    rows(work, _, at) {
      const isHit = top(work, at >> 1) === label(work, at >> 1);
      const span = rows(work) / (shapeOf(work, "prediction")[0] as number);
      return at % 2 === 1 ? Number(isHit) : isHit ? 0 : FAR / span;
    },
    dprediction(work, _, at) {
      const [row, c] = [Math.floor(at / classes(work)), at % classes(work)];
      return (Number(c === top(work, row)) - Number(c === label(work, row))) / rows(work);
    },
  },
  near: 2 ** -18,
};

const meanSquaredError: Rule = {
  fits: plain,
  makes: {
    dprediction: (work, read, at) =>
      (2 * (read("prediction", at) - read("target", at))) / count(shapeOf(work, "prediction")),
  },
  near: 2 ** -18,
};

/** By the op's name. */
export const rules: Readonly<Record<string, Rule>> = {
  matmul,
  conv2d: convolution("a", "b", "c"),
  conv2dTranspose: convolution("c", "b", "a"),
  conv2dBackwardInput: convolution("c", "b", "a"),
  conv2dBackwardFilter: convolution("a", "c", "b"),
  softmaxCrossEntropy,
  meanSquaredError,
};

/** What may stand at the end of a kernel, by the op's name. */
export const ends: Readonly<Record<string, (first: number, second: number) => number>> = {
  add: (x, y) => x + y,
  bias: (x, b) => x + b,
  relu: (x) => Math.max(x, 0),
  reluBackward: (dz, s) => (s > 0 ? dz : 0),
};
