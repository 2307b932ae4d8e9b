// `npm run study`: the order of its work with a bench that only pretends to train, then the command as a user meets it,
// at its smallest size.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Results as AdapterResults } from "../../demo/study/adapters/study.ts";
import { quick as quickClaims } from "../../demo/study/claims/plan.ts";
import { type Results as ClaimsResults, markdown as claimsTable } from "../../demo/study/claims/report.ts";
import { help, options } from "../../demo/study/options.ts";
import { full, methodNames, quick, quickTasks, type Request, tasks } from "../../demo/study/plan.ts";
import { plot } from "../../demo/study/plot.ts";
import { quick as quickPretrained, wayNames } from "../../demo/study/pretrained/plan.ts";
import type { Results as PretrainedResults } from "../../demo/study/pretrained/study.ts";
import { fullRace, quickRace } from "../../demo/study/race/plan.ts";
import { besides, type Results as RaceResults, markdown as raceTable } from "../../demo/study/race/report.ts";
import { markdown, summaries } from "../../demo/study/report.ts";
import { type Results, study } from "../../demo/study/study.ts";
import { type Ended, runCommand } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "gradus-study-"));
const inFolder = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

/** A study of all tasks in which an accuracy is a function of the request. */
async function pretend(accuracy: (request: Request) => number, stopAfter = Number.POSITIVE_INFINITY) {
  const requests: Request[] = [];
  const results = await study({
    ...{ adapter: "none", tasks, budget: full, seeds: 3 },
    bench: {
      pretrain: async () => 0.97,
      untuned: async () => 0.2,
      tune: async (request) => {
        requests.push(request);
        return { accuracy: accuracy(request), steps: request.budget.steps };
      },
    },
    onProgress: () => undefined,
    stopping: () => requests.length >= stopAfter,
  });
  return { requests, results };
}

describe("the order of the work", () => {
  test("gives every method the same tries, on images and seeds that do not count, and then its own best rate", async () => {
    const best = (request: Request): number => full.rates[methodNames.indexOf(request.method)] as number;
    const { requests, results } = await pretend((request) => (request.rate === best(request) ? 0.9 : 0.5));
    expect(results.complete).toBe(true);
    for (const { name } of tasks) {
      for (const method of methodNames) {
        const own = requests.filter((request) => request.task.name === name && request.method === method);
        const tries = own.filter(({ part }) => part === "validation");
        expect(tries.map(({ rate, seed }) => [rate, seed])).toEqual(
          full.rates.flatMap((rate) => full.sweepSeeds.map((seed) => [rate, seed])),
        );
        const runs = own.filter(({ part }) => part === "test");
        expect(runs.map(({ rate, seed }) => [rate, seed])).toEqual(
          [0, 1, 2].map((seed) => [best(runs[0] as Request), seed]),
        );
        expect(full.sweepSeeds.some((seed) => seed < 3)).toBe(false);
      }
    }
  });

  test("keeps what was finished when it is stopped", async () => {
    const sweep = methodNames.length * full.rates.length * full.sweepSeeds.length;
    const { results } = await pretend(() => 0.5, sweep + 8);
    expect(results.complete).toBe(false);
    expect(results.runs.length).toBe(8);
    expect(summaries(results, tasks[0]!).map(({ accuracies }) => accuracies.length)).toEqual([2, 2, 1, 1, 1, 1]);
    expect(markdown(results)).toContain("stopped before its end");
  });

  test("knows means, deviations, and who is always ahead of one rate", async () => {
    const lead = { "one-rate": 0, "head-only": -0.1, "layer-decay": 0.1, gradual: 0, "input-first": 0, "auto-rgn": 0 };
    const { results } = await pretend(({ method, seed }) => 0.5 + 0.01 * (seed % 10) + lead[method]);
    const [one, head, decay] = summaries(results, tasks[0]!);
    expect(one).toMatchObject({ mean: expect.closeTo(0.51), deviation: expect.closeTo(0.01), always: 0 });
    expect([head?.always, decay?.always]).toEqual([-1, 1]);
    expect(markdown(results)).toContain("**61.0 ± 1.0**▲");
  });
});

const command = (words: readonly string[], interruptAt?: string): Promise<Ended> =>
  runCommand("demo/study/main.ts", words, interruptAt);

const read = (name: string): string => readFileSync(inFolder(name), "utf8");
const chance = (accuracy: number): boolean => Number.isFinite(accuracy) && accuracy >= 0 && accuracy <= 1;

describe("a quick study", () => {
  let ended: Ended;
  let results: Results;
  beforeAll(async () => {
    ended = await command(["--quick", "--json", inFolder("quick.json")]);
    results = JSON.parse(read("quick.json"));
  });

  test("says where it stands and prints the table", () => {
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/^Adapter .*software adapter/);
    expect(ended.stderr).toMatch(/\n\d+\/36 {2}\d:\d\d left {2}inversion: /);
    expect(ended.stdout).toContain(read("quick.md"));
  });

  test("has run every method on every task with the same number of steps", () => {
    expect(results).toMatchObject({ complete: true, seeds: 1, adapter: expect.any(String), budget: quick });
    expect(results.runs.map(({ task, method, seed }) => [task, method, seed])).toEqual(
      quickTasks.flatMap((task) => methodNames.map((method) => [task, method, 0])),
    );
    expect(results.sweeps.length).toBe(quickTasks.length * methodNames.length * quick.rates.length);
    for (const { steps, accuracy } of [...results.runs, ...results.sweeps]) {
      expect(steps).toBe(quick.steps);
      expect(chance(accuracy)).toBe(true);
    }
    for (const { accuracy } of [...results.untuned, ...results.pretrained]) expect(chance(accuracy)).toBe(true);
  });

  test("has trained: pre-training learns, and the methods differ", () => {
    for (const { accuracy } of results.pretrained) expect(accuracy).toBeGreaterThan(0.5);
    const ofOneTask = results.runs.filter(({ task }) => task === "new-10").map(({ accuracy }) => accuracy);
    expect(new Set(ofOneTask).size).toBeGreaterThan(2);
    expect(Math.max(...ofOneTask)).toBeGreaterThan(results.untuned[0]?.accuracy as number);
  });

  test("draws a panel for each task and a dot for each run, and draws the same again", async () => {
    const image = read("quick.svg");
    expect(image.match(/<circle/g)?.length).toBe(results.runs.length);
    expect(image.match(/class="title"/g)?.length).toBe(quickTasks.length);
    expect(image).not.toContain("NaN");
    expect(plot(results)).toBe(image);
    rmSync(inFolder("quick.svg"));
    expect(await command(["--redraw", inFolder("quick.json")])).toMatchObject({ code: 0 });
    expect(read("quick.svg")).toBe(image);
  });

  test("stopped by Ctrl-C, keeps what was finished, which is the same", async () => {
    const stopped = await command(["--quick", "--json", inFolder("stopped.json")], "inversion: ");
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain("Stopped with 6 runs finished.");
    const kept: Results = JSON.parse(read("stopped.json"));
    expect(kept.complete).toBe(false);
    expect(kept.runs).toEqual(results.runs.slice(0, 6));
  });
});

test("--help prints the options", async () => {
  expect(await command(["--help"])).toEqual({ code: 0, stdout: `${help}\n`, stderr: "" });
});

test("--only and --quick choose tasks and sizes", () => {
  const json = inFolder("chosen.json");
  expect(options(["--only", "flip,blur", "--json", json]).tasks.map(({ name }) => name)).toEqual(["blur", "flip"]);
  expect(options(["--json", json])).toMatchObject({ tasks, seeds: 5, budget: full });
  expect(options(["--quick", "--json", json])).toMatchObject({ seeds: 1, budget: quick });
});

test.each([
  [["--only", "nose"], '--only: there is no task "nose".'],
  [["--seeds", "0"], '--seeds: expected a whole number from 1 to 1000, not "0".'],
  [["--quick=yes"], "--quick takes no value. See --help."],
  [["--sedes", "3"], "there is no option --sedes. See --help."],
  [["--json", inFolder("table.txt")], "--json: the file must end in .json"],
  [["5"], '"5" is no option. See --help.'],
])("%j is refused", (words, text) => {
  expect(() => options(words)).toThrow(text);
});

test("--adapters is the other study: on one task it trains all that it compares, and has nothing left to do the next time", async () => {
  const words = ["--adapters", "--quick", "--only", "digits", "--json", inFolder("adapters.json")];
  const ended = await command(words);
  expect(ended.code).toBe(0);
  expect(ended.stderr).toMatch(/\n\d+\/10 {2}\S+ left {2}digits: /);
  expect(ended.stdout).toContain(read("adapters.md"));
  const found: AdapterResults = JSON.parse(read("adapters.json"));
  const kinds = ["full", "head", "bias", "bottleneck", "lora"];
  expect(found.runs.map(({ kind, steps }) => [kind, steps])).toEqual(kinds.map((kind) => [kind, 3]));
  // A head of ten classes and its norm alone, then biases, bottlenecks of 2 units, and factors of rank 1 beside it.
  expect(found.runs.map(({ trained }) => trained)).toEqual([138_250, 778, 2378, 3354, 3850]);
  expect(found.runs.at(-1)?.apart).toBeLessThan(1e-5);
  expect(read("adapters.svg").match(/<circle/g)?.length).toBe(5);
  const before = read("adapters.json");
  expect((await command(words)).stderr).not.toMatch(/left/);
  expect(read("adapters.json")).toBe(before);
  const other = await command(["--adapters", "--only", "digits", "--json", inFolder("adapters.json")]);
  expect(other.code).toBe(1);
  expect(other.stderr).toContain("holds a study, but it is of another budget. Give another file, or remove it.");
});

test("--pretrained is another study: on one task it trains in all ways, once the network is what it is known as", async () => {
  const ended = await command(["--pretrained", "--quick", "--json", inFolder("pretrained.json")]);
  expect(ended.code).toBe(0);
  expect(ended.stderr).toMatch(/\n0\/25 {2}\S+ left {2}doodles: /);
  expect(ended.stdout).toContain(read("pretrained.md"));
  const found: PretrainedResults = JSON.parse(read("pretrained.json"));
  const [doodles] = quickPretrained.tasks;
  expect(found.opened).toMatchObject([{ task: "doodles", known: { published: 81.3, found: expect.closeTo(81.3, 1) } }]);
  expect(found.runs.map(({ task, way, seed }) => [task, way, seed])).toEqual(
    wayNames.map((way) => ["doodles", way, 0]),
  );
  expect(found.sweeps.length).toBe((wayNames.length - 1) * doodles!.rates.length);
  for (const { figure } of [...found.runs, ...found.sweeps]) expect(chance(figure! / 100)).toBe(true);
  expect(read("pretrained.svg").match(/<circle/g)?.length).toBe(wayNames.length);
});

test("--race holds races against the study: it has nothing left to do the next time, and refuses what is of another budget", async () => {
  const words = ["--race", "--quick", "--only", "inversion", "--json", inFolder("race.json")];
  const ended = await command(words);
  expect(ended.code).toBe(0);
  expect(ended.stderr).toMatch(/\n0\/1 {2}\S+ left {2}inversion: pre-training, seed 0/);
  expect(ended.stdout).toContain(read("race.md"));
  const { runs, budget }: RaceResults = JSON.parse(read("race.json"));
  expect(runs).toMatchObject([{ task: "inversion", seed: 0, steps: quick.steps }]);
  expect(chance(runs[0]!.accuracy)).toBe(true);
  const [first] = runs[0]!.lineage;
  expect(first?.step).toBe(0);
  const [lowest, highest] = budget.ranges.head;
  expect(first?.head).toBeGreaterThanOrEqual(lowest);
  expect(first?.head).toBeLessThanOrEqual(highest);
  const before = read("race.json");
  expect((await command(words)).stderr).not.toMatch(/left/);
  expect(read("race.json")).toBe(before);
  expect(budget).toEqual(quickRace);
  const other = await command(["--race", "--only", "inversion", "--json", inFolder("race.json")]);
  expect(other.code).toBe(1);
  expect(other.stderr).toContain("holds a study, but it is of another budget. Give another file, or remove it.");
});

test("--claims asks each question of its trainings, goes on where it stood, and draws what it has", async () => {
  const words = ["--claims", "--quick", "--only", "batch-norm,activations", "--json", inFolder("claims.json")];
  const ended = await command(words);
  expect(ended.code).toBe(0);
  expect(ended.stderr).toMatch(/\n0\/4 {2}\S+ left {2}batch-norm: 2 hidden layers, seed 0/);
  expect(ended.stdout).toContain(read("claims.md"));
  const { runs, budget }: ClaimsResults = JSON.parse(read("claims.json"));
  expect(budget).toEqual(quickClaims);
  expect(runs.map(({ question, rates, norms }) => [question, rates?.length, norms?.length])).toEqual([
    ["batch-norm", 3, undefined],
    ["batch-norm", 3, undefined],
    ["activations", undefined, 20],
    ["activations", undefined, 20],
  ]);
  for (const { test: known = [] } of runs) expect(known.every(chance)).toBe(true);
  // What is said of sigmoids needs no training.
  const [sigmoid] = runs.filter(({ setting }) => setting === "sigmoid");
  expect((sigmoid?.norms?.[0] as number) / (sigmoid?.norms?.at(-1) as number)).toBeLessThan(1e-6);
  expect(read("claims.svg").match(/class="title"/g)?.length).toBe(2);
  const before = read("claims.json");
  expect((await command(words)).stderr).not.toMatch(/left/);
  expect(read("claims.json")).toBe(before);
  const other = await command(["--claims", "--only", "batch-norm", "--json", inFolder("claims.json")]);
  expect(other.code).toBe(1);
  expect(other.stderr).toContain("holds a study, but it is of another budget. Give another file, or remove it.");
  expect((await command(["--claims", "--only", "momentum"])).stderr).toContain(
    '--only: there is no question "momentum".',
  );
});

test("the tables of the documentation are those of their JSON", () => {
  const kept = (name: string): string => readFileSync(`docs/${name}`, "utf8");
  const study: Results = JSON.parse(kept("study.json"));
  expect(kept("study.md")).toBe(markdown(study));
  expect(kept("claims.md")).toBe(claimsTable(JSON.parse(kept("claims.json")), "claims.svg"));
  expect(kept("race.md")).toBe(raceTable(JSON.parse(kept("race.json")), study));
});

test("a race is within the best way's deviation, or below it", () => {
  const study: Results = JSON.parse(readFileSync("docs/study.json", "utf8"));
  const best = summaries(study, tasks[0]!).toSorted((a, b) => b.mean - a.mean)[0]!;
  const beside = (accuracy: number) => {
    const runs = [0, 1].map((seed) => ({ task: tasks[0]!.name, seed, accuracy, steps: 120, lineage: [] }));
    return besides({ adapter: "none", seeds: 2, budget: fullRace, runs }, study);
  };
  const limit = best.mean - best.deviation;
  expect(beside(limit + 1e-6)).toMatchObject([{ best: { way: "gradual unfreezing", mean: best.mean }, within: true }]);
  expect(beside(limit - 1e-6)).toMatchObject([{ within: false }]);
});
