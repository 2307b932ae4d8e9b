// npm run train: trains a network on MNIST in a headless browser, Deno or Node and shows its progress, then tests it, reports, and
// writes it to a file. Ctrl-C stops after the current step and saves; a second one quits at once.

import { writeFileSync } from "node:fs";
import type { Adapter } from "../adapter.ts";
import { originOf } from "../origin.ts";
import type { Tick } from "./meter.ts";
import { help, type Options, options } from "./options.ts";
import type { Task, Trained } from "./page.ts";
import { type Place, withPlace } from "./place.ts";
import { describe, reportOf } from "./report.ts";
import { openTerminal } from "./terminal.ts";

const terminal = openTerminal();
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

const sizeOf = ({ images, epochs, batch }: Options) => ({ epochs, steps: epochs * Math.ceil(images / batch) });

/** Trains to the end or to a Ctrl-C, and saves. */
async function train(place: Place, options: Options): Promise<Trained & { readonly seconds: number }> {
  const { images, batch, resume, out } = options;
  const size = sizeOf(options);
  const from = resume === undefined ? "" : `, going on from ${resume.path}`;
  terminal.print(
    `Training ${options.network} on ${count(images)} images, ${count(size.steps)} steps of ${batch}${from}`,
  );
  interrupt = () => {
    interrupt = quit;
    terminal.print("Stopping after the steps under way. Ctrl-C again quits at once.");
    place.stop().catch(() => undefined); // the training itself says what is wrong
  };
  const start = performance.now();
  const trained = await place.train(task(options));
  const seconds = (performance.now() - start) / 1000;
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
  return { ...trained, seconds };
}

/** Tests and reports. */
async function test(place: Place, trained: Awaited<ReturnType<typeof train>>, options: Options): Promise<void> {
  const { json } = options;
  terminal.status("Testing");
  const tested = await place.test();
  terminal.settle({ keep: false });
  const report = reportOf(originOf(trained.adapter), { ...options, seconds: trained.seconds }, trained, tested);
  terminal.print(describe(report));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
}

/** What the training needs of the options. */
function task({ network, images, epochs, batch, lr, layerDecay, freeze, seed, resume }: Options): Task {
  return { network, images, epochs, batch, lr, layerDecay, freeze, seed, resume: resume?.bytes };
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
  const show = (tick: Tick): void => terminal.progress(tick, sizeOf(chosen));
  await withPlace(chosen.runtime, show, async (place) => {
    introduce(place.adapter);
    const trained = await train(place, chosen);
    if (trained.stopped) process.exitCode = 130;
    else await test(place, trained, chosen);
  }).catch((error) => fail(error, 1));
}
