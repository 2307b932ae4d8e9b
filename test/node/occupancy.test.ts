// Whether kernels are busy on a GPU, as counts: every product and sum of a training step at batch 64 has 96 workgroups, or a thread for
// every 4 results and 64 terms where that is less, and no thread loops alone over more than 1,024 terms. What falls short stands in a
// list, each with its number, which may only shrink. OCCUPANCY=1 prints the table.

import { expect, test } from "vitest";
import { charGpt } from "../../demo/models/char-gpt.ts";
import { resnet8 } from "../../demo/models/resnet8.ts";
import { type Occupancy, occupancyOf } from "./occupancy.ts";
import { programOf, referencePrograms } from "./program.ts";

const batch = 64;
const text = [{ name: "", shape: [64], classes: 65 }];

const programs = {
  mlp: referencePrograms.mlp({ batch }),
  cnn: referencePrograms.cnn({ batch }),
  gpt: programOf(charGpt({ vocabulary: 65, length: 64, units: 64 }), { inputs: text, batch }),
  resnet: programOf(resnet8(), { input: [32, 32, 3], batch }),
};

const dispatches = Object.entries(programs).flatMap(([network, { recording }]) =>
  occupancyOf(recording.commands).map((one) => ({ network, ...one })),
);

/** Terms of a sum that a thread may add up alone. */
const MOST_ALONE = 1024;

/** Bytes that a product loads for each multiply-add where every thread has one result. */
const BYTES_OF_ONE = 8;

/** Each kind once: blocks are alike. */
const lines = (of: (one: Occupancy) => string | undefined): string[] => [
  ...new Set(
    dispatches.flatMap((one) => {
      const said = of(one);
      return said === undefined ? [] : [`${one.network}: ${one.kernel} ${one.note}: ${said}`];
    }),
  ),
];

/** What has too few workgroups today. */
const fewWorkgroups: readonly string[] = [
  "mlp: matmul [64x784] x [784x256] +bias +relu: 16 of 96 workgroups",
  "mlp: matmul [64x256] x [256x128] +bias +relu: 8 of 96 workgroups",
  "mlp: matmul [64x128] x [128x10] +bias: 1 of 5 workgroups",
  "mlp: softmax-cross-entropy [64x10]: 1 of 3 workgroups",
  "mlp: matmul [64x128]^T x [64x10] +columnSum: 2 of 5 workgroups",
  "mlp: matmul [64x10] x [128x10]^T +reluBackward: 8 of 32 workgroups",
  "mlp: matmul [64x256]^T x [64x128] +columnSum: 32 of 96 workgroups",
  "mlp: matmul [64x128] x [256x128]^T +reluBackward: 16 of 96 workgroups",
  "cnn: matmul [64x784] x [784x10] +bias: 1 of 33 workgroups",
  "cnn: softmax-cross-entropy [64x10]: 1 of 3 workgroups",
  "cnn: matmul [64x784]^T x [64x10] +columnSum: 13 of 31 workgroups",
  "cnn: matmul [64x10] x [784x10]^T: 50 of 96 workgroups",
  "cnn: conv2d-backward-filter [64x14x14x8] * [64x14x14x16] 3x3 in 16 parts +columnSum: 18 of 96 workgroups",
  "cnn: conv2d-backward-filter [64x28x28x1] * [64x28x28x8] 3x3 in 128 parts +columnSum: 12 of 96 workgroups",
  "gpt: normalize [64x64x64] in groups of 64: 64 of 96 workgroups",
  "gpt: softmax-cross-entropy [64x64x65]: 64 of 96 workgroups",
  "gpt: matmul [4096x65]^T x [4096x64] in 4 parts: 18 of 96 workgroups",
  "gpt: normalize-backward [64x64x64] in groups of 64: 64 of 96 workgroups",
  "gpt: matmul [4096x256]^T x [4096x64] +columnSum: 16 of 96 workgroups",
  "gpt: matmul [4096x64]^T x [4096x256] +columnSum: 16 of 96 workgroups",
  "gpt: normalize-backward [64x64x64] in groups of 64 +add: 64 of 96 workgroups",
  "gpt: matmul [4096x64]^T x [4096x64] in 4 parts +columnSum: 16 of 96 workgroups",
  "resnet: batch-statistics [64x32x32x16]: 4 of 64 workgroups",
  "resnet: batch-statistics [64x16x16x32]: 8 of 32 workgroups",
  "resnet: matmul [64x64] x [64x10] +bias: 1 of 3 workgroups",
  "resnet: softmax-cross-entropy [64x10]: 1 of 3 workgroups",
  "resnet: matmul [64x64]^T x [64x10] +columnSum: 1 of 3 workgroups",
  "resnet: matmul [64x10] x [64x10]^T: 4 of 16 workgroups",
  "resnet: conv2d-backward-filter [64x16x16x32] * [64x8x8x64] 1x1 stride 2x2 in 8 parts: 16 of 96 workgroups",
  "resnet: conv2d-backward-filter [64x8x8x64] * [64x8x8x64] 3x3: 36 of 96 workgroups",
  "resnet: conv2d-backward-filter [64x16x16x32] * [64x8x8x64] 3x3 stride 2x2: 18 of 96 workgroups",
  "resnet: channel-sums [64x16x16x32]: 8 of 32 workgroups",
  "resnet: conv2d-backward-filter [64x32x32x16] * [64x16x16x32] 1x1 stride 2x2 in 32 parts: 16 of 96 workgroups",
  "resnet: conv2d-backward-filter [64x16x16x32] * [64x16x16x32] 3x3: 9 of 96 workgroups",
  "resnet: conv2d-backward-filter [64x32x32x16] * [64x16x16x32] 3x3 stride 2x2 in 4 parts: 18 of 96 workgroups",
  "resnet: channel-sums [64x32x32x16]: 4 of 64 workgroups",
  "resnet: conv2d-backward-filter [64x32x32x16] * [64x32x32x16] 3x3 in 8 parts: 18 of 96 workgroups",
  "resnet: conv2d-backward-filter [64x32x32x3] * [64x32x32x16] 3x3 in 32 parts: 14 of 96 workgroups",
];

/** What adds up too much alone today. */
const longAlone: readonly string[] = [
  "gpt: matmul [4096x256]^T x [4096x64] +columnSum: 4096 terms",
  "gpt: matmul [4096x64]^T x [4096x256] +columnSum: 4096 terms",
  "gpt: token-chains [64x64] in [65]: 4096 terms",
  "resnet: conv2d-backward-filter [64x8x8x64] * [64x8x8x64] 3x3: 4096 terms",
  "resnet: conv2d-backward-filter [64x16x16x32] * [64x8x8x64] 3x3 stride 2x2: 4096 terms",
  "resnet: conv2d-backward-filter [64x16x16x32] * [64x16x16x32] 3x3: 16384 terms",
  "resnet: conv2d-backward-filter [64x32x32x16] * [64x16x16x32] 3x3 stride 2x2 in 4 parts: 4096 terms",
  "resnet: conv2d-backward-filter [64x32x32x16] * [64x32x32x16] 3x3 in 8 parts: 8192 terms",
  "resnet: conv2d-backward-filter [64x32x32x3] * [64x32x32x16] 3x3 in 32 parts: 2048 terms",
];

if (process.env.OCCUPANCY !== undefined) {
  const table = lines(({ workgroups, wanted, threads, alone, bytes }) =>
    [
      `${workgroups} workgroups${wanted === 0 ? "" : ` (${wanted} wanted)`}`,
      `${threads} threads`,
      `${alone} alone`,
      ...(bytes === undefined ? [] : [`${bytes} B per multiply-add`]),
    ].join(", "),
  );
  process.stdout.write(`${table.join("\n")}\n`);
}

test("every product and sum has enough workgroups", () => {
  const short = lines(({ workgroups, wanted }) =>
    workgroups < wanted ? `${workgroups} of ${wanted} workgroups` : undefined,
  );
  expect(short).toEqual(fewWorkgroups);
});

test("no thread loops alone over many terms", () => {
  expect(lines(({ alone }) => (alone > MOST_ALONE ? `${alone} terms` : undefined))).toEqual(longAlone);
});

test("a product loads at most a quarter of what it would with one result a thread", () => {
  const products = dispatches.filter(({ bytes }) => bytes !== undefined);
  expect(products.length).toBeGreaterThan(100);
  for (const { kernel, bytes } of products) expect(bytes, kernel).toBeLessThanOrEqual(BYTES_OF_ONE / 4);
});
