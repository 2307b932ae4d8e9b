// The command line of `npm run train`: what can be asked for, and what is asked for now.

import { readFileSync } from "node:fs";
import { positive, prepareFile, readWords, whole } from "../command-line.ts";
import { lengthText, type TaskName, table, taskNames } from "../tasks/table.ts";
import type { Length } from "../tasks/task.ts";
import { type Runtime, runtimes } from "./place.ts";

const rows = taskNames.map((name) => {
  const { about, length, batch, lr } = table[name];
  return `  ${name.padEnd(11)}  ${about}: ${lengthText(length)} of ${batch}, lr ${lr}`;
});

export const help = `npm run train -- [options]
Trains a network on real data, by WebGPU in headless Chromium, and shows what it learnt.

  --task NAME       what is learnt (default: cnn):
${rows.map((row) => `  ${row}`).join("\n")}
  --samples N       train on the first N images, or pieces of text (default: all there are)
  --epochs N        passes over them
  --steps N         or steps in all
  --batch N         samples in a step
  --lr X            learning rate at the top of the schedule
  --layer-decay X   factor on the rate from each layer to the one before it (default: 1)
  --freeze PATTERN  layers that do not learn, for example stem (default: none)
  --seed N          decides first weights and shuffles (default: 0)
  --runtime NAME    chromium, deno or node (default: chromium)
  --out FILE        where the trained network goes (default: out/TASK.safetensors); pictures go beside it
  --resume FILE     go on from such a file; it brings the rates, give the other options as they were
  --json FILE       write the results to FILE as well
  --help            this text

Ctrl-C stops after the current step and saves, so that --resume can go on.
GRADUS_BROWSER names the browser to use, GRADUS_ADAPTER=software skips the search for a GPU.`;

export interface Options {
  readonly task: TaskName;
  readonly samples: number | undefined;
  readonly length: Length;
  readonly batch: number;
  readonly lr: number;
  readonly layerDecay: number;
  readonly freeze: string | undefined;
  readonly seed: number;
  readonly runtime: Runtime;
  readonly out: string;
  /** Where pictures go. */
  readonly picture: string;
  /** The checkpoint to go on from. */
  readonly resume: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  readonly json: string | undefined;
  readonly help: boolean;
  /** The command that goes on from what this run saved. */
  readonly again: string;
}

const names = [
  "task",
  "samples",
  "epochs",
  "steps",
  "batch",
  "lr",
  "layer-decay",
  "freeze",
  "seed",
  "runtime",
  "out",
  "resume",
  "json",
] as const;

/** The options of this run; throws an error of one line where one is unknown or has no valid value. */
export function options(words: readonly string[] = process.argv.slice(2)): Options {
  const { given, set } = readWords(words, { names, flags: ["help"] });
  const task = oneOf("--task", given.task ?? "cnn", taskNames);
  const row = table[task];
  const { out = `out/${task}.safetensors`, json, resume, freeze, samples, epochs, steps } = given;
  const picture = out.replace(/(\.safetensors)?$/, ".png");
  if (epochs !== undefined && steps !== undefined) throw new Error("--epochs or --steps, not both.");
  if (resume !== undefined && (given.lr ?? given["layer-decay"]) !== undefined) {
    throw new Error("--resume: the file brings the learning rates. Leave out --lr and --layer-decay.");
  }
  const help = set.has("help");
  if (!help) for (const [name, path] of Object.entries({ out, json })) if (path) prepareFile(`--${name}`, path);
  return {
    task,
    samples: samples === undefined ? undefined : whole("--samples", samples, 1),
    length: lengthOf(epochs, steps) ?? row.length,
    batch: given.batch === undefined ? row.batch : whole("--batch", given.batch, 1, 60_000),
    lr: given.lr === undefined ? row.lr : positive("--lr", given.lr),
    layerDecay: positive("--layer-decay", given["layer-decay"] ?? "1", 1),
    freeze,
    seed: whole("--seed", given.seed ?? "0", 0),
    runtime: oneOf("--runtime", given.runtime ?? "chromium", runtimes),
    out,
    picture,
    resume: resume === undefined ? undefined : { path: resume, bytes: read("--resume", resume) },
    json,
    help,
    again: again({ ...given, resume: out }),
  };
}

function lengthOf(epochs: string | undefined, steps: string | undefined): Length | undefined {
  if (steps !== undefined) return { steps: whole("--steps", steps, 1) };
  return epochs === undefined ? undefined : { epochs: whole("--epochs", epochs, 1) };
}

function oneOf<Name extends string>(option: string, given: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === given);
  if (found === undefined) throw new Error(`${option}: knows ${names.join(", ")}, not "${given}".`);
  return found;
}

function read(option: string, path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path)); // plain, as Playwright can hand it to the page
  } catch (error) {
    throw new Error(`${option}: cannot read ${path} (${(error as Error).message}).`);
  }
}

function again(given: Readonly<Record<string, string>>): string {
  const words = Object.entries(given)
    .filter(([name]) => name !== "lr" && name !== "layer-decay")
    .flatMap(([name, value]) => [`--${name}`, /^[\w./:\\-]+$/.test(value) ? value : JSON.stringify(value)]);
  return `npm run train -- ${words.join(" ")}`;
}
