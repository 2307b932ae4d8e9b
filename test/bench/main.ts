// npm run bench: the training step of each engine on each workload, or the optimizer update alone, timed side by
// side in one headless browser; or, with --against, this build beside a previous one. Installs the peers on its first run, serves
// page.ts with vite, lets the page measure, prints a table and, with --json, writes the same numbers to a file.

import { execFileSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type AnyEngine, isPackage } from "../../demo/bench/engine.ts";
import { axes, exponentsOf, type ScaleRow } from "../../demo/bench/scale.ts";
import { commit } from "../../demo/origin.ts";
import { type Build, presentBuild, previousBuild, serveBuilds } from "./against/build.ts";
import { type AgainstReport, type AgainstRow, againstTable, method } from "./against/report.ts";
import { type CohortRow, type CohortWorkload, cohortMarks, cohortRatio, cohortTable } from "./cohort/report.ts";
import { draw, isScale } from "./drawn.ts";
import { bestCopy, findings, type Measured, updateTable } from "./optimizer/report.ts";
import {
  type AgainstOptions,
  type CohortOptions,
  help,
  type OptimizerOptions,
  options,
  type ScaleOptions,
  type StreamOptions,
  type TrainingOptions,
} from "./options.ts";
import type { Origin, Place, Result } from "./place.ts";
import { openBrowser, openRuntime } from "./runtime.ts";
import { scaleTable } from "./scale/report.ts";
import { ratioOf, streamTable } from "./stream/report.ts";
import { serveTensorgrad, tensorgradFolder } from "./tensorgrad-folder.ts";
import { training } from "./training.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));

/** The peers live in test/bench/node_modules, so that installing Gradus itself stays light. */
function installPeers(): void {
  const [wanted, present] = [`${here}package-lock.json`, `${here}node_modules/.package-lock.json`];
  if (existsSync(present) && statSync(present).mtimeMs >= statSync(wanted).mtimeMs) return;
  console.error("bench: installing TensorFlow.js and jax-js into test/bench, once");
  execFileSync("npm", ["ci"], { cwd: here, stdio: "inherit", shell: process.platform === "win32" });
}

/** On a terminal each line replaces the last, and an empty one clears it; in a log they follow each other. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
  else if (line !== "") console.error(line);
}

/** Each total of parameters gets a fresh page, and blocks that move about as many bytes. */
async function updates({ call, found }: Place, { grid, ...chosen }: OptimizerOptions): Promise<void> {
  const measured: Measured[] = [];
  for (const parameters of grid.parameters) {
    const steps = Math.max(1, Math.round((chosen.steps * 2 ** 20) / parameters));
    const task = { ...grid, ...chosen, parameters, steps };
    measured.push(await call("measureUpdates", task));
  }
  const all = { rows: measured.flatMap(({ rows }) => rows), copies: measured.flatMap(({ copies }) => copies) };
  const largest = Math.max(...grid.parameters);
  const copyGigabytesPerSecond = bestCopy(all.copies, largest).gigabytesPerSecond;
  found({ text: updateTable(all), data: { copyGigabytesPerSecond, findings: findings(all), ...all } });
}

async function streams({ call, found }: Place, { images, resident, rounds, steps }: StreamOptions): Promise<void> {
  await call("writeStream", { images });
  const report = await call("measureStream", { images, resident, rounds, steps });
  found({ text: streamTable(report), data: { ratio: ratioOf(report), ...report } });
}

/** Each workload gets a fresh page, in which one trainer and many copies take turns. */
async function cohorts({ call, found }: Place, { copies, rounds, steps }: CohortOptions): Promise<void> {
  const rows: CohortRow[] = [];
  for (const workload of Object.keys(cohortMarks) as CohortWorkload[]) {
    rows.push(await call("measureCohort", { workload, copies, rounds, steps }));
    found({ text: cohortTable(rows), data: { rows: rows.map((row) => ({ ratio: cohortRatio(row), ...row })) } });
  }
}

/** Each size gets a fresh page. */
async function scales({ call, found }: Place, { sizes, rounds, steps }: ScaleOptions): Promise<void> {
  const rows: ScaleRow[] = [];
  for (const axis of axes) {
    for (const size of sizes[axis]) {
      rows.push(await call("measureScale", { axis, size, rounds, steps }));
      found({ text: scaleTable(rows), data: { exponents: exponentsOf(rows), rows: [...rows] } });
    }
  }
}

type Builds = AgainstReport["engine"];

const facts = ({ origin, bytes, digest }: Build): Omit<Build, "text"> => ({ origin, bytes, digest });

/** Each subject gets a fresh page, and both builds are in it. */
async function comparison({ call, found }: Place, chosen: AgainstOptions, engine: Builds): Promise<void> {
  const { subjects, rounds, steps } = chosen;
  const rows: AgainstRow[] = [];
  for (const subject of subjects) {
    const task = { subject, rounds, steps };
    rows.push(await call("measureAgainst", task));
    found({ text: `${againstTable(rows)}\n${method}`, data: { method, engine, rows } });
  }
}

/** Measures and reports. Ctrl-C closes the browser: what awaits its page rejects, and what was found until then is told and kept. */
async function bench(
  chosen: TrainingOptions | OptimizerOptions | StreamOptions | CohortOptions | ScaleOptions | AgainstOptions,
) {
  const isAgainst = "against" in chosen;
  const needsPeers = "engines" in chosen && chosen.engines.some((name) => isPackage(name as AnyEngine));
  if (needsPeers) installPeers();
  const builds = isAgainst
    ? { previous: previousBuild(chosen.against), this: await presentBuild(repository, commit()) }
    : undefined;
  const rival =
    "workloads" in chosen && chosen.engines.includes("tensorgrad")
      ? await serveTensorgrad(tensorgradFolder(chosen.tensorgrad, `${here}node_modules`))
      : undefined;
  const runtime = "runtime" in chosen ? chosen.runtime : "browser";
  const opened = await (runtime === "browser"
    ? openBrowser({
        peers: needsPeers,
        progress,
        path: "workloads" in chosen || "grid" in chosen ? "" : "alone.html",
        plugins: [...(builds ? [serveBuilds(builds)] : []), ...(rival ? [rival] : [])],
      })
    : openRuntime(runtime, progress));
  const { adapter, version, call } = opened;
  let interrupted = false;
  let text = "";
  process.once("SIGINT", () => {
    interrupted = true;
    void opened.close();
  });
  try {
    console.log(`${version}, ${adapter.name}${adapter.software ? " (a software adapter: times are not a GPU's)" : ""}`);
    const found = (result: Result): void => {
      text = result.text;
      const origin: Origin = {
        date: new Date().toISOString(),
        commit: commit(),
        browser: version,
        adapter: adapter.name,
      };
      const { json } = chosen;
      if (json !== undefined) writeFileSync(json, `${JSON.stringify({ ...origin, ...result.data }, null, 2)}\n`);
    };
    if (builds !== undefined && "against" in chosen) {
      const engine = { this: facts(builds.this), previous: facts(builds.previous) };
      await comparison({ call, found, progress }, chosen, engine);
    } else if ("grid" in chosen) await updates({ call, found, progress }, chosen);
    else if ("copies" in chosen) await cohorts({ call, found, progress }, chosen);
    else if ("sizes" in chosen) await scales({ call, found, progress }, chosen);
    else if ("images" in chosen) await streams({ call, found, progress }, chosen);
    else await training({ call, found, progress }, chosen as TrainingOptions);
  } catch (error) {
    if (!interrupted) throw error;
    process.exitCode = 130;
  } finally {
    progress("");
    if (text !== "") console.log(text);
    if (text !== "" && chosen.json?.endsWith(".json") && ("workloads" in chosen || isScale(chosen.json)))
      for (const path of draw(chosen.json)) console.log(`Wrote ${path}`);
    await opened.close();
  }
}

function fail(error: unknown, exitCode: number): never {
  progress("");
  // Of an error in the page its first line is enough: the rest is the page's stack.
  const text = (error as Error).message.replace(/^page\.evaluate: Error: ([^\n]*).*/s, "$1");
  console.error(`bench: ${text}`);
  process.exit(exitCode);
}

let chosen: ReturnType<typeof options>;
try {
  chosen = options();
} catch (error) {
  fail(error, 2);
}
if (chosen === "help") console.log(help);
else if ("redraw" in chosen) {
  try {
    for (const path of draw(chosen.redraw)) console.log(`Wrote ${path}`);
  } catch (error) {
    fail(error, 1);
  }
} else await bench(chosen).catch((error) => fail(error, 1));
