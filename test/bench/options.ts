// The command line of the benchmark: what can be asked for, and what is asked for now.

import { parseArgs } from "node:util";
import { type AnyEngine, engineNames, isPeer, peers } from "../../demo/bench/engine.ts";
import { type KernelName, kernelNames } from "../../demo/bench/kernels/names.ts";
import { type WorkloadName, workloadNames } from "../../demo/bench/workload.ts";
import { type Subject, subjects } from "./against/report.ts";
import { cohortSizes } from "./cohort/report.ts";
import { grids } from "./optimizer/cell.ts";
import { type UpdateEngine, updateEngines } from "./optimizer/report.ts";
import { scaleSizes } from "./scale/report.ts";
import { sizes } from "./stream/report.ts";

/** Of `--against`: rounds with trainers of their own; the interval of a ratio needs 20. Blocks are short: those are more likely to be left alone. */
const LEAST_ROUNDS = 20;
const ROUNDS = 40;
const STEPS = 4;

export const help = `npm run bench -- [options]
  --only NAMES     comma separated: networks (${workloadNames.join(",")}; default: all of them), kernels by themselves
                   (${kernelNames.join(",")}), "roofline": the adapter itself, which is measured before all these too;
                   or "optimizer" alone: the update by itself, over totals, numbers of tensors and numbers of rates;
                   or "stream" alone: images from a file beside images on the GPU;
                   or "scale" alone: a step against depth, width, batch and length of the sequence, with fitted exponents;
                   or "cohort" alone: a step of ${cohortSizes.full.copies} copies beside a step of one, deep and cnn
  --engines NAMES  engines, comma separated (default: ${peers.join(",")}; also
                   ${engineNames.filter((name) => !peers.includes(name)).join(",")};
                   pytorch on the CPU, where a python3 has it, which GRADUS_PYTHON may name;
                   tensorgrad from its public repository, or a folder;
                   optimizer: ${updateEngines.join(",")})
  --tensorgrad DIR a folder with the repository of tensorgrad, which takes part then too
  --autotune       in the place of --engines: Gradus with kernels chosen by measurement beside Gradus without
  --rounds N       timed blocks per engine (default: 5; optimizer: ${grids.full.rounds}; stream: ${sizes.full.rounds}; cohort: ${cohortSizes.full.rounds};
                   scale: ${scaleSizes.full.rounds})
  --steps N        training steps per block (default: 10, fewer of an engine that would take longer than 10 s; optimizer: 4 of 1 M parameters, 1 of 4 M; stream: 30; cohort and scale: 10)
  --quick          optimizer: few cells and ${grids.quick.rounds} rounds; stream: ${sizes.quick.images} images for ${sizes.full.images}; cohort: ${cohortSizes.quick.rounds} rounds;
                   scale: few sizes and ${scaleSizes.quick.rounds} rounds
  --against DIST   the working tree, built, beside the build DIST (a gradus.js or the folder that it is in): ratios of
                   their times with 95 % intervals (--only ${subjects.join(",")}; default all; --rounds ${LEAST_ROUNDS} or more,
                   default ${ROUNDS}; --steps, default ${STEPS})
  --runtime NAME   browser (default), deno or node; the peers run in the browser alone
  --json FILE      write the numbers to FILE; of networks and kernels tables (.md) and a plot (.svg) beside it, in which
                   those of a scale.json in its folder stand too
  --redraw FILE    measure nothing: write the tables and the plot beside a file of numbers
  --help           this text`;

export const runtimes = ["browser", "deno", "node"] as const;
export type Runtime = (typeof runtimes)[number];

interface Common {
  readonly rounds: number;
  readonly steps: number;
  readonly json: string | undefined;
}

export interface TrainingOptions extends Common {
  readonly workloads: readonly WorkloadName[];
  readonly kernels: readonly KernelName[];
  readonly engines: readonly AnyEngine[];
  readonly runtime: Runtime;
  /** Path of tensorgrad. */
  readonly tensorgrad: string | undefined;
}

export interface OptimizerOptions extends Common {
  readonly grid: (typeof grids)["full" | "quick"];
  readonly engines: readonly UpdateEngine[];
}

export interface StreamOptions extends Common {
  readonly images: number;
  readonly resident: number;
}

export interface CohortOptions extends Common {
  readonly copies: number;
}

export interface ScaleOptions extends Common {
  readonly sizes: (typeof scaleSizes)["full" | "quick"]["sizes"];
}

export interface AgainstOptions extends Common {
  /** Path of the previous build. */
  readonly against: string;
  readonly subjects: readonly Subject[];
}

export interface Redraw {
  /** Path of the numbers. */
  readonly redraw: string;
}

/** The options of this run, "help" for none; throws an error of one line where one is unknown or has no valid value. */
export function options():
  | TrainingOptions
  | OptimizerOptions
  | StreamOptions
  | CohortOptions
  | ScaleOptions
  | AgainstOptions
  | Redraw
  | "help" {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    options: {
      ...{ only: text, engines: text, rounds: text, steps: text, json: text, against: text, tensorgrad: text },
      ...{ runtime: text, redraw: text, quick: flag, autotune: flag, help: flag },
    },
  });
  if (values.help) return "help";
  const { json, against, redraw, tensorgrad, autotune = false } = values;
  if (redraw !== undefined) {
    const others = Object.keys(values).filter((name) => name !== "redraw");
    if (others.length > 0) throw new Error(`--redraw: it stands alone, not beside --${others.join(", --")}.`);
    return { redraw };
  }
  if (autotune && values.engines !== undefined)
    throw new Error("--autotune: it says the engines. Leave out --engines.");
  const engines = autotune ? "gradus,gradus tuned" : values.engines;
  const [runtime = "browser"] = listed("--runtime", values.runtime ?? "browser", runtimes);
  const alone =
    against !== undefined
      ? "--against"
      : values.only === "optimizer"
        ? "the optimizer"
        : values.only === "stream" || values.only === "cohort" || values.only === "scale"
          ? values.only
          : undefined;
  if (runtime !== "browser" && alone !== undefined) throw new Error(`--runtime: ${alone} runs in the browser only.`);
  if (autotune && alone !== undefined) throw new Error(`--autotune: ${alone} knows nothing of it.`);
  if (against !== undefined) {
    if (engines !== undefined || values.quick) throw new Error("--against: it knows neither --engines nor --quick.");
    const rounds = positive("--rounds", values.rounds ?? `${ROUNDS}`);
    if (rounds < LEAST_ROUNDS)
      throw new Error(`--rounds: ${rounds} are too few to tell, ${LEAST_ROUNDS} are the least.`);
    return {
      against,
      subjects: listed("--only", values.only ?? subjects.join(), subjects),
      rounds,
      steps: positive("--steps", values.steps ?? `${STEPS}`),
      json,
    };
  }
  const asked = listed("--only", values.only ?? workloadNames.join(), [
    ...workloadNames,
    ...kernelNames,
    ...(["roofline", "optimizer", "stream", "cohort", "scale"] as const),
  ]);
  if (asked.includes("stream")) {
    const others = asked.filter((name) => name !== "stream");
    if (others.length > 0) throw new Error(`--only: stream stands alone, not beside ${others.join(", ")}.`);
    if (engines !== undefined) throw new Error("--engines: stream knows Gradus alone. Leave it out.");
    const { images, resident, rounds } = sizes[values.quick ? "quick" : "full"];
    return {
      ...{ images, resident, json },
      rounds: positive("--rounds", values.rounds ?? `${rounds}`),
      steps: positive("--steps", values.steps ?? "30"),
    };
  }
  if (asked.includes("cohort")) {
    const others = asked.filter((name) => name !== "cohort");
    if (others.length > 0) throw new Error(`--only: cohort stands alone, not beside ${others.join(", ")}.`);
    if (engines !== undefined) throw new Error("--engines: cohort knows Gradus alone. Leave it out.");
    const { copies, rounds } = cohortSizes[values.quick ? "quick" : "full"];
    return {
      ...{ copies, json },
      rounds: positive("--rounds", values.rounds ?? `${rounds}`),
      steps: positive("--steps", values.steps ?? "10"),
    };
  }
  if (asked.includes("scale")) {
    const others = asked.filter((name) => name !== "scale");
    if (others.length > 0) throw new Error(`--only: scale stands alone, not beside ${others.join(", ")}.`);
    if (engines !== undefined) throw new Error("--engines: scale knows Gradus alone. Leave it out.");
    const { sizes: chosen, rounds } = scaleSizes[values.quick ? "quick" : "full"];
    return {
      ...{ sizes: chosen, json },
      rounds: positive("--rounds", values.rounds ?? `${rounds}`),
      steps: positive("--steps", values.steps ?? "10"),
    };
  }
  if (asked.includes("optimizer")) {
    const others = asked.filter((name) => name !== "optimizer");
    if (others.length > 0) throw new Error(`--only: optimizer stands alone, not beside ${others.join(", ")}.`);
    const grid = grids[values.quick ? "quick" : "full"];
    return {
      grid,
      engines: listed("--engines", engines ?? updateEngines.join(), updateEngines),
      rounds: positive("--rounds", values.rounds ?? `${grid.rounds}`),
      steps: positive("--steps", values.steps ?? "4"),
      json,
    };
  }
  if (values.quick)
    throw new Error("--quick: only the optimizer, stream, cohort and scale have a short form. Add --only optimizer.");
  const ours: readonly AnyEngine[] = engineNames.filter((name) => !isPeer(name));
  const all: readonly AnyEngine[] = tensorgrad === undefined ? peers : [...peers, "tensorgrad"];
  const here = all.filter((name) => runtime === "browser" || ours.includes(name));
  return {
    workloads: workloadNames.filter((name) => asked.includes(name)),
    kernels: kernelNames.filter((name) => asked.includes(name)),
    engines: listed("--engines", engines ?? here.join(), runtime === "browser" ? engineNames : ours),
    ...{ runtime, tensorgrad },
    rounds: positive("--rounds", values.rounds ?? "5"),
    steps: positive("--steps", values.steps ?? "10"),
    json,
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
