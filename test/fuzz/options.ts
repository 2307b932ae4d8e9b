// The command line of the soak: what can be asked for, and what is asked for now.

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

export const parts = [
  "sequences",
  "configurations",
  "readers",
  "figures",
  "tasks",
  "runtimes",
  "faults",
  "losses",
  "crashes",
  "interruptions",
  "branches",
  "steps",
] as const;
export type Part = (typeof parts)[number];

const cores = availableParallelism();

export const help = `npm run soak -- [options]
  --only PARTS     of ${parts.join(",")} (default: all)
  --count N        sequences (default: 2000)
  --configurations N  configurations (default: 60)
  --inputs N       wrong files for the readers (default: 10000)
  --jobs N         processes that read them at once (default: ${cores}, the cores of this machine)
  --losses N       devices that are lost (default: 100)
  --crashes N      ends of the browser's GPU process (default: 10)
  --interruptions N  trainers that are interrupted in the midst of a call (default: 1000)
  --places N       places of a training that are gone back to (default: 100)
  --steps N        steps of one trainer (default: 100000); a hundredth as many trainers are disposed of
  --input N        reads the one wrong file of this number, as a failure prints it, and shows what comes of it
  --seed S         of the first sequence, wrong file, loss, crash, interruption and place; the next has S + 1 (default: 1). With --path: the one to repeat
  --path P         repeats one sequence, as a failure prints it, and shows what comes of it
  --json FILE      where results are kept; a run that was interrupted goes on from there (default: soak.json)
  --fresh          forgets what FILE holds
  --help           this text

Sequences are random calls of a trainer, good and bad, held against a reference in f64; configurations are random rules
with their options; both run on the built file. Readers get files that are wrong, by the form of each. Figures
are those of networks of others on all of their own data, which demo/data.json names. Tasks are those of npm run train, a minute each. Runtimes are the tests in Deno, Node and Firefox.
Faults are all places of a small run at which a device can drop, refuse, or have no memory; losses are devices that go at random places,
and crashes are ends of the browser's GPU process, with which they really go.
Interruptions are all of these, and stops, ends, hidden pages and bad data, in the midst of random calls of a trainer that goes on behind them.
Branches are random places of a training, gone back to and left. Steps are those of one trainer, whose buffers, heap and throughput stay, and of many that leave nothing.`;

export interface SoakOptions {
  readonly only: readonly Part[];
  readonly count: number;
  readonly configurations: number;
  readonly inputs: number;
  readonly jobs: number;
  readonly losses: number;
  readonly crashes: number;
  readonly interruptions: number;
  readonly places: number;
  readonly steps: number;
  readonly input: number | undefined;
  readonly seed: number;
  readonly path: string | undefined;
  readonly json: string;
  readonly fresh: boolean;
}

/** "help" for none; throws an error of one line where an option is unknown or has no valid value. */
export function options(): SoakOptions | "help" {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    options: {
      only: text,
      count: text,
      configurations: text,
      inputs: text,
      jobs: text,
      losses: text,
      crashes: text,
      interruptions: text,
      places: text,
      steps: text,
      input: text,
      seed: text,
      path: text,
      json: text,
      fresh: flag,
      help: flag,
    },
  });
  if (values.help) return "help";
  const { path } = values;
  if (path !== undefined && values.seed === undefined)
    throw new Error("--path: it needs the --seed that it belongs to.");
  const alone = path !== undefined ? "sequences" : values.input !== undefined ? "readers" : undefined;
  const only = (values.only ?? alone ?? parts.join()).split(",").map((word) => {
    const found = parts.find((part) => part === word.trim());
    if (found === undefined) throw new Error(`--only: "${word}" is none of ${parts.join(", ")}.`);
    return found;
  });
  return {
    only,
    count: path === undefined ? whole("--count", values.count ?? "2000", 1) : 1,
    configurations: whole("--configurations", values.configurations ?? "60", 1),
    inputs: whole("--inputs", values.inputs ?? "10000", 1),
    jobs: whole("--jobs", values.jobs ?? `${cores}`, 1),
    losses: whole("--losses", values.losses ?? "100", 1),
    crashes: whole("--crashes", values.crashes ?? "10", 1),
    interruptions: whole("--interruptions", values.interruptions ?? "1000", 1),
    places: whole("--places", values.places ?? "100", 1),
    steps: whole("--steps", values.steps ?? "100000", 100),
    input: values.input === undefined ? undefined : whole("--input", values.input, 0),
    seed: whole("--seed", values.seed ?? "1", 0),
    path,
    json: values.json ?? "soak.json",
    fresh: values.fresh === true,
  };
}

function whole(option: string, given: string, least: number): number {
  const value = Number(given);
  if (/^\d+$/.test(given) && value >= least && value < 2 ** 31) return value;
  throw new Error(`${option}: expected a whole number from ${least}, not "${given}".`);
}
