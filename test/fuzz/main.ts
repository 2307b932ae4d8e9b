// npm run soak: the long forms of the tests. Random sequences of calls and random configurations on the built file in a headless
// browser, faults and losses of its devices, places in time, figures of networks of others, wrong files for every reader, tasks, then the tests in the other runtimes. What is done is kept in a file after each batch, so that a run can be
// interrupted at any time and goes on where it stood.

import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright";
import { createServer } from "vite";
import type { Adapter } from "../../demo/adapter.ts";
import { adapterOf, launchBrowser } from "../../demo/browser.ts";
import { dataServer } from "../../demo/data-server.ts";
import { mnistServer } from "../../demo/mnist-server.ts";
import { commit } from "../../demo/origin.ts";
import { taskNames } from "../../demo/tasks/table.ts";
import { presentBuild, serveBuilds } from "../bench/against/build.ts";
import {
  faultFailure,
  interruptionFailure,
  isUnrecovered,
  isWrong,
  lossFailure,
  noFaults,
  noInterruptions,
  noLosses,
  withInterruptions,
  withLosses,
  withWalk,
} from "./faults/report.ts";
import { help, options, type SoakOptions } from "./options.ts";
import { noPlaces, placeFailure, withPlaces } from "./places-report.ts";
import type { InputResult } from "./reader/input.ts";
import { inputFailure, isFault, noReaders, withInput } from "./reader/report.ts";
import { readInputs } from "./reader/run.ts";
import {
  configurationFailed,
  counted,
  failure,
  figureFailed,
  figureLine,
  hasFailed,
  type SoakReport,
  summary,
} from "./report.ts";
import type { Found } from "./sequence.ts";
import { noSteps, type Stand, stepsFaults } from "./steps-report.ts";
import { shownFigure, soakTask } from "./tasks.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Sequences between two writings of the file, and after which the page begins anew. */
const BATCH = 10;
/** Places of one training. */
const PLACES = 25;
/** Wrong files that one process reads. */
const INPUTS = 5000;
/** Scripts of package.json that run the tests elsewhere, in their whole form. */
const RUNTIMES = ["test:deno", "test:node", "test:firefox"];

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
function begin(chosen: SoakOptions, origin: Origin): SoakReport {
  const { json, fresh, seed, count, inputs, losses, crashes, interruptions, places, steps } = chosen;
  const sequences = { asked: count, done: 0, calls: {}, wrong: 0, untyped: 0, found: [] };
  const none: SoakReport = {
    ...{ ...origin, seed, sequences, configurations: [] },
    ...{ readers: noReaders(inputs), figures: [], tasks: [], runtimes: [] },
    ...{
      faults: noFaults,
      losses: noLosses(losses),
      crashes: noLosses(crashes),
      interruptions: noInterruptions(interruptions),
      places: noPlaces(places),
      steps: noSteps(steps),
    },
  };
  if (fresh || !existsSync(json)) return none;
  const known: SoakReport = { ...none, ...(JSON.parse(readFileSync(json, "utf8")) as Partial<SoakReport>) };
  const isSame = (["commit", "adapter", "browser"] as const).every(
    (key) => known[key] === origin[key] || (key !== "commit" && [known[key], origin[key]].includes(undefined)),
  );
  if (!isSame || known.seed !== seed || hasFailed(known)) {
    say(`${json} is of another state, of other seeds or has failures: beginning anew`);
    return none;
  }
  const { browser = known.browser, adapter = known.adapter, ...rest } = origin;
  return {
    ...{ ...known, ...rest, browser, adapter },
    ...{
      sequences: { ...known.sequences, asked: count },
      readers: { ...known.readers, asked: inputs },
      losses: { ...known.losses, asked: losses },
      crashes: { ...known.crashes, asked: crashes },
      interruptions: { ...known.interruptions, asked: interruptions },
      places: { ...known.places, asked: places },
    },
  };
}

interface OpenPage {
  readonly browser: string;
  readonly adapter: string;
  /** The page as it begins. */
  fresh(): Promise<Page>;
  close(): Promise<void>;
}

/** A page with the built file, in a headless browser. */
async function openPage(closing: (close: () => void) => void): Promise<OpenPage> {
  const build = await presentBuild(repository, commit());
  const browser = await launchBrowser();
  closing(() => void browser.close());
  const server = await createServer({
    configFile: false,
    root: here,
    logLevel: "warn",
    plugins: [serveBuilds({ this: build }), dataServer(), mnistServer()],
    server: { hmr: false, watch: null, fs: { allow: [repository] } },
    optimizeDeps: { include: ["fast-check"] },
  });
  const close = async (): Promise<void> => {
    await server.close();
    await browser.close();
  };
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
    return { browser: version, adapter: adapter.name, fresh, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Runs what was chosen until it is done or `stopped`. */
async function soak(chosen: SoakOptions, stopped: AbortSignal, closing: (close: () => void) => void): Promise<number> {
  if (chosen.input !== undefined) return oneInput(chosen.input, stopped);
  const page = chosen.only.some((part) => part in inPage) ? await openPage(closing) : undefined;
  try {
    const at = { date: new Date().toISOString(), commit: commit() };
    let report = begin(chosen, { ...at, browser: page?.browser, adapter: page?.adapter });
    const keep = (changed: Partial<SoakReport>): void => {
      report = { ...report, ...changed };
      if (chosen.path === undefined) writeFileSync(chosen.json, `${JSON.stringify(report, null, 2)}\n`);
    };
    const work: Work = { chosen, stopped, report: () => report, keep };
    for (const part of chosen.only)
      if (page !== undefined && part in inPage) await inPage[part as PagePart]({ ...work, fresh: page.fresh });
    await page?.close();
    for (const part of chosen.only) if (part in alone) await alone[part as keyof typeof alone](work);
    say(summary(report));
    return stopped.aborted ? 130 : hasFailed(report) ? 1 : 0;
  } finally {
    await page?.close();
  }
}

/** What a part is asked for, and where it keeps what it found. */
interface Work {
  readonly chosen: SoakOptions;
  readonly stopped: AbortSignal;
  readonly report: () => SoakReport;
  readonly keep: (changed: Partial<SoakReport>) => void;
}

/** The same on the built file. */
interface PageWork extends Work, Pick<OpenPage, "fresh"> {}

/** Parts that run in a page, and those that do not, in their order. */
const inPage = { sequences, configurations, faults, losses, crashes, interruptions, branches: places, steps, figures };
type PagePart = keyof typeof inPage;
const alone = { readers: wrongFiles, tasks, runtimes };

async function sequences({ chosen, stopped, fresh, report, keep }: PageWork): Promise<void> {
  const { count, seed, path } = chosen;
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

async function configurations({ chosen, stopped, fresh, report, keep }: PageWork): Promise<void> {
  const { configurations: count } = chosen;
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

/** Every place of every call of a small run, with each fault that a device has there. */
async function faults({ stopped, fresh, report, keep }: PageWork): Promise<void> {
  const page = await fresh();
  for (const place of await page.evaluate(() => globalThis.faultyCalls())) {
    const { setup, call } = place;
    if (stopped.aborted) return;
    if (report().faults.walked.some((one) => one.setup === setup && one.call === call)) continue;
    progress(`faults of ${setup}: ${call}`);
    const outcomes = await page.evaluate((task) => globalThis.walkFaults(task), place);
    for (const one of outcomes.filter(isWrong)) say(faultFailure(one));
    keep({ faults: withWalk(report().faults, place, outcomes) });
  }
}

/** Devices that are lost, by number. */
async function losses({ chosen, stopped, fresh, report, keep }: PageWork): Promise<void> {
  const { losses, seed } = chosen;
  const page = await fresh();
  while (report().losses.done < losses && !stopped.aborted) {
    const { done } = report().losses;
    progress(`loss ${done + 1} of ${losses}`);
    const numbers = Array.from({ length: Math.min(BATCH, losses - done) }, (_, i) => seed + done + i);
    const found = await page.evaluate((given) => globalThis.lose(given), numbers);
    for (const one of found.filter(isUnrecovered)) say(lossFailure(one));
    keep({ losses: withLosses(report().losses, found) });
  }
}

/** Ends of the browser's GPU process, by number. */
async function crashes({ chosen, stopped, fresh, report, keep }: PageWork): Promise<void> {
  const { crashes, seed } = chosen;
  const page = await fresh();
  const session = await page.context().browser()?.newBrowserCDPSession();
  await page.exposeFunction("crash", () => session?.send("Browser.crashGpuProcess").catch(() => undefined));
  while (report().crashes.done < crashes && !stopped.aborted) {
    const { done } = report().crashes;
    progress(`end ${done + 1} of ${crashes} of the GPU process`);
    const one = await page.evaluate((given) => globalThis.endGpu(given), seed + done);
    if (isUnrecovered(one)) say(lossFailure(one, "crashes"));
    keep({ crashes: withLosses(report().crashes, [one]) });
  }
}

/** Calls that something comes between, by number. */
async function interruptions({ chosen, stopped, fresh, report, keep }: PageWork): Promise<void> {
  const { interruptions, seed } = chosen;
  const page = await fresh();
  await letHide(page);
  while (report().interruptions.done < interruptions && !stopped.aborted) {
    const { done, found: wrong } = report().interruptions;
    progress(`interruption ${done + 1} of ${interruptions}: ${wrong.length} wrong so far`);
    const numbers = Array.from({ length: Math.min(BATCH, interruptions - done) }, (_, i) => seed + done + i);
    const found = await page.evaluate((given) => globalThis.interrupt(given), numbers);
    for (const one of found.filter(isWrong)) say(interruptionFailure(one));
    keep({ interruptions: withInterruptions(report().interruptions, found) });
  }
}

/** Gives a page a way to be frozen as a browser does it to hidden ones, for so many milliseconds. */
async function letHide(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const state = (state: "frozen" | "active") => session.send("Page.setWebLifecycleState", { state });
  await page.exposeFunction("hide", async (milliseconds: number) => {
    await state("frozen");
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    await state("active");
  });
}

/** Places of a training, by number. */
async function places({ chosen, stopped, fresh, report, keep }: PageWork): Promise<void> {
  const { places, seed } = chosen;
  const page = await fresh();
  while (report().places.done < places && !stopped.aborted) {
    const { done } = report().places;
    progress(`place ${done + 1} of ${places}`);
    const numbers = Array.from({ length: Math.min(PLACES, places - done) }, (_, i) => seed + done + i);
    const { size, outcomes } = await page.evaluate((given) => globalThis.goBack(given), numbers);
    for (const one of outcomes.filter(({ wrong }) => wrong !== "")) say(placeFailure(one));
    keep({ places: withPlaces(report().places, size, outcomes) });
  }
}

/** Parts into which a long training is cut: after each the heap is read. */
const PARTS = 40;
const [FIRST, BLOCKS] = [10, 30];

/** One trainer for very long, then beside a fresh one; and many that are disposed of. What is not finished begins anew. */
async function steps({ chosen, stopped, fresh, report, keep }: PageWork): Promise<void> {
  const { steps: asked } = chosen;
  if (report().steps.asked === asked && report().steps.rounds !== undefined) return;
  const page = await fresh();
  const heap = await page.context().newCDPSession(page);
  let found = noSteps(asked);
  const stand = async (count: number): Promise<Stand> => {
    const told = await page.evaluate((given) => globalThis.trainOn(given), count);
    await heap.send("HeapProfiler.collectGarbage");
    const { usedSize } = (await heap.send("Runtime.getHeapUsage")) as { readonly usedSize: number };
    return { ...told, heap: usedSize };
  };
  const each = Math.floor((asked - FIRST) / PARTS);
  for (let part = 0; part <= PARTS && !stopped.aborted; part++) {
    progress(`step ${found.stands.at(-1)?.steps ?? 0} of ${asked}`);
    const count = part === 0 ? FIRST : part === PARTS ? asked - FIRST - each * (PARTS - 1) : each;
    found = { ...found, stands: [...found.stands, await stand(count)] };
  }
  if (stopped.aborted) return;
  progress(`${BLOCKS} blocks beside a fresh trainer`);
  const size = Math.max(20, Math.ceil(asked / 500));
  const blocks = await page.evaluate(([count, each]) => globalThis.timeBlocks(count, each), [BLOCKS, size] as const);
  const rounds = Math.ceil(asked / 100);
  progress(`${rounds} trainers one after the other`);
  const left = await page.evaluate((count) => globalThis.disposeOf(count), rounds);
  const whole = { ...found, blocks, rounds: { ...left, count: rounds } };
  for (const fault of stepsFaults(whole)) say(fault);
  keep({ steps: whole });
}

/** Figures of networks of others, on all of their data. */
async function figures({ stopped, fresh, report, keep }: PageWork): Promise<void> {
  const names = await (await fresh()).evaluate(() => globalThis.figureNames());
  for (const name of names) {
    if (stopped.aborted) return;
    if (report().figures.some((one) => one.name === name && !figureFailed(one))) continue;
    progress(`figure ${names.indexOf(name) + 1} of ${names.length}: ${name}`);
    const start = performance.now();
    const { measured, ...why } = await (await fresh())
      .evaluate((given) => globalThis.measureFigure(given), name)
      .then(
        (measured) => ({ measured }),
        (error: Error) => ({ measured: [], message: error.message }),
      );
    if (stopped.aborted) return;
    const seconds = Math.round((performance.now() - start) / 1000);
    for (const one of measured) say(figureLine(name, one));
    if ("message" in why) say(`${name}: ${why.message}`);
    keep({ figures: [...report().figures.filter((one) => one.name !== name), { name, seconds, measured, ...why }] });
  }
}

/** Reads the wrong file of a number and shows what came of it. */
async function oneInput(number: number, stopped: AbortSignal): Promise<number> {
  let code = 1;
  const told = (result: InputResult): void => {
    say(JSON.stringify(result, null, 2));
    code = isFault(result) ? 1 : 0;
  };
  await readInputs(number, 1, told, stopped);
  return code;
}

/** Wrong files for the readers, so many to a process, and several processes at once. */
async function wrongFiles({ chosen, stopped, report, keep }: Work): Promise<void> {
  const { inputs, seed, jobs } = chosen;
  while (report().readers.done < inputs && !stopped.aborted) {
    const { done, found } = report().readers;
    progress(`wrong file ${done + 1} of ${inputs}: ${found.length} faults so far`);
    let next = report().readers;
    const told = (result: InputResult): void => {
      next = withInput(next, result);
      if (isFault(result)) say(inputFailure(result));
    };
    const firsts = Array.from({ length: jobs }, (_, job) => done + job * INPUTS).filter((first) => first < inputs);
    await Promise.all(firsts.map((at) => readInputs(seed + at, Math.min(INPUTS, inputs - at), told, stopped)));
    if (!stopped.aborted) keep({ readers: next });
  }
}

async function tasks({ stopped, report, keep }: Work): Promise<void> {
  for (const task of taskNames) {
    if (stopped.aborted) return;
    if (report().tasks.some((one) => one.task === task && one.passed)) continue;
    progress(`task ${task}`);
    const one = await soakTask(task, stopped);
    if (stopped.aborted) return;
    say(`${task}: ${shownFigure(one)} after ${one.steps} steps, ${one.passed ? "" : "not "}below ${one.below}`);
    keep({ tasks: [...report().tasks.filter((other) => other.task !== task), one] });
  }
}

/** The tests elsewhere; a script that there is not is said to be missing, and is a failure. */
async function runtimes({ stopped, report, keep }: Work): Promise<void> {
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
