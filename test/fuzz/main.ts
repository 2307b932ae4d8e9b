// npm run soak: the long forms of the tests. Random sequences of calls and random configurations on the built file in a headless
// browser, then the tests in the other runtimes. What is done is kept in a file after each batch, so that a run can be
// interrupted at any time and goes on where it stood.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright";
import { createServer } from "vite";
import type { Adapter } from "../../demo/adapter.ts";
import { adapterOf, launchBrowser } from "../../demo/browser.ts";
import { taskNames } from "../../demo/tasks/table.ts";
import { presentBuild, serveBuilds } from "../bench/against/build.ts";
import { help, options, type SoakOptions } from "./options.ts";
import { configurationFailed, counted, failure, hasFailed, type SoakReport, summary } from "./report.ts";
import type { Found } from "./sequence.ts";
import { soakTask } from "./tasks.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Sequences between two writings of the file, and after which the page begins anew. */
const BATCH = 10;
/** Scripts of package.json that run the tests elsewhere, in their whole form. */
const RUNTIMES = ["test:deno", "test:node", "test:firefox"];

function commit(): string {
  const git = ["describe", "--always", "--dirty", "--exclude=*"];
  try {
    return execFileSync("git", git, { cwd: repository, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}

/** On a terminal each line replaces the last, and an empty one clears it; in a log they follow each other. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
  else if (line !== "") console.error(line);
}

function say(text: string): void {
  progress("");
  console.log(text);
}

type Origin = Pick<SoakReport, "date" | "commit" | "browser" | "adapter">;

/** What the file holds of this very soak, else nothing done yet. */
function begin({ json, fresh, seed, count }: SoakOptions, origin: Origin): SoakReport {
  const sequences = { asked: count, done: 0, calls: {}, wrong: 0, untyped: 0, found: [] };
  const none: SoakReport = { ...origin, seed, sequences, configurations: [], tasks: [], runtimes: [] };
  if (fresh || !existsSync(json)) return none;
  const known = JSON.parse(readFileSync(json, "utf8")) as SoakReport;
  const isSame = (["commit", "adapter", "browser"] as const).every((key) => known[key] === origin[key]);
  if (!isSame || known.seed !== seed || hasFailed(known)) {
    say(`${json} is of another state, of other seeds or has failures: beginning anew`);
    return none;
  }
  return { ...known, ...origin, sequences: { ...known.sequences, asked: count } };
}

/** Runs `work` until it is done or `stopped`. */
async function soak(chosen: SoakOptions, stopped: AbortSignal, closing: (close: () => void) => void): Promise<number> {
  const build = await presentBuild(repository, commit());
  const browser = await launchBrowser();
  closing(() => void browser.close());
  const server = await createServer({
    configFile: false,
    root: here,
    logLevel: "warn",
    plugins: [serveBuilds({ this: build })],
    server: { hmr: false, watch: null, fs: { allow: [repository] } },
    optimizeDeps: { include: ["fast-check"] },
  });
  try {
    await server.listen();
    const adapter = (await adapterOf(browser)) as Adapter; // launched, so it has one
    const version = `${browser.browserType().name()} ${browser.version()}`;
    say(`${version}, ${adapter.name}, gradus.js ${build.digest}`);
    const page = await browser.newPage();
    const fresh = async (): Promise<Page> => {
      await page.goto(server.resolvedUrls?.local[0] ?? "");
      return page;
    };
    const origin = { date: new Date().toISOString(), commit: commit(), browser: version, adapter: adapter.name };
    let report = begin(chosen, origin);
    const keep = (changed: Partial<SoakReport>): void => {
      report = { ...report, ...changed };
      if (chosen.path === undefined) writeFileSync(chosen.json, `${JSON.stringify(report, null, 2)}\n`);
    };
    if (chosen.only.includes("sequences")) await sequences(chosen, stopped, fresh, () => report, keep);
    if (chosen.only.includes("configurations"))
      await configurations(chosen.configurations, stopped, fresh, () => report, keep);
    await server.close();
    await browser.close();
    if (chosen.only.includes("tasks")) await tasks(stopped, () => report, keep);
    if (chosen.only.includes("runtimes")) await runtimes(stopped, () => report, keep);
    say(summary(report));
    return stopped.aborted ? 130 : hasFailed(report) ? 1 : 0;
  } finally {
    await server.close();
    await browser.close();
  }
}

type Keep = (changed: Partial<SoakReport>) => void;

async function sequences(
  { count, seed, path }: SoakOptions,
  stopped: AbortSignal,
  fresh: () => Promise<Page>,
  report: () => SoakReport,
  keep: Keep,
): Promise<void> {
  while (report().sequences.done < count && !stopped.aborted) {
    const { done, calls, found } = report().sequences;
    const { wrong, untyped } = counted(found);
    progress(`sequence ${done + 1} of ${count}: ${wrong} wrong, ${untyped} untyped so far`);
    const seeds = Array.from({ length: Math.min(BATCH, count - done) }, (_, i) => seed + done + i);
    const known = found.map(({ kind, call }) => `${kind}: ${call}`);
    const one = await (await fresh()).evaluate((task) => globalThis.runSeeds(task), { seeds, path, known });
    for (const fault of one.found) say(failure(fault));
    const all: Found[] = [...found, ...one.found];
    const names = new Set([...Object.keys(calls), ...Object.keys(one.counts)]) as Set<keyof typeof calls>;
    const sums = Object.fromEntries([...names].map((name) => [name, (calls[name] ?? 0) + (one.counts[name] ?? 0)]));
    keep({ sequences: { asked: count, done: done + seeds.length, calls: sums, ...counted(all), found: all } });
  }
}

async function configurations(
  count: number,
  stopped: AbortSignal,
  fresh: () => Promise<Page>,
  report: () => SoakReport,
  keep: Keep,
): Promise<void> {
  const page = await fresh();
  while (report().configurations.length < count && !stopped.aborted) {
    const number = report().configurations.length;
    progress(`configuration ${number + 1} of ${count}`);
    const one = await page.evaluate((given) => globalThis.agree(given), number);
    if (configurationFailed(one))
      say(`configuration ${number} is off by ${one.worst.toExponential(1)} of the path: ${one.configuration}`);
    keep({ configurations: [...report().configurations, one] });
  }
}

async function tasks(stopped: AbortSignal, report: () => SoakReport, keep: Keep): Promise<void> {
  for (const task of taskNames) {
    if (stopped.aborted) return;
    if (report().tasks.some((one) => one.task === task && one.passed)) continue;
    progress(`task ${task}`);
    const one = await soakTask(task, stopped);
    if (stopped.aborted) return;
    say(
      `${task}: loss ${one.loss.toPrecision(4)} after ${one.steps} steps, ${one.passed ? "" : "not "}below ${one.below}`,
    );
    keep({ tasks: [...report().tasks.filter((other) => other.task !== task), one] });
  }
}

/** The tests elsewhere; a script that there is not is said to be missing, and is a failure. */
async function runtimes(stopped: AbortSignal, report: () => SoakReport, keep: Keep): Promise<void> {
  const { scripts } = JSON.parse(readFileSync(`${repository}package.json`, "utf8")) as { scripts: object };
  for (const script of RUNTIMES) {
    if (stopped.aborted) return;
    if (report().runtimes.some((one) => one.script === script && one.passed)) continue;
    progress(`npm run ${script}`);
    const start = performance.now();
    const passed = script in scripts && (await succeeds(script));
    if (stopped.aborted) return;
    const seconds = Math.round((performance.now() - start) / 1000);
    keep({ runtimes: [...report().runtimes.filter((one) => one.script !== script), { script, passed, seconds }] });
  }
}

const succeeds = (script: string): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn("npm", ["run", script], {
      cwd: repository,
      stdio: "inherit",
      shell: process.platform === "win32",
    });
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });

function fail(error: unknown, exitCode: number): never {
  progress("");
  console.error(`soak: ${(error as Error).message.split("\n")[0]}`);
  process.exit(exitCode);
}

let chosen: ReturnType<typeof options>;
try {
  chosen = options();
} catch (error) {
  fail(error, 2);
}
if (chosen === "help") console.log(help);
else {
  // On Ctrl-C the browser is closed at once: what awaits its page rejects, and the file holds what was done before.
  const stop = new AbortController();
  let close = (): void => {};
  process.once("SIGINT", () => {
    stop.abort();
    close();
  });
  const wanted = chosen;
  process.exitCode = await soak(wanted, stop.signal, (given) => {
    close = given;
  }).catch((error) => {
    if (!stop.signal.aborted) fail(error, 1);
    say(`soak: interrupted; npm run soak goes on from ${wanted.json}`);
    return 130;
  });
}
