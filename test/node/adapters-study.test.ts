// The study of adapters without a GPU: the order of its work with a bench that only pretends to train, how it goes on from earlier results,
// what the table and the curves say, and that on both networks merged weights give what adapters beside the weights give, in f64.

import { expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { readDigitsWith } from "../../demo/digits.ts";
import { readMnist } from "../../demo/mnist-files.ts";
import { methodOf } from "../../demo/study/adapters/method.ts";
import { networks } from "../../demo/study/adapters/networks.ts";
import { options } from "../../demo/study/adapters/options.ts";
import { filesOf, full, kindNames, methodsOf, quick, type Request, taskNames } from "../../demo/study/adapters/plan.ts";
import { plot } from "../../demo/study/adapters/plot.ts";
import { markdown, pointsOf } from "../../demo/study/adapters/report.ts";
import { begun, isComplete, type Results, study } from "../../demo/study/adapters/study.ts";
import { whyOther } from "../../demo/study/begun.ts";
import { merge } from "../../src/adapter/index.ts";
import type { HostTensor } from "../../src/index.ts";
import { only, runModel } from "../reference/run-model.ts";
import { programOf } from "./program.ts";

const methods = methodsOf(full);
const [digits, shakespeare] = full.tasks as [(typeof full.tasks)[0], (typeof full.tasks)[0]];

/** Goes on from results with a bench in which a figure is a function of the request. */
async function pretend(
  results: Results,
  figure: (request: Request) => number | null,
  stopAfter = Number.POSITIVE_INFINITY,
): Promise<Request[]> {
  const asked: Request[] = [];
  await study({
    results,
    bench: {
      untuned: async () => 10,
      tune: async (request) => {
        asked.push(request);
        const { kind, size } = request.method;
        return { figure: figure(request), trained: kind === "full" ? 9000 : 100 * (size ?? 1), steps: 1, seconds: 1 };
      },
    },
    onProgress: () => undefined,
    onRun: () => undefined,
    stopping: () => asked.length >= stopAfter,
  });
  return asked;
}

/** Each kind has a best rate of its own. */
const best = ({ method: { kind }, task: { rates } }: Request): number =>
  rates[kindNames.indexOf(kind) % rates.length] as number;
const byRate = (request: Request): number => {
  const rises = request.task.rises ? 1 : -1;
  return 50 + rises * ((request.rate === best(request) ? 10 : 0) + request.seed / 1000);
};

test("every kind has the same tries on validation data, and its methods then run with its best rate", async () => {
  const results = begun("none", full, 2);
  const asked = await pretend(results, byRate);
  expect(isComplete(results)).toBe(true);
  for (const task of full.tasks) {
    const own = asked.filter((request) => request.task.name === task.name);
    const tries = own.filter(({ part }) => part === "validation");
    expect(tries.map(({ method, rate, seed }) => [method.kind, rate, seed])).toEqual(
      kindNames.flatMap((kind) => task.rates.map((rate) => [kind, rate, full.sweepSeed])),
    );
    const runs = own.filter(({ part }) => part === "test");
    expect(runs.map(({ method, seed }) => [method, seed])).toEqual(
      [0, 1].flatMap((seed) => methods.map((method) => [method, seed])),
    );
    for (const run of runs) expect(run.rate).toBe(best(run));
  }
});

test("a rate that comes to numbers that are not finite is not chosen, and a run that does is said", async () => {
  const results = begun("none", { ...full, tasks: [digits] }, 1);
  const worst = digits.rates[0] as number;
  const asked = await pretend(results, ({ rate, part, method }) =>
    (part === "validation" && rate === worst) || (part === "test" && method.size === 4) ? null : 50,
  );
  for (const { rate, part } of asked) if (part === "test") expect(rate).toBe(digits.rates[1]);
  expect(markdown(results, "a.svg")).toMatch(/LoRA, rank 4 .* not finite /);
  expect(plot(results)).not.toContain("NaN");
});

test("what was stopped goes on where it was, and comes to the same; more seeds add theirs", async () => {
  const whole = begun("none", full, 1);
  await pretend(whole, byRate);
  const parts = begun("none", full, 1);
  const first = await pretend(parts, byRate, 20);
  expect([first.length, isComplete(parts)]).toEqual([20, false]);
  const again: Results = JSON.parse(JSON.stringify(parts));
  expect(markdown(again, "a.svg")).toContain("which is not at its end");
  const second = await pretend(again, byRate);
  expect(again).toEqual(whole);
  expect([...first, ...second].length).toBe(whole.sweeps.length + whole.runs.length);
  const more: Results = { ...again, seeds: 2 };
  const added = await pretend(more, byRate);
  expect(added.length).toBe(2 * methods.length);
  expect(isComplete(more)).toBe(true);
});

test("results of another budget or adapter are not gone on with", () => {
  const now = begun("none", full, 1);
  expect(whyOther(begun("none", full, 3), now)).toBe(undefined);
  expect(whyOther(begun("none", quick, 1), now)).toBe("it is of another budget");
  expect(whyOther(begun("other", full, 1), now)).toBe("it is of other, this is none");
});

test("the table has means and what trains, the curves a dot for each run", async () => {
  const results = begun("none", full, 2);
  await pretend(results, byRate);
  const [whole] = pointsOf(results, digits);
  expect(whole).toMatchObject({ kind: "full", trained: 9000, figures: [60, 60.001], mean: expect.closeTo(60.0005) });
  const table = markdown(results, "out/a.svg");
  expect(table).toContain("(a.svg)");
  expect(table).toMatch(/\| LoRA, rank 16 +\| 1,600 +\| 17\.8 % +\| 60\.0 +\| 60\.0 to 60\.0 +\| 0\.004 /);
  expect(table).toMatch(/\| full fine-tuning +\| 9,000 +\| 100\.0 % +\| \*\*60\.0\*\* /);
  const image = plot(results);
  expect(image.match(/<circle/g)?.length).toBe(results.runs.length);
  expect(image.match(/class="title"/g)?.length).toBe(full.tasks.length);
  expect(image.match(/class="curve"/g)?.length).toBe(2 * full.tasks.length);
  expect(image).not.toContain("NaN");
});

test("in nats less is better", async () => {
  const results = begun("none", { ...full, tasks: [shakespeare] }, 1);
  await pretend(results, ({ method }) => (method.kind === "bias" ? 1.5 : 2));
  expect(markdown(results, "a.svg")).toMatch(/\| BitFit +\| 100 +\| 1\.1 % +\| \*\*1\.500\*\* /);
});

test.each([
  [["--adapters", "--only", "nose"], '--only: there is no task "nose". Tasks: digits, shakespeare.'],
  [["--adapters", "--runtime", "bun"], '--runtime: knows chromium, deno, node, not "bun".'],
  [["--adapters", "--json", "table.txt"], "--json: the file must end in .json"],
  [["--adapters", "--sedes", "3"], "there is no option --sedes. See --help."],
])("%j is refused", (words, text) => {
  expect(() => options(words)).toThrow(text);
});

const numbers = (length: number, from: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => ((((i + from) * 7919) % 1009) / 1009 - 0.5) / 4);

test.each(taskNames)(
  "the network of %s: merged weights give what adapters beside the weights give, to 1e-5",
  async (name) => {
    readDigitsWith(readMnist);
    const files = await Promise.all(filesOf[name].map(async (path) => [path, await dataFile(path)] as const));
    const network = await networks[name](Object.fromEntries(files));
    const { model, base } = methodOf(network, { kind: "lora", size: 4 });
    const form = Array.isArray(network.input)
      ? { shape: network.input as number[] }
      : (network.input as { shape: number[]; classes: number });
    const { parameters, base: still } = programOf(model, { inputs: [{ name: "", ...form }], batch: 1, base: base! });
    const factors = parameters.filter(({ name }) => /lora[AB]$/.test(name));
    // What rests is what came, and nothing beside it.
    expect(still.parameters.map(({ name }) => name).sort()).toEqual(
      [...network.weights.keys()].filter((one) => !parameters.some((own) => own.name === one)).sort(),
    );
    const weights = new Map<string, HostTensor>(network.weights);
    for (const [i, { name, shape }] of parameters.entries()) {
      if (weights.has(name)) continue;
      weights.set(name, {
        shape,
        data: numbers(
          shape.reduce((a, b) => a * b),
          31 * i,
        ),
      });
    }
    const x = only(form.shape, await network.probe(2), "classes" in form ? form.classes : undefined);
    const of = (some: typeof model, given: typeof weights) => runModel(some, x, given).outputs.get("")!.data;
    const beside = of(model, weights);
    const merged = merge(weights);
    expect(merged.size).toBe(weights.size - factors.length);
    const most = beside.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const far = (other: Float64Array) => beside.reduce((a, b, i) => Math.max(a, Math.abs(b - other[i]!)), 0) / most;
    expect(far(of(network.model, merged))).toBeLessThan(1e-5);
    const plain = new Map([...weights].filter(([one]) => merged.has(one)));
    expect(far(of(network.model, plain))).toBeGreaterThan(1e-2);
  },
);
