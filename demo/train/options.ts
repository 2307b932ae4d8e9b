// The command line of `npm run train`: what can be asked for, and what is asked for now.

import { readFileSync } from "node:fs";
import { positive, prepareFile, readWords, whole } from "../command-line.ts";
import { type Classifier, classifierNames } from "../models/names.ts";
import { type Runtime, runtimes } from "./place.ts";

export const help = `npm run train -- [options]
Trains a network on the MNIST digits, by WebGPU in headless Chromium.

  --network NAME    ${classifierNames.join(", ")} (default: cnn)
  --images N        train on the first N images (default: 60000, all there are)
  --epochs N        passes over them (default: 3)
  --batch N         images in a step (default: 32)
  --lr X            learning rate at the top of the schedule (default: 0.01)
  --layer-decay X   factor on the rate from each layer to the one before it (default: 1)
  --freeze PATTERN  layers that do not learn, for example stem (default: none)
  --seed N          decides first weights and shuffles (default: 0)
  --runtime NAME    chromium, deno or node (default: chromium)
  --out FILE        where the trained network goes (default: out/mnist.safetensors)
  --resume FILE     go on from such a file; it brings the rates, give the other options as they were
  --json FILE       write the results to FILE as well
  --help            this text

Ctrl-C stops after the current step and saves, so that --resume can go on.
GRADUS_BROWSER names the browser to use, GRADUS_ADAPTER=software skips the search for a GPU.`;

export interface Options {
  readonly network: Classifier;
  readonly images: number;
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly layerDecay: number;
  readonly freeze: string | undefined;
  readonly seed: number;
  readonly runtime: Runtime;
  readonly out: string;
  /** The checkpoint to go on from. */
  readonly resume: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  readonly json: string | undefined;
  readonly help: boolean;
  /** The command that goes on from what this run saved. */
  readonly again: string;
}

const names = [
  "network",
  "images",
  "epochs",
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
  const { out = "out/mnist.safetensors", json, resume, freeze } = given;
  if (resume !== undefined && (given.lr ?? given["layer-decay"]) !== undefined) {
    throw new Error("--resume: the file brings the learning rates. Leave out --lr and --layer-decay.");
  }
  const help = set.has("help");
  if (!help) for (const [name, path] of Object.entries({ out, json })) if (path) prepareFile(`--${name}`, path);
  return {
    network: oneOf("--network", given.network ?? "cnn", classifierNames),
    images: whole("--images", given.images ?? "60000", 1, 60_000),
    epochs: whole("--epochs", given.epochs ?? "3", 1),
    batch: whole("--batch", given.batch ?? "32", 1, 60_000),
    lr: positive("--lr", given.lr ?? "0.01"),
    layerDecay: positive("--layer-decay", given["layer-decay"] ?? "1", 1),
    freeze,
    seed: whole("--seed", given.seed ?? "0", 0),
    runtime: oneOf("--runtime", given.runtime ?? "chromium", runtimes),
    out,
    resume: resume === undefined ? undefined : { path: resume, bytes: read("--resume", resume) },
    json,
    help,
    again: again({ ...given, resume: out }),
  };
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
