// The reference figures of networks of Keras and TensorFlow.js on their own data: as many samples as are asked for, by whatever
// predicts. Tests take some, the soak all.

import type { Get } from "../reference/keras-networks.ts";

/** What a network makes of samples, row by row. */
export type Predict = (x: Float32Array<ArrayBuffer>, shape: readonly number[]) => Promise<ArrayLike<number>>;

/** Samples with their labels, and how many of them are hit among the first so many classes. */
export interface KerasFigure {
  readonly network: "doodlenet" | "resnet8";
  /** Groups of samples, each with a figure of its own. */
  readonly groups: readonly {
    readonly name: string;
    /** Published: parts of all samples, for the first class and, where it is told, the first five. */
    readonly top1: number;
    readonly top5?: number;
    readonly samples: number;
    read(
      get: Get,
      count: number,
    ): Promise<{ readonly x: Float32Array<ArrayBuffer>; readonly labels: readonly number[] }>;
  }[];
  readonly shape: readonly number[];
  readonly classes: number;
}

/** The first drawings of a file of Quick, Draw!, of one class. */
const drawings = (name: string, label: string, top1: number, top5: number): KerasFigure["groups"][number] => ({
  name: label,
  top1,
  top5,
  samples: 300,
  async read(get, count) {
    const [bytes, names] = [await get(`quickdraw/${name}`), await get("doodlenet/class_names.txt")];
    const classes = new TextDecoder()
      .decode(names)
      .trim()
      .split(/\s*\n\s*/);
    const x = Float32Array.from(bytes.subarray(0, count * 784), (byte) => byte / 255);
    return { x, labels: Array.from({ length: count }, () => classes.indexOf(label)) };
  },
});

export const kerasFigures: readonly KerasFigure[] = [
  {
    network: "doodlenet",
    groups: [
      drawings("cats1000.bin", "cat", 0.813, 0.927),
      drawings("rainbows1000.bin", "rainbow", 0.877, 0.97),
      drawings("trains1000.bin", "train", 0.643, 0.857),
    ],
    shape: [28, 28, 1],
    classes: 345,
  },
  {
    network: "resnet8",
    groups: [
      {
        name: "cifar10-jpeg",
        top1: 0.752,
        samples: 500,
        async read(get, count) {
          const [images, labels] = [await get("cifar10-jpeg/test-images.u8"), await get("cifar10-jpeg/test-labels.u8")];
          // Pixels as they are, from 0 to 255.
          return { x: Float32Array.from(images.subarray(0, count * 3072)), labels: [...labels.subarray(0, count)] };
        },
      },
    ],
    shape: [32, 32, 3],
    classes: 10,
  },
];

/** How many of the first samples of each group are hit: by the first class, and by one of five. */
export async function hitsOf(figure: KerasFigure, predict: Predict, get: Get, most = Number.POSITIVE_INFINITY) {
  const rows = [];
  for (const group of figure.groups) {
    const count = Math.min(most, group.samples);
    const { x, labels } = await group.read(get, count);
    const y = await predict(x, [count, ...figure.shape]);
    const places = labels.map((label, i) => {
      const row = Array.from({ length: figure.classes }, (_, at) => y[i * figure.classes + at] as number);
      return row.filter((value) => value > (row[label] as number)).length;
    });
    const within = (top: number): number => places.filter((place) => place < top).length;
    rows.push({ name: group.name, count, top1: within(1), top5: within(5) });
  }
  return rows;
}
