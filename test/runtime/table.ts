// npm run runtimes: the tests in all runtimes, one after the other, and whether their losses agree. What was run where goes
// to docs/runtimes.json, from which README has its table.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { prepareFile, readWords, whole } from "../../demo/command-line.ts";
import { type Disagreement, disagreements, MOST_DIFFERENCE } from "./agreement.ts";
import { type Runtime, runtimes } from "./options.ts";
import type { Report } from "./report.ts";

const help = `npm run runtimes -- [options]
Runs test/gpu and test/stories in Chromium, Firefox, Deno and Node, and compares the losses of the golden runs.

  --short      a choice of files in Firefox, Deno and Node, and of Chromium, which npm test runs whole, the losses alone
  --jobs N     so many runtimes at once (default: 1); lines bear their names then
  --out FILE   where the results go (default: docs/runtimes.json; with --short: nowhere)
  --help       this text

The last line says how many passed and how many failed: tests, and the comparisons of losses.`;

function fail(error: unknown): never {
  console.error(`runtimes: ${(error as Error).message}`);
  process.exit(2);
}

function choose() {
  const { given, set } = readWords(process.argv.slice(2), { names: ["out", "jobs"], flags: ["short", "help"] });
  const short = set.has("short");
  const out = given.out ?? (short ? undefined : "docs/runtimes.json");
  if (out !== undefined) prepareFile("--out", out);
  const jobs = whole("--jobs", given.jobs ?? "1", 1, runtimes.length);
  return { short, out, jobs, help: set.has("help") };
}

const folder = mkdtempSync(join(tmpdir(), "gradus-runtimes-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let stopped = false;

/** Runs one; what it reports, or undefined where it came to no report. */
async function run(runtime: Runtime, { short, jobs }: ReturnType<typeof choose>): Promise<Report | undefined> {
  const json = join(folder, `${runtime}.json`);
  const form = !short ? [] : runtime === "chromium" ? ["--losses"] : ["--short"];
  const words = ["--import", "tsx", "test/runtime/main.ts", runtime, ...form, "--json", json];
  if (jobs === 1) console.log(`\n${runtime}`);
  const output = jobs === 1 ? "inherit" : "pipe";
  const child = spawn(process.execPath, words, { stdio: ["ignore", output, output] });
  for (const lines of [child.stdout, child.stderr]) {
    if (lines !== null) createInterface(lines).on("line", (line) => console.log(`${runtime.padEnd(8)}  ${line}`));
  }
  await new Promise((resolve) => child.once("close", resolve));
  try {
    return JSON.parse(readFileSync(json, "utf8")) as Report;
  } catch {
    return undefined;
  }
}

function show(reports: readonly Report[], found: readonly Disagreement[]): void {
  const rows = reports.map(({ version = "?", adapter = "?", form, passed, failed, losses }) => [
    version,
    adapter,
    form === "losses" ? "" : `${passed} passed, ${failed} failed (${form})`,
    ...(["mlp", "cnn"] as const).map((name) => losses?.[name].at(-1)?.toPrecision(8) ?? "none"),
  ]);
  const table = [["runtime", "adapter", "tests", "last loss of mlp", "of cnn"], ...rows];
  const widths = (table[0] as string[]).map((_, i) => Math.max(...table.map((row) => (row[i] as string).length)));
  console.log(`\n${table.map((row) => row.map((cell, i) => cell.padEnd(widths[i] as number)).join("  ")).join("\n")}`);
  for (const { workload, largest } of found) {
    console.log(`${workload}: losses differ by ${largest.toExponential(1)} at most, ${MOST_DIFFERENCE} is allowed`);
  }
}

let chosen: ReturnType<typeof choose>;
try {
  chosen = choose();
} catch (error) {
  fail(error);
}
if (chosen.help) console.log(help);
else {
  process.on("SIGINT", () => {
    stopped = true; // the run under way has the same signal, and ends
  });
  const settings = chosen;
  const left = [...runtimes];
  const ran = new Map<Runtime, Report | undefined>();
  const worker = async (): Promise<void> => {
    for (let runtime = left.shift(); runtime !== undefined && !stopped; runtime = left.shift())
      ran.set(runtime, await run(runtime, settings));
  };
  await Promise.all(Array.from({ length: chosen.jobs }, worker));
  const reports = runtimes.flatMap((runtime) => ran.get(runtime) ?? []);
  let passed = 0;
  let failed = ran.size - reports.length;
  for (const report of reports) {
    passed += report.passed;
    failed += report.failed;
  }
  const found = disagreements(reports, runtimes.length);
  for (const { agree } of found) agree ? passed++ : failed++;
  show(reports, found);
  if (chosen.out !== undefined) {
    const git = (...words: string[]): string => execFileSync("git", words, { encoding: "utf8" }).trim();
    const commit = `${git("rev-parse", "HEAD")}${git("status", "--porcelain", "src", "shaders", "test") === "" ? "" : ", changed"}`;
    const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown CPU"}`;
    const record = {
      commit,
      date: new Date().toISOString(),
      machine,
      passed,
      failed,
      agreement: found,
      runtimes: reports,
    };
    writeFileSync(chosen.out, `${JSON.stringify(record, null, 2)}\n`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(stopped ? 130 : failed === 0 ? 0 : 1);
}
