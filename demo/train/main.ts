// npm run train: trains the network of a task in a headless browser, Deno or Node and shows its progress, then tests it, reports, shows
// what it can do, and writes it to a file. Ctrl-C stops after the current step and saves; a second one quits at once.

import { writeFileSync } from "node:fs";
import { openTerminal } from "../../src/callbacks/terminal.ts";
import type { Adapter } from "../adapter.ts";
import { originOf } from "../origin.ts";
import { table } from "../tasks/table.ts";
import type { Shown } from "../tasks/task.ts";
import { help, type Options, options } from "./options.ts";
import type { Asked, Opened, Trained } from "./page.ts";
import { type Heard, type Place, withPlace } from "./place.ts";
import { png } from "./png.ts";
import { describe, type Run, reportOf } from "./report.ts";

const terminal = openTerminal(process.stdout);
const count = (value: number): string => value.toLocaleString("en-US");

/** On Ctrl-C. Until there is something to save, and at the second time, it ends all: the runtime goes with us. */
let interrupt: () => void = quit;

function quit(): never {
  terminal.settle({ keep: true });
  process.exit(130);
}

function introduce({ name, software }: Adapter): void {
  const warning = ": a software adapter. A CPU does the work of a GPU, so this is much slower than on a GPU.";
  terminal.print(`Adapter ${name}${software ? warning : ""}`);
}

/** What it can do: pictures go to a file. */
function show({ text, pictures }: Shown, { picture }: Options): void {
  terminal.print(`\n${text}`);
  if (pictures !== undefined) writeFileSync(picture, png(pictures));
  terminal.print(pictures === undefined ? "" : `Wrote ${picture}\n`);
}

/** Trains to the end or to a Ctrl-C, and saves. */
async function train(place: Place, size: Opened, options: Options): Promise<Trained> {
  const { task, batch, resume, out } = options;
  const from = resume === undefined ? "" : `, going on from ${resume.path}`;
  terminal.print(
    `Training ${task} on ${count(size.samples)} ${table[task].of}, ${count(size.steps)} steps of ${batch}${from}`,
  );
  interrupt = () => {
    interrupt = quit;
    terminal.print("Stopping after the steps under way. Ctrl-C again quits at once.");
    place.stop().catch(() => undefined); // the training itself says what is wrong
  };
  const trained = await place.train();
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
async function test(place: Place, run: Omit<Run, "task" | "batch">, options: Options): Promise<void> {
  const { json, task, batch } = options;
  terminal.status("Testing");
  const looked = await place.test();
  terminal.settle({ keep: false });
  const report = reportOf(originOf(run.trained.adapter), { task, batch, ...run }, looked);
  show(looked.shown, options);
  terminal.print(describe(report, looked.tested.verdict));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
}

/** What the place needs of the options. */
function asked({ task, samples, length, batch, lr, layerDecay, freeze, seed, resume }: Options): Asked {
  return { task, samples, length, batch, lr, layerDecay, freeze, seed, resume: resume?.bytes };
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
  let size: Opened | undefined;
  const heard: Heard = {
    showProgress: (tick) => size && terminal.progress(tick, size),
    showLook: (shown) => show(shown, chosen),
  };
  await withPlace(chosen.runtime, heard, async (place) => {
    introduce(place.adapter);
    const start = performance.now();
    size = await place.open(asked(chosen));
    const trained = await train(place, size, chosen);
    const seconds = (performance.now() - start) / 1000;
    if (trained.stopped) process.exitCode = 130;
    else await test(place, { size, trained, seconds }, chosen);
  }).catch((error) => fail(error, 1));
}
