// npm run study -- --yours: a network of others becomes somebody's own, in three ways and at several rates. What the file of results holds
// already is not trained again.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { makeBundle } from "../../bundle.ts";
import { prepareFile, readWords, whole } from "../../command-line.ts";
import { dataFile } from "../../data.ts";
import { loadDigits, readDigitsWith } from "../../digits.ts";
import { readMnist } from "../../mnist-files.ts";
import { openProcess, type ProcessRuntime } from "../../runtime-process.ts";
import { drawings, drawn, type Given } from "../../yours/given.ts";
import { ways } from "../../yours/plan.ts";
import { begin, runStudy, terminal } from "../command.ts";
import { type Asked, budgetOf, type Point, type TaskName, type Trial, tasks } from "./plan.ts";

const help = `npm run study -- --yours [options]
DoodleNet learns five digits, and three kinds of drawings, from ten examples of each: rates by layer, the head alone, and from scratch.

  --seeds N        draws of the examples (default: 2)
  --runtime NAME   deno, node (default: deno)
  --json FILE      where the results go (default: out/yours.json)
  --quick          1 draw, few steps and rates: to see that all of it runs
  --help           this text

Ctrl-C stops after the training under way; the same command goes on.`;

interface Run extends Asked {
  readonly points: readonly Point[];
}

interface Results {
  readonly adapter: string;
  readonly runs: Run[];
}

function options() {
  const { given, set } = readWords(process.argv.slice(2), {
    names: ["seeds", "runtime", "json"],
    flags: ["yours", "quick", "help"],
  });
  const { runtime = "deno", json = "out/yours.json" } = given;
  if (runtime !== "deno" && runtime !== "node") throw new Error(`--runtime: knows deno, node, not "${runtime}".`);
  const [help, quick] = [set.has("help"), set.has("quick")];
  const seeds = whole("--seeds", given.seeds ?? (quick ? "1" : "2"), 1, 100);
  if (!help) prepareFile("--json", json);
  return { runtime: runtime as ProcessRuntime, json, quick, seeds, help };
}

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
const keyOf = ({ task, way, seed, lr, body, first }: Asked): string => [task, way, seed, lr, body, first].join();

async function examplesOf(task: TaskName, seed: number): Promise<Given> {
  const { others } = tasks[task];
  if (task === "drawings") return drawings(dataFile, { each: 10, others, seed });
  readDigitsWith(readMnist);
  const labels = [0, 1, 2, 3, 4].map((digit) => [digit, String(digit)] as const);
  return drawn(await loadDigits("test"), labels, { each: 10, others, seed });
}

async function run({ runtime, json, quick, seeds }: ReturnType<typeof options>): Promise<void> {
  const paths = ["doodlenet/model.json", "doodlenet/group1-shard1of1.bin"];
  const files = Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await dataFile(path)] as const)));
  const entry = "demo/study/yours/process.ts";
  const script = await makeBundle({ entry, kind: "process", external: ["webgpu"] });
  const { adapter, call, close } = await openProcess(runtime, script, {});
  try {
    const stopping = begin(adapter);
    const results: Results = existsSync(json)
      ? JSON.parse(readFileSync(json, "utf8"))
      : { adapter: adapter.name, runs: [] };
    const { steps, every, asked } = budgetOf(seeds, quick);
    for (const one of asked) {
      if (stopping()) break;
      if (results.runs.some((run) => keyOf(run) === keyOf(one))) continue;
      const { names, learnt, others } = await examplesOf(one.task, one.seed);
      const trial: Trial = {
        ...{ ...one, network: "doodlenet", classes: names.length, batch: 10, size: 28 },
        ...{ steps, every, learnt, others },
      };
      const points = await call<Point[]>("learn", trial, files);
      results.runs.push({ ...one, points });
      writeFileSync(json, `${JSON.stringify(results, null, 1)}\n`);
      const course = points.map(({ step, accuracy }) => `${step} steps ${percent(accuracy)}`).join(", ");
      terminal.print(`${tasks[one.task].title}, ${ways[one.way]}, lr ${one.lr}, body ${one.body}: ${course}`);
    }
    terminal.print(`Wrote ${json}`);
  } finally {
    await close();
  }
}

await runStudy({ options, help, redraw: () => [], run });
