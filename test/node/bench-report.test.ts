// What the benchmark draws and writes of its numbers.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dispatchCosts, predict, publishedGpus } from "../../demo/bench/gpus.ts";
import { groupsOf, plot } from "../../demo/bench/plot.ts";
import type { Row } from "../../demo/bench/report.ts";
import { worksOf } from "../../demo/bench/roofline/work.ts";
import { type Numbers, speedPage } from "../../demo/bench/speed.ts";
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

test("docs/speed.md is what docs/speed.json makes", () => {
  const read = (name: string): string => readFileSync(`docs/${name}`, "utf8");
  const numbers = JSON.parse(read("speed.json")) as Numbers;
  expect(read("speed.md")).toBe(speedPage(numbers, "speed.svg"));
});
