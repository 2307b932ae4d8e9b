// The table of `npm run ops`: what is missing of an op, or wrong with it, is seen.

import { expect, test } from "vitest";
import { isWhole, printed, summary, tableOf, VIEW } from "../ops/table.ts";
import type { Told } from "../ops/told.ts";

const passed = (told: Told) => ({ told, passed: true });
const registered = passed({ op: "add", kernel: "elementwise", back: true });
const shapes = passed({ op: "add", shapes: 3 });
const onGpu = (error: number, texts = ["a"]) => passed({ op: "add", texts, error, share: error * 1e6 });
const gradient = passed({ op: "add", gradient: 2e-9 });

test("a row has the worst of all cases, and each text once", () => {
  const [row] = tableOf([registered, shapes, onGpu(1e-7), onGpu(3e-7, ["a", "b"]), gradient]);
  expect(row).toEqual({
    ...{ op: "add", kernel: "elementwise", back: true, texts: 2, shapes: 3, cases: 2, error: 3e-7, share: 0.3 },
    ...{ gradients: 1, gradient: 2e-9, failed: 0, missing: [] },
  });
  expect(isWhole(row!)).toBe(true);
});

test.each([
  ["its place among the ops", [shapes, onGpu(1e-7), gradient]],
  ["cases on the GPU", [registered, shapes, gradient]],
  ["shapes", [registered, onGpu(1e-7), gradient]],
  ["a check of its gradient", [registered, shapes, onGpu(1e-7)]],
] as const)("%s can be missing", (missing, tests) => {
  const rows = tableOf(tests);
  expect(rows[0]!.missing).toEqual([missing]);
  expect(isWhole(rows[0]!)).toBe(false);
  expect(printed(rows)).toContain(`MISSING: ${missing}`);
  expect(summary(rows)).toContain("1 with faults");
});

test("a test that failed is counted", () => {
  const rows = tableOf([registered, shapes, onGpu(1e-7), gradient, { ...onGpu(1), passed: false }]);
  expect(rows[0]!.failed).toBe(1);
  expect(printed(rows)).toContain("1 FAILED");
});

test("a view needs neither a kernel nor cases", () => {
  const rows = tableOf([passed({ op: "reshape", kernel: VIEW, back: true }), passed({ op: "reshape", gradient: 0 })]);
  expect(rows.every(isWhole)).toBe(true);
  expect(summary(rows)).toBe("1 ops, 0 cases on the GPU, 1 gradients: nothing missing, nothing wrong");
});
