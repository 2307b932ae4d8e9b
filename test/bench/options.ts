// The command line of the benchmark: what can be asked for, and what is asked for now.

import { parseArgs } from "node:util";
import { type EngineName, engines } from "./engine.ts";
import { type Workload, workloads } from "./workload.ts";

const workloadNames = Object.keys(workloads) as Workload["name"][];
const engineNames = Object.keys(engines) as EngineName[];

export const help = `npm run bench -- [options]
  --only NAMES     workloads, comma separated (default: ${workloadNames.join(",")})
  --engines NAMES  engines, comma separated (default: ${engineNames.join(",")})
  --rounds N       timed blocks per engine (default: 5)
  --steps N        training steps per block (default: 10)
  --json FILE      write the numbers to FILE
  --help           this text`;

export interface Options {
  readonly workloads: readonly Workload["name"][];
  readonly engines: readonly EngineName[];
  readonly rounds: number;
  readonly steps: number;
  readonly json: string | undefined;
  readonly help: boolean;
}

/** The options of this run; throws an error of one line where one is unknown or has no valid value. */
export function options(): Options {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  const { values } = parseArgs({
    options: {
      only: text(workloadNames.join()),
      engines: text(engineNames.join()),
      rounds: text("5"),
      steps: text("10"),
      json: { type: "string" },
      help: { type: "boolean" },
    },
  });
  return {
    workloads: listed("--only", values.only, workloadNames),
    engines: listed("--engines", values.engines, engineNames),
    rounds: positive("--rounds", values.rounds),
    steps: positive("--steps", values.steps),
    json: values.json,
    help: values.help === true,
  };
}

function listed<T extends string>(option: string, given: string, valid: readonly T[]): T[] {
  return given.split(",").map((word) => {
    const name = valid.find((candidate) => candidate === word.trim());
    if (name === undefined) throw new Error(`${option}: "${word}" is none of ${valid.join(", ")}.`);
    return name;
  });
}

function positive(option: string, given: string): number {
  if (!/^[1-9]\d*$/.test(given)) throw new Error(`${option}: expected a whole number from 1, not "${given}".`);
  return Number(given);
}
