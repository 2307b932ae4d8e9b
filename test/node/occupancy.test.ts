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
  // In whole rows, so that the loss needs no dispatch: half of the threads, each with 52 terms.
  "cnn: matmul [64x784] x [784x10] +bias: 16 of 33 workgroups",
];

/** What adds up too much alone today. */
const longAlone: readonly string[] = ["gpt: token-chains [64x64] in [65]: 4096 terms"];

if (process.env.OCCUPANCY !== undefined) {
  const table = lines(({ workgroups, wanted, threads, alone, bytes, staged }) =>
    [
      `${workgroups} workgroups${wanted === 0 ? "" : ` (${wanted} wanted)`}`,
      `${threads} threads`,
      `${alone} alone`,
      ...(bytes === undefined ? [] : [`${bytes.toFixed(2)} B per multiply-add${staged ? ", staged" : ""}`]),
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

test("a staged product loads at most a quarter of what it would unstaged, which is most of a transformer's and a third of a ResNet's", () => {
  const staged = dispatches.filter((one) => one.staged);
  for (const { kernel, note, bytes } of staged) {
    expect(bytes, `${kernel} ${note}`).toBeLessThanOrEqual(BYTES_OF_ONE / 4 / 4);
  }
  const shareOf = (network: string): number => {
    const products = dispatches.filter((one) => one.network === network && one.bytes !== undefined);
    return products.filter((one) => one.staged).length / products.length;
  };
  expect(shareOf("gpt")).toBeGreaterThan(0.5);
  expect(shareOf("resnet")).toBeGreaterThan(1 / 4);
});
