// The study of pre-trained networks without a GPU: the order of its work with a bench that only pretends to train, how it goes on from earlier
// results, its statistics against published values, the data of its tasks, and what the tables and the plot say.

import { expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { readDigitsWith } from "../../demo/digits.ts";
import { readMnist } from "../../demo/mnist-files.ts";
import { whyOther } from "../../demo/study/begun.ts";
import { networks } from "../../demo/study/pretrained/networks.ts";
import { options } from "../../demo/study/pretrained/options.ts";
import {
  copiesOf,
  filesOf,
  fits,
  full,
  quick,
  type Request,
  type Task,
  type TaskName,
  wayNames,
} from "../../demo/study/pretrained/plan.ts";
import { plot } from "../../demo/study/pretrained/plot.ts";
import { figuresTable, lossesBeside, markdown, markOf, summariesOf } from "../../demo/study/pretrained/report.ts";
import { holm, pairedChance } from "../../demo/study/pretrained/statistics.ts";
import { begun, isComplete, type Results, study } from "../../demo/study/pretrained/study.ts";
import { grouped } from "../../demo/study/pretrained/ways.ts";
import { layerDecay, type Samples } from "../../src/index.ts";

const taskOf = (name: string): Task => full.tasks.find((task) => task.name === name)!;
const [doodles, darwin] = [taskOf("doodles"), taskOf("darwin")];

/** Goes on from results with a bench in which a figure is a function of the request. */
async function pretend(
  results: Results,
  figure: (request: Request) => number | null,
  { tasks = full.tasks, stopAfter = Number.POSITIVE_INFINITY } = {},
): Promise<Request[]> {
  const asked: Request[] = [];
  await study({
    ...{ results, tasks },
    bench: {
      open: async ({ name }) => ({
        known: { what: "%", published: 1, found: 1 },
        untuned: 2,
        rival: name === "darwin" ? 1 : null,
      }),
      tune: async (request) => {
        asked.push(request);
        return { figure: figure(request), seconds: request.way === "race" ? 8 : 2 };
      },
    },
    onProgress: () => undefined,
    onRun: () => undefined,
    stopping: () => asked.length >= stopAfter,
  });
  return asked;
}

/** Each way has a best rate of its own; more is better by `rises`. */
const best = ({ way, task: { rates } }: Request): number => rates[wayNames.indexOf(way) % rates.length] as number;
const byRate = (request: Request): number => {
  const rises = request.task.figure === "accuracy" ? 1 : -1;
  return 50 + rises * ((request.rate === best(request) ? 10 : 0) + request.seed / 1000);
};

test("every way has the same tries on validation data, and runs with its best rate; the race needs none", async () => {
  const results = begun("none", full, 2);
  const asked = await pretend(results, byRate);
  expect(isComplete(results)).toBe(true);
  for (const task of full.tasks) {
    const ways = wayNames.filter((way) => fits(way, task));
    const own = asked.filter((request) => request.task.name === task.name);
    const tries = own.filter(({ part }) => part === "validation");
    expect(tries.map(({ way, rate, seed }) => [way, rate, seed])).toEqual(
      ways.slice(0, -1).flatMap((way) => task.rates.map((rate) => [way, rate, full.sweepSeed])),
    );
    const runs = own.filter(({ part }) => part === "test");
    expect(runs.map(({ way, seed }) => [way, seed])).toEqual([
      ...[0, 1].flatMap((seed) => ways.slice(0, -1).map((way) => [way, seed])),
      ...[0, 1].map((seed) => ["race", seed]),
    ]);
    for (const run of runs) expect(run.rate).toBe(run.way === "race" ? null : best(run));
    expect(copiesOf(task)).toBe(task.rates.length + 1);
  }
});

test("what was stopped goes on where it was, task by task, and comes to the same; more seeds add theirs", async () => {
  const whole = begun("none", full, 1);
  await pretend(whole, byRate);
  const parts = begun("none", full, 1);
  const first = await pretend(parts, byRate, { stopAfter: 20 });
  expect([first.length, isComplete(parts)]).toEqual([20, false]);
  const again: Results = JSON.parse(JSON.stringify(parts));
  await pretend(again, byRate, { tasks: [doodles] });
  expect([isComplete(again, [doodles]), isComplete(again)]).toEqual([true, false]);
  expect(markdown(again, "a.svg")).toContain(
    `Not run yet: ${full.tasks
      .slice(1)
      .map(({ title }) => title)
      .join("; ")}.`,
  );
  await pretend(again, byRate);
  expect(again).toEqual(whole);
  const more: Results = { ...again, seeds: 2 };
  const added = await pretend(more, byRate);
  expect(added.every(({ seed, part }) => seed === 1 && part === "test")).toBe(true);
  expect(added.length).toBe(whole.runs.length);
  expect(whyOther(begun("none", quick, 1), more)).toBe("it is of another budget");
  expect(whyOther(begun("other", full, 1), more)).toBe("it is of other, this is none");
});

test("a rate that comes to numbers that are not finite is not chosen, and what it costs is said", async () => {
  const results = begun("none", full, 2);
  const asked = await pretend(results, ({ rate, way }) => (rate === doodles.rates[3] || way === "race" ? null : 50), {
    tasks: [doodles],
  });
  for (const { rate, part } of asked) if (part === "test") expect(rate).not.toBe(doodles.rates[3]);
  expect(lossesBeside(results, doodles, "gradual")).toEqual([null, 0]);
  expect(markdown(results, "a.svg")).toMatch(/\| race +\| not finite/);
  expect(plot(results)).not.toContain("NaN");
});

test("marks, losses at rates beside the best, and who is ahead, in per cent and in nats", async () => {
  const results = begun("none", full, 5);
  const lead: Partial<Record<string, number>> = { "layer-decay": 4, "input-first": -4 };
  await pretend(
    results,
    ({ task, way, seed, rate, part }) => {
      const own = (lead[way] ?? 0) + ((seed * 7 + wayNames.indexOf(way)) % 5) / 10;
      const off = part === "test" ? 0 : Math.abs(task.rates.indexOf(rate as number) - 2);
      return task.figure === "accuracy" ? 60 + own - off : 6 - own + off;
    },
    { tasks: [doodles, darwin] },
  );
  for (const [task, own] of summariesOf(results)) {
    const of = (name: string) => own.find(({ way }) => way === name)!;
    expect(of("layer-decay").gains.every((gain) => gain > 3)).toBe(true);
    expect(of("layer-decay").chance).toBeLessThan(0.05);
    expect(of("gradual").chance).toBe(1);
    expect(of("one-rate")).toMatchObject({ gains: [], chance: 1 });
    expect(lossesBeside(results, task, "gradual")).toEqual([1, 1]);
  }
  expect(markOf(results, darwin)).toBeCloseTo(2 - 0.6, 12);
  const table = figuresTable(results);
  expect(table).toMatch(/\| layer decay 0\.65 +\| \*\*64\.2 ± 0\.\d\*\*▲ +\| \*\*1\.800 ± 0\.\d+\*\*▲/);
  expect(table).toMatch(/\| input first 0\.65 +\| 56\.2 ± 0\.\d▼ +\| 9\.800 ± 0\.\d+▼/);
  expect(table).toMatch(/\| asked for +\| above 90\.0 +\| below 1\.400 +\|/);
  expect(table).toMatch(/\| LoRA, rank 8 +\| 60\.2 ± 0\.\d +\| +\|/);
  const image = plot(results);
  expect(image.match(/class="title"/g)?.length).toBe(2);
  expect(image.match(/<circle/g)?.length).toBe(results.runs.length);
});

test("Student's paired test has the values of its tables, and Holm's correction those of its paper's rule", () => {
  // Differences of mean m and deviation 1 over n pairs: t = m sqrt(n). Quantiles of 0.975 for 1 to 4 degrees of freedom.
  for (const [pairs, quantile] of [
    [2, 12.7062],
    [3, 4.30265],
    [4, 3.18245],
    [5, 2.77645],
  ] as const) {
    const base = Array.from({ length: pairs }, (_, i) => i - (pairs - 1) / 2);
    const deviation = Math.sqrt(base.reduce((sum, x) => sum + x * x, 0) / (pairs - 1));
    const shifted = base.map((x) => x / deviation + quantile / Math.sqrt(pairs));
    expect(pairedChance(shifted)).toBeCloseTo(0.05, 5);
    expect(pairedChance(shifted.map((x) => -x))).toBeCloseTo(0.05, 5);
  }
  expect([pairedChance([1]), pairedChance([0, 0, 0]), pairedChance([1, 1, 1])]).toEqual([1, 1, 0]);
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02].map((x) => expect.closeTo(x, 12)));
  expect(holm([0.6, 0.9])).toEqual([1, 1]);
});

test("depths are those of groups", () => {
  const rule = grouped(doodles, layerDecay(0.5));
  const of = (name: string) =>
    rule({
      ...{ name, depth: 9, maxDepth: 9, parameterCount: 1 },
      tensor: name,
      shape: [1],
      multiplier: 1,
      weightDecay: 0,
    });
  expect(["conv2d", "conv2d_1", "conv2d_3", "dense", "head.0"].map(of)).toEqual(
    [1 / 16, 1 / 16, 1 / 8, 1 / 2, 1].map((multiplier) => ({ multiplier })),
  );
});

test("images are scaled as each network knows them, and none that a validation judges by is learnt from", async () => {
  readDigitsWith(readMnist);
  const open = async (name: TaskName) => {
    const files = await Promise.all(filesOf[name].map(async (path) => [path, await dataFile(path)] as const));
    return networks[name](Object.fromEntries(files));
  };
  for (const [name, mean] of [
    ["doodles", undefined],
    ["digits", 0.1307],
    ["jpeg", [0.485, 0.456, 0.406]],
    ["classes", [0.5, 0.5, 0.5]],
  ] as const) {
    const { learnt, held } = await open(name);
    const [own, judged] = [await learnt(taskOf(name), 7, "validation"), held("validation", 20)];
    expect([own.mean, judged.mean, held("test", 20).mean]).toEqual([mean, mean, mean]);
    const size = (judged.x as Uint8Array).length / 20;
    const images = ({ x }: Samples) =>
      new Set(
        Array.from({ length: (x as Uint8Array).length / size }, (_, i) =>
          (x as Uint8Array).subarray(i * size, (i + 1) * size).join(),
        ),
      );
    const known = images(own);
    expect([...images(judged)].filter((image) => known.has(image))).toEqual([]);
  }
});

test.each([
  [["--pretrained", "--only", "doodles,nose"], '--only: there is no task "nose". Tasks: doodles, digits,'],
  [["--pretrained", "--runtime", "bun"], '--runtime: knows chromium, deno, node, not "bun".'],
  [["--pretrained", "--json", "table.txt"], "--json: the file must end in .json"],
  [["--pretrained", "--sedes", "3"], "there is no option --sedes. See --help."],
])("%j is refused", (words, text) => {
  expect(() => options(words)).toThrow(text);
});
