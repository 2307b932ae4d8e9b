// What the benchmark draws and writes of its numbers.

import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dispatchCosts, predict, publishedGpus } from "../../demo/bench/gpus.ts";
import { groupsOf, plot } from "../../demo/bench/plot.ts";
import type { Row } from "../../demo/bench/report.ts";
import { worksOf } from "../../demo/bench/roofline/work.ts";
import { exponentOf, exponentsOf, type ScaleNumbers, type ScaleRow } from "../../demo/bench/scale.ts";
import { type Numbers, speedPage } from "../../demo/bench/speed.ts";
import { scaleTable } from "../bench/scale/report.ts";
import { referencePrograms } from "./program.ts";

const row = (workload: string, engine: string, msMedian: number, msRoofline?: number): Row =>
  ({ workload, engine, msMedian, ...(msRoofline === undefined ? {} : { msRoofline }) }) as unknown as Row;

const rows = [
  row("mlp", "gradus", 3, 2),
  row("mlp", "tfjs", 40),
  row("cnn", "gradus", 8, 4),
  row("gpt", "gradus", 8), // without a roofline
];
const kernels = [{ kernel: "matmul", form: "X < W", engine: "gradus", msMedian: 3, msRoofline: 1 }] as never;

test("bars are times over the roofline of what Gradus does, for all engines of a row", () => {
  expect(groupsOf({ rows, kernels })).toEqual([
    {
      title: "mlp",
      bars: [
        { engine: "gradus", value: 1.5 },
        { engine: "tfjs", value: 20 },
      ],
    },
    { title: "cnn", bars: [{ engine: "gradus", value: 2 }] },
    { title: "matmul: X < W", bars: [{ engine: "gradus", value: 3 }] },
  ]);
});

test("the plot is as wide as it is told, and its bars lie on a scale of powers", () => {
  const image = plot(groupsOf({ rows, kernels }), 500);
  expect(image).toContain('viewBox="0 0 500 ');
  expect(image).toContain("matmul: X &lt; W");
  const widths = [...image.matchAll(/<rect class="(?:own|other)" x="108" y="[\d.]+" width="([\d.]+)"/g)].map(
    ([, width]) => Number(width),
  );
  const whole = widths[1] as number; // of 20, the most
  expect(whole).toBe(500 - 12 - 52 - 108);
  for (const [i, value] of [1.5, 20, 2, 3].entries())
    expect(widths[i]).toBeCloseTo((whole * Math.log(value)) / Math.log(20), 0);
});

const place = { date: "2026-01-02T03:04:05Z", commit: "abc1234", browser: "chromium 1", adapter: "an adapter" };

test("the page of speed has what the numbers have, and nothing else", () => {
  const old = speedPage({ ...place, rows: rows.slice(1, 2).map(withSpread) });
  expect(old).toContain("an adapter, chromium 1, commit abc1234, 2026-01-02.");
  expect(old).toMatch(/\| ms a step \| tfjs \|\n\| -+ \| -+: \|\n\| `mlp` +\| +40.0 \|/);
  expect(old).not.toMatch(/##.*(adapter|Kernels|GPUs)|NaN|undefined|!\[/);

  const works = [{ kernel: "product", operations: 8.26e9, bytes: 1, runs: 2 }];
  const roofline = [{ kind: "copy", form: "sized", value: 2, best: 3, worst: 1, unit: "GB/s" }] as const;
  const all = speedPage(
    { ...place, roofline, kernels, rows: rows.map((one) => withSpread({ ...one, works })) },
    "speed.svg",
  );
  expect(all).toMatch(/\| `mlp` +\| +3.00 \| 40.0 \(13.3x\) \|/);
  expect(all).toContain("![Time over the roofline](speed.svg)");
  expect(all).toMatch(/\| copy +\| +2.00 \| +GB\/s \| +sized \|/);
  expect(all).toMatch(/\| matmul: X < W \| gradus \| +3.00 \|/);
  expect(all).toMatch(/\| `cnn` +\| +0.148 \(0.100\) \|/); // 8.26e9 at 82,600 GFLOP/s, two dispatches of 24 us
  expect(all).not.toMatch(/NaN|undefined/);
});

const withSpread = (one: Row): Row => ({ ...one, msMin: 1, msMax: 9 });

test("a step on a published GPU: arithmetic or memory of each dispatch, whichever takes longer, and its dispatches", () => {
  const gpu = { name: "", gigaflops: 1000, gigabytesPerSecond: 100, api: "Metal", source: "" } as const;
  const works = [
    { kernel: "product", operations: 1e9, bytes: 1e6, runs: 1 },
    { kernel: "copy", operations: 1e6, bytes: 1e9, runs: 3 },
  ];
  const { ms, msOfWork } = predict(works, gpu);
  expect(msOfWork).toBeCloseTo(1 + 10, 9);
  expect(ms).toBeCloseTo(11 + 4 * 0.032, 9);
});

test("small networks are bound by their dispatches on every GPU, and no figure is without a source", () => {
  const works = worksOf(referencePrograms.mlp().recording);
  expect(publishedGpus.length).toBeGreaterThanOrEqual(4);
  for (const gpu of publishedGpus) {
    expect(gpu.source).not.toBe("");
    const { ms, msOfWork } = predict(works, gpu);
    expect(ms - msOfWork).toBeCloseTo((works.length * dispatchCosts[gpu.api]) / 1e3, 9);
    expect(msOfWork).toBeLessThan(ms / 2);
  }
});

test("the first step and the memory of each engine stand beside those of Gradus, where they were measured", () => {
  const told = rows.map((one) => withSpread({ ...one, msFirst: one.engine === "gradus" ? 100 : 250 }));
  const page = speedPage({
    ...place,
    rows: told.map((one, i) => (i === 1 ? { ...one, liveBytes: 3 * 2 ** 20 } : one)),
  });
  expect(page).toMatch(/\| ms to the first loss \| gradus \| +tfjs \|/);
  expect(page).toMatch(/\| `mlp` +\| +100 \| 250 \(2.50x\) \|/);
  expect(page).toMatch(/\| `gpt` +\| +100 \| +\|/);
  expect(page).toMatch(/\| MB on the device \| tfjs \|\n.*\n\| `mlp` +\| 3.00 \|/);
  expect(page).not.toMatch(/NaN|undefined/);
});

/** A step of 3 size^power milliseconds. */
const grown = (axis: ScaleRow["axis"], size: number, power: number): ScaleRow => ({
  ...{ axis, size, ms: [3 * size ** power, 1e9, 0], hostMicroseconds: [20], planMs: 5, dispatches: 2 * size },
  ...{ plannedBytes: 2048 * size, leastBytes: 1024 * size },
});

test("an exponent is that of the power that sizes and figures follow, the nearest where they are between two", () => {
  expect(exponentOf([1, 2, 8, 64].map((x) => [x, 3 * x ** 1.05]))).toBeCloseTo(1.05, 12);
  // Of x, x^2 and x at 1, 2 and 4 the slope is that from end to end.
  expect(exponentOf([1, 2, 4].map((x, i) => [x, i === 1 ? 8 : x]))).toBeCloseTo(1, 12);
  expect(exponentOf([[3, 4]])).toBeNaN();
  const found = exponentsOf([1, 4, 32].map((size) => grown("depth", size, 0.9)));
  expect(found).toEqual([
    { axis: "depth", ms: expect.closeTo(0.9, 9), hostMicroseconds: 0, planMs: 0, plannedBytes: expect.closeTo(1, 9) },
  ]);
});

test("how a step grows is a table for each axis that was measured, with its exponents below", () => {
  const all = [grown("depth", 1, 1), grown("depth", 512, 1), grown("width", 16, 2)];
  const text = scaleTable(all);
  expect(text).toMatch(/depth +512 +1536 +20.0 +5.00 +1024 +1.0 MB +2.00\n/);
  expect(text).toMatch(/depth +exponent +\^1.00 +\^0.00 +\^0.00 +\^1.00/);
  expect(text).not.toMatch(/width +exponent|NaN/);
  const scale: ScaleNumbers = { ...place, rows: all, exponents: exponentsOf(all) };
  const page = speedPage({ ...place, rows: [] }, undefined, scale);
  expect(page).toContain("## How a step grows\n\n**depth**: layers of dense 64 and relu, batch 32.\n\n| depth ");
  expect(page).toMatch(/\| exponent \| +\^1.00 \| +\^0.00 \| +\^0.00 \| +\| +\^1.00 \| +\|/);
  expect(page).toMatch(/\*\*width\*\*[^*]*\| 16 /);
  expect(page).not.toMatch(/\*\*(batch|sequence)|NaN|undefined/);
});

test("docs/speed.md is what docs/speed.json makes", () => {
  const read = (name: string): string => readFileSync(`docs/${name}`, "utf8");
  const numbers = JSON.parse(read("speed.json")) as Numbers;
  const scale = existsSync("docs/scale.json") ? (JSON.parse(read("scale.json")) as ScaleNumbers) : undefined;
  expect(read("speed.md")).toBe(speedPage(numbers, "speed.svg", scale));
});
