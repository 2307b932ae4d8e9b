// npm run bench: the training step of each engine on each workload, or the optimizer update alone, timed side by
// side in one headless browser; or, with --against, this build beside a previous one. Installs the peers on its first run, serves
// page.ts with vite, lets the page measure, prints a table and, with --json, writes the same numbers to a file.

import { execFileSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright";
import { createServer, type Plugin, type ViteDevServer } from "vite";
import type { Adapter } from "../../demo/adapter.ts";
import { adapterOf, launchBrowser } from "../../demo/browser.ts";
import { commit } from "../../demo/origin.ts";
import { type Build, presentBuild, previousBuild, serveBuilds } from "./against/build.ts";
import { type AgainstReport, type AgainstRow, againstTable, method } from "./against/report.ts";
import { bestCopy, findings, type Measured, type UpdateReport, updateTable } from "./optimizer/report.ts";
import { type AgainstOptions, help, type OptimizerOptions, options, type TrainingOptions } from "./options.ts";
import { beneath, type Report, type Row, table } from "./report.ts";
import { type RoofRow, roofOf, roofTable } from "./roofline/roof.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));

/** The peers live in test/bench/node_modules, so that installing Gradus itself stays light. */
function installPeers(): void {
  const [wanted, present] = [`${here}package-lock.json`, `${here}node_modules/.package-lock.json`];
  if (existsSync(present) && statSync(present).mtimeMs >= statSync(wanted).mtimeMs) return;
  console.error("bench: installing TensorFlow.js and jax-js into test/bench, once");
  execFileSync("npm", ["ci"], { cwd: here, stdio: "inherit", shell: process.platform === "win32" });
}

const bundled = [
  "@tensorflow/tfjs-core",
  "@tensorflow/tfjs-core/dist/register_all_gradients.js",
  "@tensorflow/tfjs-backend-webgpu",
  "@jax-js/jax",
];

/** Without peers nothing is bundled: two builds need none of them. */
function serve(peers: boolean, plugins: Plugin[]): Promise<ViteDevServer> {
  return createServer({
    configFile: false,
    root: here,
    plugins,
    logLevel: "warn",
    // A reload in the middle of a measurement would end it: nothing is watched, and the peers, which only
    // dynamic imports reach, are bundled before the page asks for them.
    server: { hmr: false, watch: null, fs: { allow: [repository] } },
    optimizeDeps: peers ? { include: [...bundled] } : { noDiscovery: true },
  });
}

/** On a terminal each line replaces the last, and an empty one clears it; in a log they follow each other. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
  else if (line !== "") console.error(line);
}

/** What was found so far, as text for people and as data for --json. */
interface Result {
  readonly text: string;
  readonly data: Omit<Report, keyof Origin> | Omit<UpdateReport, keyof Origin> | Omit<AgainstReport, keyof Origin>;
}

type Origin = Pick<Report, "date" | "commit" | "browser" | "adapter">;

/** Gives pages, and hears of each part of the result as soon as there is one. */
interface Place {
  fresh(): Promise<Page>;
  found(result: Result): void;
}

/** The adapter first, then each workload, all of them in fresh pages. */
async function training({ fresh, found }: Place, chosen: TrainingOptions): Promise<void> {
  const { engines: names, rounds, steps } = chosen;
  const rows: Row[] = [];
  const roofline: RoofRow[] = await (await fresh()).evaluate((given) => globalThis.measureRoof(given), { rounds });
  const tell = (): void => {
    const text = [roofTable(roofline), ...(rows.length > 0 ? [table(rows)] : [])].join("\n\n");
    found({ text, data: { roofline, rows } });
  };
  tell();
  for (const workload of chosen.workloads) {
    const task = { workload, engines: names, rounds, steps };
    const measured = await (await fresh()).evaluate((given) => globalThis.measure(given), task);
    rows.push(...measured.map((row) => beneath(row, roofOf(roofline))));
    tell();
  }
}

/** Each total of parameters gets a fresh page, and blocks that move about as many bytes. */
async function updates({ fresh, found }: Place, { grid, ...chosen }: OptimizerOptions): Promise<void> {
  const measured: Measured[] = [];
  for (const parameters of grid.parameters) {
    const steps = Math.max(1, Math.round((chosen.steps * 2 ** 20) / parameters));
    const task = { ...grid, ...chosen, parameters, steps };
    measured.push(await (await fresh()).evaluate((given) => globalThis.measureUpdates(given), task));
  }
  const all = { rows: measured.flatMap(({ rows }) => rows), copies: measured.flatMap(({ copies }) => copies) };
  const largest = Math.max(...grid.parameters);
  const copyGigabytesPerSecond = bestCopy(all.copies, largest).gigabytesPerSecond;
  found({ text: updateTable(all), data: { copyGigabytesPerSecond, findings: findings(all), ...all } });
}

type Builds = AgainstReport["engine"];

const facts = ({ origin, bytes, digest }: Build): Omit<Build, "text"> => ({ origin, bytes, digest });

/** Each subject gets a fresh page, and both builds are in it. */
async function comparison({ fresh, found }: Place, chosen: AgainstOptions, engine: Builds): Promise<void> {
  const { subjects, rounds, steps } = chosen;
  const rows: AgainstRow[] = [];
  for (const subject of subjects) {
    const task = { subject, rounds, steps };
    rows.push(await (await fresh()).evaluate((given) => globalThis.measureAgainst(given), task));
    found({ text: `${againstTable(rows)}\n${method}`, data: { method, engine, rows } });
  }
}

/** Measures and reports. Ctrl-C closes the browser: what awaits its page rejects, and what was found until then is told and kept. */
async function bench(chosen: TrainingOptions | OptimizerOptions | AgainstOptions) {
  const isAgainst = "against" in chosen;
  if (!isAgainst) installPeers();
  const builds = isAgainst
    ? { previous: previousBuild(chosen.against), this: await presentBuild(repository, commit()) }
    : undefined;
  const browser = await launchBrowser();
  let interrupted = false;
  let text = "";
  process.once("SIGINT", () => {
    interrupted = true;
    void browser.close();
  });
  const server = await serve(!isAgainst, builds === undefined ? [] : [serveBuilds(builds)]);
  try {
    await server.listen();
    const adapter = (await adapterOf(browser)) as Adapter; // launched, so it has one
    const version = `${browser.browserType().name()} ${browser.version()}`;
    console.log(`${version}, ${adapter.name}${adapter.software ? " (a software adapter: times are not a GPU's)" : ""}`);
    const page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") console.error(`\npage: ${message.text()}`);
    });
    await page.exposeFunction("progress", progress);
    const fresh = async (): Promise<Page> => {
      await page.goto(`${server.resolvedUrls?.local[0] ?? ""}${isAgainst ? "against/index.html" : ""}`);
      return page;
    };
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
      await comparison({ fresh, found }, chosen, engine);
    } else if ("grid" in chosen) await updates({ fresh, found }, chosen);
    else await training({ fresh, found }, chosen as TrainingOptions);
  } catch (error) {
    if (!interrupted) throw error;
    process.exitCode = 130;
  } finally {
    progress("");
    if (text !== "") console.log(text);
    await browser.close();
    await server.close();
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
else await bench(chosen).catch((error) => fail(error, 1));
