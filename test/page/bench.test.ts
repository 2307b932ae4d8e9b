// `npm run bench` as a user meets it: networks beside the roofline, and a build beside the working tree's: what it prints, writes, refuses.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Report } from "../../demo/bench/report.ts";
import type { ScaleNumbers } from "../../demo/bench/scale.ts";
import type { AgainstReport } from "../bench/against/report.ts";
import { runCommand } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "gradus-"));
const bench = (...words: string[]) => runCommand("test/bench/main.ts", words);
const interrupted = (text: string, ...words: string[]) => runCommand("test/bench/main.ts", words, text);

beforeAll(() => build({ build: { outDir: folder }, logLevel: "error" }));
afterAll(() => rmSync(folder, { recursive: true }));

test("a build beside itself: the interval holds 1, and the numbers are the same", async () => {
  const json = join(folder, "against.json");
  const words = ["--against", folder, "--only", "mlp,optimizer", "--rounds", "20", "--steps", "1", "--json", json];
  const { code, stdout, stderr } = await bench(...words);
  expect(stderr).toContain("round 11 of 20");
  expect(code).toBe(0);
  expect(stdout).toMatch(/mlp +[\d.]+ +[\d.]+ +[\d.]+/);
  const report = JSON.parse(readFileSync(json, "utf8")) as AgainstReport;
  expect(report.engine.this.digest).toBe(report.engine.previous.digest);
  expect(report).toMatchObject({ adapter: expect.stringContaining("swiftshader"), commit: expect.any(String) });
  expect(report.rows.map(({ subject }) => subject)).toEqual(["mlp", "optimizer"]);
  for (const { difference, low, high, times } of report.rows) {
    expect(difference).toBe(0);
    expect(low).toBeLessThan(1.1); // of 20 trainers, while the machine does other things too
    expect(high).toBeGreaterThan(0.9);
    expect([times.this.length, times.previous.length]).toEqual([20, 20]);
  }
});

test("a network stands beside the roofline; Ctrl-C leaves what was finished", async () => {
  const json = join(folder, "networks.json");
  const words = ["--only", "mlp,cnn", "--engines", "gradus", "--rounds", "1", "--steps", "1", "--json", json];
  const { code, stdout } = await interrupted("cnn: gradus", ...words);
  expect(code).toBe(130);
  expect(stdout).toMatch(/multiply-add f32 .* GFLOP\/s/);
  expect(stdout).toMatch(/mlp +gradus +webgpu +[\d.]+/);
  const { roofline, rows } = JSON.parse(readFileSync(json, "utf8")) as Report;
  const kinds = ["multiply-add f32", "copy", "dispatch", "submit", "readback"];
  expect([...new Set(roofline.map(({ kind }) => kind))]).toEqual(expect.arrayContaining(kinds));
  for (const { kind, value } of roofline) expect([kind, value > 0]).toEqual([kind, true]);
  expect(rows.map(({ workload }) => workload)).toEqual(["mlp"]);
  expect(rows[0]?.msRoofline).toBeGreaterThan(0);
  expect(rows[0]?.msFirst).toBeGreaterThan(rows[0]?.msMedian ?? Number.NaN);
  // Weights, gradients and two moments, of 235,146 numbers in f32, and what else a step needs.
  expect(rows[0]?.liveBytes).toBeGreaterThan(4 * 4 * 235_146);
  expect(rows[0]?.losses.length).toBe(10);
});

test("how a step grows: rows of each axis, exponents, and the page of speed that it becomes a part of", async () => {
  const json = join(folder, "scale.json");
  const speed = join(folder, "speed.json");
  writeFileSync(speed, readFileSync("docs/speed.json"));
  const words = ["--only", "scale", "--quick", "--rounds", "1", "--steps", "1", "--json", json];
  const { code, stdout } = await bench(...words);
  expect(code).toBe(0);
  expect(stdout).toMatch(/depth +64 +[\d.]+ +[\d.]+ +[\d.]+ +\d+ +[\d.]+ [kM]B +[\d.]+/);
  const { rows, exponents } = JSON.parse(readFileSync(json, "utf8")) as ScaleNumbers;
  expect(exponents.map(({ axis }) => axis)).toEqual(["depth", "width", "batch", "sequence"]);
  for (const { ms, hostMicroseconds, plannedBytes, leastBytes } of rows) {
    expect(Math.min(...ms, ...hostMicroseconds)).toBeGreaterThan(0);
    expect(plannedBytes).toBeGreaterThanOrEqual(leastBytes);
  }
  expect(readFileSync(join(folder, "speed.md"), "utf8")).toContain("## How a step grows");
});

test("builds that compute other numbers are not compared", async () => {
  const other = join(folder, "other.js");
  const text = readFileSync(join(folder, "gradus.js"), "utf8");
  const [given, inside] = /([\w$]+) as adam\b/.exec(text) as unknown as [string, string];
  const changed = text.replace(given, "fast as adam");
  writeFileSync(other, `${changed}\nfunction fast(options) { return ${inside}({ ...options, lr: 2 * options.lr }); }`);
  const { code, stderr } = await bench("--against", other, "--only", "mlp", "--rounds", "20", "--steps", "1");
  expect(code).toBe(1);
  expect(stderr).toContain("cannot be compared until they compute the same");
});

test("what is wrong on the command line is said in one line", async () => {
  const [help, missing, few, beside, rival] = await Promise.all([
    bench("--help"),
    bench("--against", join(folder, "nothing")),
    bench("--against", folder, "--rounds", "5"),
    bench("--only", "stream,mlp"),
    bench("--only", "mlp", "--engines", "gradus,tensorgrad", "--tensorgrad", folder),
  ]);
  expect([rival.code, rival.stderr]).toEqual([1, expect.stringContaining(`${folder} has no src/index.ts`)]);
  expect(help.stdout).toContain("--against DIST");
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("there is no built file at")]);
  expect([beside.code, beside.stderr]).toEqual([2, "bench: --only: stream stands alone, not beside mlp.\n"]);
  expect([few.code, few.stderr]).toEqual([2, "bench: --rounds: 5 are too few to tell, 20 are the least.\n"]);
});
