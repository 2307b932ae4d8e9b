// npm run train: trains a network on MNIST in a headless browser and shows its progress, then tests it, reports, and
// writes it to a file. Ctrl-C stops after the current step and saves; a second one quits at once.

import { writeFileSync } from "node:fs";
import type { Page } from "playwright";
import type { Adapter } from "../adapter.ts";
import type { Tick } from "./meter.ts";
import { help, type Options, options } from "./options.ts";
import type { Trained } from "./page.ts";
import { describe, reportOf } from "./report.ts";
import { openTerminal } from "./terminal.ts";

const terminal = openTerminal();
const count = (value: number): string => value.toLocaleString("en-US");

/** On Ctrl-C. Until there is something to save, and at the second time, it ends all: the browser goes with us. */
let interrupt: () => void = quit;

function quit(): never {
  terminal.settle({ keep: true });
  process.exit(130);
}

function introduce({ name, software }: Adapter): void {
  const warning = ": a software adapter. A CPU does the work of a GPU, so this is much slower than on a GPU.";
  terminal.print(`Adapter ${name}${software ? warning : ""}`);
}

/** Trains to the end or to a Ctrl-C, and saves. */
async function train(page: Page, options: Options): Promise<Trained> {
  const { images, epochs, batch, resume, out } = options;
  const size = { epochs, steps: epochs * Math.ceil(images / batch) };
  const from = resume === undefined ? "" : `, going on from ${resume.path}`;
  terminal.print(`Training on ${count(images)} images, ${count(size.steps)} steps of ${batch}${from}`);
  await page.exposeFunction("showProgress", (tick: Tick) => terminal.progress(tick, size));
  interrupt = () => {
    interrupt = quit;
    terminal.print("Stopping after the steps under way. Ctrl-C again quits at once.");
    page.evaluate(() => globalThis.stopTraining()).catch(() => undefined); // the training itself says what is wrong
  };
  const trained = await page.evaluate((task) => globalThis.trainNetwork(task), task(options));
  interrupt = quit;
  terminal.settle({ keep: true });

  const { stopped, steps, stepsHere } = trained;
  if (stopped) terminal.print(`Stopped after step ${count(steps)} of ${count(size.steps)}`);
  else if (stepsHere === 0) terminal.print(`Nothing left to train: step ${count(steps)} was the last`);
  if (stepsHere > 0) {
    writeFileSync(out, trained.checkpoint);
    terminal.print(`Saved ${out}`);
    if (stopped) terminal.print(`To go on: ${options.again}`);
  }
  return trained;
}

/** Tests and reports. */
async function test(page: Page, trained: Trained, { json }: Options): Promise<void> {
  terminal.status("Testing");
  const tested = await page.evaluate(() => globalThis.testNetwork());
  terminal.settle({ keep: false });
  const report = reportOf(trained, tested);
  terminal.print(describe(report, tested.samples));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
}

/** What the page needs of the options. */
function task({ images, epochs, batch, lr, layerDecay, freeze, seed, resume }: Options) {
  return { images, epochs, batch, lr, layerDecay, freeze, seed, resume: resume?.bytes };
}

function fail(error: unknown, exitCode: number): never {
  terminal.settle({ keep: true });
  // Of an error in the page its first line is enough: the rest is the page's stack.
  const text = (error as Error).message.replace(/^page\.evaluate: (?:\w*Error: )?/, "").replace(/\n.*/s, "");
  console.error(`train: ${text}`);
  process.exit(exitCode);
}

let chosen: Options;
try {
  chosen = options();
} catch (error) {
  fail(error, 2);
}
if (chosen.help) console.log(help);
else {
  process.on("SIGINT", () => interrupt());
  const { withPage } = await import("../session.ts"); // Vite and Playwright: not for --help
  await withPage("train", async (page, adapter) => {
    introduce(adapter);
    const trained = await train(page, chosen);
    if (trained.stopped) process.exitCode = 130;
    else await test(page, trained, chosen);
  }).catch((error) => fail(error, 1));
}
