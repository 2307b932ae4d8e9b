// npm run runtimes: the tests in all runtimes, one after the other, and whether their losses agree. What was run where goes
// to docs/runtimes.json, from which README has its table.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  --only NAMES comma separated: runs these alone, and keeps what the file of --out says of the others
  --jobs N     so many runtimes at once (default: 1); lines bear their names then
  --out FILE   where the results go (default: docs/runtimes.json; with --short: nowhere)
  --help       this text

The last line says how many passed and how many failed: tests, and the comparisons of losses.`;

function fail(error: unknown): never {
  console.error(`runtimes: ${(error as Error).message}`);
  process.exit(2);
}

function choose() {
  const { given, set } = readWords(process.argv.slice(2), { names: ["out", "only", "jobs"], flags: ["short", "help"] });
  const short = set.has("short");
  const out = given.out ?? (short ? undefined : "docs/runtimes.json");
  if (out !== undefined) prepareFile("--out", out);
  const only = given.only?.split(",") ?? runtimes;
  for (const name of only) {
    if (!runtimes.some((known) => known === name))
      throw new Error(`--only: "${name}" is no runtime: give ${runtimes.join(", ")}.`);
  }
  const chosen = runtimes.filter((name) => only.includes(name));
  const jobs = whole("--jobs", given.jobs ?? "1", 1, runtimes.length);
  return { short, out, chosen, jobs, help: set.has("help") };
}

type Choice = ReturnType<typeof choose>;

const folder = mkdtempSync(join(tmpdir(), "gradus-runtimes-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let stopped = false;

/** Runs one; what it reports, or undefined where it came to no report. */
async function run(runtime: Runtime, { short, jobs }: Choice): Promise<Report | undefined> {
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

/** A run that came to no report has failed. */
const none = (runtime: Runtime, { short }: Pick<Choice, "short">): Report => ({
  ...{ runtime, form: short ? "short" : "whole", passed: 0, failed: 1, seconds: 0, failures: [] },
  failure: "It came to no report.",
});

/** What the file says of the runtimes that are not run. */
function known({ out, chosen }: Choice): Map<Runtime, Report & { readonly commit: string }> {
  if (chosen.length === runtimes.length || out === undefined || !existsSync(out)) return new Map();
  const { runtimes: before } = JSON.parse(readFileSync(out, "utf8")) as {
    readonly runtimes: readonly (Report & { readonly commit: string })[];
  };
  return new Map(before.flatMap((one) => (chosen.includes(one.runtime) ? [] : [[one.runtime, one]])));
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

let chosen: Choice;
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
  const git = (...words: string[]): string => execFileSync("git", words, { encoding: "utf8" }).trim();
  const commit = `${git("rev-parse", "HEAD")}${git("status", "--porcelain", "src", "shaders", "test") === "" ? "" : ", changed"}`;
  const left = [...settings.chosen];
  const ran = known(settings);
  const worker = async (): Promise<void> => {
    for (let runtime = left.shift(); runtime !== undefined && !stopped; runtime = left.shift())
      ran.set(runtime, { commit, ...((await run(runtime, settings)) ?? none(runtime, settings)) });
  };
  await Promise.all(Array.from({ length: chosen.jobs }, worker));
  const reports = runtimes.flatMap((runtime) => ran.get(runtime) ?? []);
  let [passed, failed] = [0, 0];
  for (const report of reports) {
    passed += report.passed;
    failed += report.failed;
  }
  const found = disagreements(reports, ran.size);
  for (const { agree } of found) agree ? passed++ : failed++;
  show(reports, found);
  if (chosen.out !== undefined) {
    const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown CPU"}`;
    const record = {
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
