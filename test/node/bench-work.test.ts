// The benchmark's counts of what a step has to do, against counts by hand, and what a roofline makes of them.

import { describe, expect, test } from "vitest";
import { type RoofRow, roofline, roofOf } from "../../demo/bench/roofline/roof.ts";
import { type Work, worksOf } from "../../demo/bench/roofline/work.ts";
import { charLstm } from "../../demo/models/char-lstm.ts";
import { dense, depthwiseConv2d, flatten, multiHeadAttention, sequential } from "../../src/index.ts";
import { programOf, referencePrograms } from "./program.ts";

const total = (works: readonly Work[], of: "operations" | "bytes"): number =>
  works.reduce((sum, work) => sum + work[of], 0);
const named = (works: readonly Work[], kernel: string): Work[] => works.filter((work) => work.kernel === kernel);

describe("a step of mlp, 64 x 784-256-128-10", () => {
  const works = worksOf(referencePrograms.mlp().recording);
  const [first, second, third] = [64 * 784 * 256, 64 * 256 * 128, 64 * 128 * 10];

  test("multiplies each weight forward and twice back, but the first once", () => {
    const products = works.filter(({ kernel }) => kernel.includes("matmul")).map(({ operations }) => operations / 2);
    expect(products).toEqual([first, second, third, 2 * third, 2 * second, first]);
    expect(total(works, "operations")).toBe(2 * (2 * first + 3 * second + 3 * third));
  });

  test("reads and writes each tensor of a dispatch once, in multiples of 16 bytes", () => {
    const bytes = works.map((work) => work.bytes);
    const padded = Array.from(
      [784 * 256, 256, 256 * 128, 128, 128 * 10, 10],
      (length) => Math.ceil(length / 256) * 256,
    );
    const parameters = padded.reduce((a, b) => a + b, 0);
    expect(bytes).toEqual([
      2 * 4 * (64 * 784 + 64),
      4 * (64 * 784 + 784 * 256 + 256 + 64 * 256), // x, weight, bias, result
      4 * (64 * 256 + 256 * 128 + 128 + 64 * 128),
      4 * (64 * 128 + 128 * 10 + 12 + 64 * 10 + 64 + 64 * 2 + 64 * 10), // also labels; loss and hit of each row, gradient
      // Losses and hits; x and dy; both gradients of weights; weight; dx.
      4 * (64 * 2 + 64 * 128 + 64 * 10 + 128 * 10 + 12 + 128 * 10 + 64 * 128),
      4 * (64 * 256 + 64 * 128 + 256 * 128 + 128 + 256 * 128 + 64 * 256),
      4 * (64 * 784 + 64 * 256 + 784 * 256 + 256),
      28 * parameters + 4 * (parameters / 256), // a word for each block of the update
    ]);
  });

  test("has a roofline: arithmetic or traffic of each dispatch, whichever takes longer, then dispatches and submits", () => {
    const row = (kind: RoofRow["kind"], value: number, unit: RoofRow["unit"]): RoofRow => {
      return { kind, form: "", value, best: value, worst: value, unit };
    };
    const rows = [
      row("multiply-add f32", 8, "GFLOP/s"),
      row("multiply-add f32", 10, "GFLOP/s"),
      row("copy", 2, "GB/s"),
      row("dispatch", 20, "us"),
      row("submit", 70, "us"),
    ];
    const roof = roofOf(rows);
    const given: Work[] = [
      { kernel: "product", operations: 1e8, bytes: 1e6, runs: 1 },
      { kernel: "copy", operations: 0, bytes: 4e6, runs: 3 },
    ];
    expect(roofline(given, roof)).toBeCloseTo(10 + 2 + 4 * 0.02 + 0.07, 12);
    expect(roofline(given, roof, 0.5)).toBeCloseTo(10 + 2 + 4 * 0.02 + 0.035, 12);
  });
});

describe("multiply-adds are those of", () => {
  test("a convolution and both its gradients", () => {
    const works = worksOf(referencePrograms.cnn().recording);
    const [first, second, head] = [32 * 28 * 28 * 9 * 8, 32 * 14 * 14 * 9 * 8 * 16, 32 * 784 * 10];
    expect(total(works, "operations")).toBe(2 * (2 * first + 3 * second + 3 * head));
    const [sums] = named(works, "sum-rows").slice(-1);
    expect(sums?.bytes).toBe(4 * (72 + 8) * (128 + 1)); // 128 parts, then what they come to
  });

  test("a depthwise convolution and its gradient by the filter", () => {
    const model = sequential([depthwiseConv2d({ kernel: 3, padding: "same", bias: false }), flatten(), dense(2)]);
    const works = worksOf(programOf(model, { input: [8, 8, 4], batch: 3 }).recording);
    const depthwise = works.filter(({ kernel }) => kernel.startsWith("depthwise"));
    expect(depthwise.map(({ operations }) => operations / 2)).toEqual([3 * 64 * 9 * 4, 3 * 64 * 9 * 4]);
  });

  test("attention: two products, three for the queries' gradient, four for that of keys and values", () => {
    const attend = (causal: boolean): number => {
      const model = sequential([multiHeadAttention({ heads: 2, causal }), flatten(), dense(2)]);
      const works = worksOf(programOf(model, { input: [8, 16], batch: 3 }).recording);
      return (
        total(
          works.filter(({ kernel }) => kernel.includes("attention")),
          "operations",
        ) / 2
      );
    };
    expect(attend(false)).toBe(9 * 3 * 8 * 8 * 16);
    expect(attend(true)).toBe(9 * 3 * 36 * 16);
  });

  test("a recurrence, whose weight each of its runs reads", () => {
    const model = charLstm(11, 16, { characters: 8 });
    const works = worksOf(programOf(model, { inputs: [{ name: "", shape: [5], classes: 11 }], batch: 3 }).recording);
    const [forward] = named(works, "recurrent");
    expect(forward).toMatchObject({ operations: 2 * 3 * 5 * 16 * 64, runs: 5 });
    expect(forward?.bytes).toBeGreaterThan(5 * 4 * 16 * 64);
  });
});
