// `npm run soak` as a user meets it: sequences and configurations on the built file, results that are kept, and a run that goes on
// where the last one ended.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { SoakReport } from "../fuzz/report.ts";
import { stepsFaults } from "../fuzz/steps-report.ts";
import { runCommand } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "gradus-"));
const json = join(folder, "soak.json");
const soak = (...words: string[]) => runCommand("test/fuzz/main.ts", [...words, "--json", json]);
const report = (path = json): SoakReport => JSON.parse(readFileSync(path, "utf8"));

afterAll(() => rmSync(folder, { recursive: true }));

test("a few configurations agree with the reference to 1e-5 of the path, on the built file", async () => {
  const { code, stdout } = await soak("--only", "configurations", "--configurations", "8");
  expect(stdout).toContain("8 configurations: at most");
  expect(code).toBe(0);
  expect(report()).toMatchObject({ adapter: expect.stringContaining("swiftshader"), commit: expect.any(String) });
  expect(new Set(report().configurations.map(({ configuration }) => configuration)).size).toBe(8);
});

test("devices are lost in calls of a trainer, and each is replaced", async () => {
  const { code, stdout } = await soak("--only", "losses", "--losses", "3");
  expect([code, stdout]).toEqual([0, expect.stringContaining("3 of 3 losses recovered")]);
  expect(report().losses).toMatchObject({ asked: 3, done: 3, found: [] });
});

test("many steps of one trainer make no buffer and keep no heap, and trainers that are disposed of leave nothing", async () => {
  // How fast it is at the end is told and not asked: clocks of machines with other work do not tell. What a clock may call a failure
  // stands in a file of its own, since a soak goes on with no file that holds one.
  const own = join(folder, "steps.json");
  const { code, stdout } = await runCommand("test/fuzz/main.ts", ["--only", "steps", "--steps", "2000", "--json", own]);
  expect(stdout).toContain("2000 steps: ");
  expect(stdout).toContain("20 trainers compiled, trained and disposed of: 0 buffers left");
  const { stands, blocks, rounds } = report(own).steps;
  const [first, last] = [stands[0], stands.at(-1)];
  expect([first?.steps, last?.steps]).toEqual([10, 2000]);
  expect([last?.alive, last?.made]).toEqual([first?.alive, first?.made]);
  expect([blocks?.old.length, blocks?.fresh.length, rounds?.alive]).toEqual([30, 30, 0]);
  expect(stepsFaults({ ...report(own).steps, blocks: undefined })).toEqual([]);
  expect(code === 0 || stdout.includes("throughput is")).toBe(true);
});

test("a run goes on where the last one ended, sequences beside configurations", async () => {
  const { code, stderr, stdout } = await soak("--only", "sequences", "--count", "3");
  expect(stdout).toContain("3 of 3 sequences");
  expect(code).toBe(0);
  expect(stderr).toContain("sequence 1 of 3");
  const again = await soak("--only", "sequences", "--count", "4");
  expect(again.stderr).toContain("sequence 4 of 4");
  expect(again.stderr).not.toContain("sequence 1 of");
  expect(report().sequences).toMatchObject({ asked: 4, done: 4, wrong: 0, untyped: 0 });
  expect(report().configurations).toHaveLength(8);
});

test("wrong files are read without a browser, and one is repeated by its number alone", async () => {
  const { code, stdout } = await soak("--only", "readers", "--inputs", "18");
  expect([code, stdout]).toEqual([0, expect.stringContaining("18 of 18 wrong files: 0 faults")]);
  expect(report().readers).toMatchObject({ asked: 18, done: 18, found: [] });
  expect(Object.keys(report().readers.byReader)).toHaveLength(9);
  // What ran in a browser before is still there.
  expect(report().configurations).toHaveLength(8);
  const one = await soak("--input", "5");
  expect([one.code, JSON.parse(one.stdout)]).toEqual([0, expect.objectContaining({ number: 5 })]);
  expect(report().readers.done).toBe(18);
});

test("what is wrong on the command line is said in one line", async () => {
  const [help, path, part] = await Promise.all([soak("--help"), soak("--path", "0"), soak("--only", "all")]);
  expect(help.stdout).toContain("--seed S");
  expect([path.code, path.stderr]).toEqual([2, "soak: --path: it needs the --seed that it belongs to.\n"]);
  expect([part.code, part.stderr]).toEqual([2, expect.stringContaining('--only: "all" is none of sequences')]);
});
