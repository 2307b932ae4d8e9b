// Choice by measurement without a GPU: a clock that only runs when a candidate does, so that every figure here is exact. What a program
// runs then, and that its bits are those of the device, is in stories/autotune.test.ts.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { autotune } from "../../src/autotune/index.ts";
import { createRun } from "../../src/autotune/run.ts";
import { storeOf } from "../../src/autotune/runtime-store.ts";
import { candidateName, shapeClass } from "../../src/autotune/shape-class.ts";
import { add, type Choices, read } from "../../src/autotune/store.ts";
import type { Asked, Meter } from "../../src/autotune/tune.ts";
import { VERSION } from "../../src/autotune/version.ts";
import { CheckpointError, compile, crossEntropy, dense, OptionError, relu, sequential } from "../../src/index.ts";
import { ops } from "../../src/op/index.ts";
import type { Candidate, Kernel, Work } from "../../src/op/op.ts";
import { programOf } from "./program.ts";

const kernel = ops.matmul.kernel as unknown as Kernel;

/** A product [rows, terms] x [terms, columns]. */
function product(rows: number, terms: number, columns: number, software = true): Work {
  const tensor = (shape: readonly number[]) => ({ id: 0, name: "", shape, dtype: "f32", role: "activation" }) as const;
  const [a, b, c] = [tensor([rows, terms]), tensor([terms, columns]), tensor([rows, columns])];
  const of = { tensors: { a, b, c }, all: [a, b], outputs: [c], attributes: {}, epilogue: [] };
  return { op: ops.matmul as unknown as Work["op"], ...of, device: { software }, halts: false, checked: false };
}

const candidatesOf = (work: Work): readonly Candidate[] => kernel.candidates?.(work) ?? [];

interface Play {
  readonly mode?: "cached" | "full";
  /** Seconds of a run of a candidate. */
  readonly cost?: (candidate: Candidate, at: number) => number;
  /** Seconds that a clock shows of so many from a moment on, and how many there are in all. */
  readonly shown?: (seconds: number, from: number) => number;
  readonly seconds?: number;
  readonly isAlike?: boolean;
  readonly stored?: Choices;
}

/** A run on a device that takes as long as it is told. */
function play({
  mode = "cached",
  cost = () => 0.001,
  shown = (seconds) => seconds,
  seconds: all = 2,
  isAlike = true,
  stored = {},
}: Play = {}) {
  let [clock, dispatches] = [0, 0];
  const measured: Asked[] = [];
  const told: string[] = [];
  const kept: Choices[] = [];
  const meter: Meter = {
    async open(asked) {
      measured.push(asked);
      return {
        runs: asked.candidates.map((_, i) => i),
        async time(candidate, times) {
          dispatches += times;
          const seconds = shown(0.0003 + times * cost(asked.candidates[candidate] as Candidate, candidate), clock);
          clock += seconds;
          return seconds;
        },
        isAlike: async () => isAlike,
        close: async () => undefined,
      };
    },
  };
  const run = createRun({
    ...{ mode, stored, meter, seconds: all, now: () => clock },
    tell: ({ work }, chosen, done, total) =>
      told.push(`${done}/${total} ${work.tensors.a?.shape} ${candidateName(chosen)}`),
    keep: async (found) => void kept.push(found),
  });
  return { run, measured, told, kept, clock: () => clock, dispatches: () => dispatches };
}

const work = product(64, 64, 256);
const long = product(16, 4096, 16, false); // on a GPU its sums are shared by threads, hence in an order of their own

describe("a choice", () => {
  test("leaves a default that does its work 50 times over, within the two seconds", async () => {
    const { run, clock, kept } = play({ cost: (_, at) => (at === 0 ? 0.3 : 0.006 + at / 1000) });
    expect(run.choose(kernel, work)).toBeUndefined();
    expect(await run.measure()).toBe(true);
    expect(clock()).toBeLessThan(2);
    const [, second] = candidatesOf(work) as [Candidate, Candidate];
    expect(run.choose(kernel, work)).toEqual(second.choice);
    expect(Object.values(kept[0] as Choices)).toEqual([candidateName(second)]);
  });

  test.each([
    [0.98, false],
    [0.96, true],
  ])("by another one that takes %f of the time is made: %s", async (share, changes) => {
    const { run } = play({ cost: (_, at) => (at === 2 ? share : at === 0 ? 1 : 1.5) / 1000 });
    run.choose(kernel, work);
    expect(await run.measure()).toBe(changes);
    expect(run.choose(kernel, work)).toEqual(candidatesOf(work)[changes ? 2 : 0]?.choice);
  });

  test("is the median's, whatever one round of another one did", async () => {
    let rounds = 0;
    const { run } = play({ cost: (_, at) => (at === 1 && ++rounds % 5 === 0 ? 0.0001 : 0.001) });
    run.choose(kernel, work);
    expect(await run.measure()).toBe(false);
    expect(rounds).toBeGreaterThan(8);
  });

  test("leaves such a default by a clock that has grains of a tenth of a second, and no other one", async () => {
    const [begin, tick] = [0.069, 0.1]; // what begins within a grain ends with it, the first submission too
    const ticking = (seconds: number, from: number): number =>
      Math.ceil((begin + from + seconds) / tick - 1e-9) * tick - (begin + from);
    const long = (seconds: number): number => Math.ceil(seconds * 10 + 0.5) / 10;
    for (const shown of [ticking, long]) {
      for (const [slow, changes] of [
        [0.005, true],
        [0.00011, false],
      ] as const) {
        const { run, clock } = play({ cost: (_, at) => (at === 0 ? slow : 0.0001), shown, seconds: 6 });
        run.choose(kernel, work);
        expect(await run.measure()).toBe(changes);
        expect(clock()).toBeLessThan(9);
      }
    }
  });

  test.each([
    ["slower in three rounds of five, however slow it was then", [7, 8, 10, 12, 14, 15]],
    ["slow when it was first looked at", [4]],
  ])("is not made against a default that was %s", async (_, slow) => {
    let round = -1;
    const cost = (_: Candidate, at: number): number => (at !== 0 ? 0.0075 : slow.includes(++round) ? 0.02 : 0.007);
    const { run } = play({ cost });
    run.choose(kernel, work);
    expect(await run.measure()).toBe(false);
    expect(round).toBe(12); // the clock's grain in three, two looks, three rounds to warm up, five that count
  });

  test("is among those that add in the default's order, but for full", async () => {
    const cost = ({ tactic }: Candidate): number => (tactic.shares === 1 ? 0.001 : 0.01);
    const orders = new Set(candidatesOf(long).map(({ order }) => order));
    expect(orders.size).toBe(2);
    const cached = play({ cost });
    cached.run.choose(kernel, long);
    expect(await cached.run.measure()).toBe(false);
    const full = play({ cost, mode: "full" });
    full.run.choose(kernel, long);
    expect(await full.run.measure()).toBe(true);
    expect(full.run.choose(kernel, long)).toEqual(candidatesOf(long)[1]?.choice);
  });

  test("that gives other bits when it is tried is not made, but for full", async () => {
    const cost = (_: Candidate, at: number): number => (at === 0 ? 0.01 : 0.001);
    for (const mode of ["cached", "full"] as const) {
      const { run } = play({ cost, mode, isAlike: false });
      run.choose(kernel, work);
      expect(await run.measure()).toBe(mode === "full");
    }
  });

  test("is made for the most work first; what is not reached in time stays as it is, for good", async () => {
    const sizes = [32, 1024, 128, 512];
    const { run, told, measured, clock, kept } = play({ cost: (_, at) => (at === 0 ? 0.08 : 0.03) });
    for (const size of sizes) run.choose(kernel, product(size, size, size));
    await run.measure();
    expect(told.map((line) => line.split(",")[0])).toEqual(["1/4 1024", "2/4 512", "3/4 128", "4/4 32"]);
    expect(measured.length).toBe(2);
    expect(clock()).toBeLessThan(2.1);
    const again = play({ stored: kept[0] as Choices });
    for (const size of sizes) again.run.choose(kernel, product(size, size, size));
    expect(await again.run.measure()).toBe(false);
    expect([again.dispatches(), again.measured.length]).toEqual([0, 0]);
  });

  test("stands for the run: what is asked for later is not measured and runs as it does by itself", async () => {
    const { run, measured } = play({ cost: (_, at) => (at === 0 ? 0.01 : 0.001) });
    run.choose(kernel, work);
    await run.measure();
    expect(run.choose(kernel, product(4, 4, 4))).toBeUndefined();
    expect(await run.measure()).toBe(false);
    expect(measured.length).toBe(1);
  });

  test("that is stored under no candidate's name is not taken", async () => {
    const name = shapeClass(kernel, long, candidatesOf(long)[0] as Candidate);
    const other = candidateName(candidatesOf(long)[1] as Candidate);
    for (const [stored, mode, at] of [
      [{ [name]: "tile 9x9" }, "full", undefined],
      [{ [name]: other }, "cached", undefined], // another order
      [{ [name]: other }, "full", 1],
    ] as const) {
      const { run, dispatches } = play({ stored, mode });
      expect(run.choose(kernel, long)).toEqual(at && candidatesOf(long)[at]?.choice);
      expect([await run.measure(), dispatches()]).toEqual([false, 0]);
    }
  });
});

describe("a class", () => {
  const classOf = (...sizes: [number, number, number]): string => {
    const one = product(...sizes);
    return shapeClass(kernel, one, candidatesOf(one)[0] as Candidate);
  };

  test("is of sizes up to a power of 2, and of what is left over a multiple of 4", () => {
    expect(classOf(1000, 700, 520)).toBe(classOf(1024, 704, 600));
    expect(classOf(1000, 700, 520)).not.toBe(classOf(1028, 700, 520));
    expect(classOf(1000, 700, 520)).not.toBe(classOf(1000, 700, 521));
    expect(classOf(8, 64, 64)).not.toBe(classOf(7, 64, 64));
  });

  test("tells what stands at the end of a kernel, and what is transposed", () => {
    const [first] = candidatesOf(work) as [Candidate];
    const step = { op: ops.relu as unknown as Work["op"], attributes: {}, inputs: [undefined], shape: [64, 256] };
    expect(shapeClass(kernel, { ...work, epilogue: [step] }, first)).not.toBe(shapeClass(kernel, work, first));
    const turned = { ...work, attributes: { transposeB: true } };
    expect(shapeClass(kernel, turned, candidatesOf(turned)[0] as Candidate)).not.toBe(shapeClass(kernel, work, first));
  });
});

describe("a program", () => {
  const model = sequential({ body: [dense(64), relu()], head: dense(10) });
  const options = { input: [784], batch: 256, software: true };
  const textOf = (tuning?: ReturnType<typeof createRun>): string =>
    JSON.stringify(programOf(model, { ...options, tuning }).recording.commands);

  test("is the same until something is chosen, and runs what is chosen from then on", async () => {
    const { run, measured } = play({ cost: ({ tactic }) => (tactic.tile === "4x4" ? 0.001 : 0.01) });
    expect(textOf(run)).toBe(textOf());
    expect(await run.measure()).toBe(true);
    expect(measured.length).toBeGreaterThan(3);
    const tuned = programOf(model, { ...options, tuning: run }).recording.commands;
    const tiles = tuned.flatMap((one) => one.parts ?? [one]).flatMap(({ holes: { DOWN } }) => DOWN ?? []);
    expect(new Set(tiles)).toEqual(new Set([4]));
  });
});

describe("a checkpoint", () => {
  const cost = ({ tactic }: Candidate): number => (tactic.shares === 1 ? 0.001 : 0.01);

  test("says nothing where no bit depends on it", async () => {
    const { run } = play({ cost });
    run.choose(kernel, work);
    await run.measure();
    expect([run.signature, run.choices, run.restore({ x: "y" })]).toEqual([undefined, undefined, false]);
  });

  test("keeps the choices of full, and a run that loads it makes them its own", async () => {
    const first = play({ cost, mode: "full" });
    first.run.choose(kernel, long);
    await first.run.measure();
    const kept = JSON.parse(JSON.stringify(first.run.choices));
    const other = play({ mode: "full" });
    other.run.choose(kernel, long);
    await other.run.measure();
    expect(other.run.choose(kernel, long)).toEqual(candidatesOf(long)[0]?.choice);
    expect(other.run.restore(kept)).toBe(true);
    expect(other.run.choose(kernel, long)).toEqual(candidatesOf(long)[1]?.choice);
    expect(other.run.choices).toEqual(kept);
    expect([other.run.restore(kept), other.run.restore(undefined)]).toEqual([false, false]);
    expect(() => other.run.restore({ a: 3 })).toThrow(CheckpointError);
    expect(other.run.choices).toEqual(kept);
  });
});

describe("a store", () => {
  const heard: string[] = [];
  const warn = (message: string): void => void heard.push(message);

  test.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["a number for a name", '{"a":3}'],
    ["nothing", "null"],
  ])("with %s is said and passed over", async (_, text) => {
    heard.length = 0;
    expect(await read(new Map([["key", text]]), "key", warn)).toEqual({});
    expect(heard.join()).toMatch(/^autotune: what the store has for this adapter cannot be read \(.*measured anew/);
  });

  test("that throws is said and passed over", async () => {
    heard.length = 0;
    const full = {
      get: () => Promise.reject(new Error("locked")),
      set: () => {
        throw new Error("full");
      },
    };
    expect(await read(full, "key", warn)).toEqual({});
    await add(full, "key", { a: "b" }, warn);
    expect(heard).toEqual([expect.stringContaining("(locked)"), expect.stringContaining("(full)")]);
  });

  test("keeps what others have added since", async () => {
    const store = new Map<string, string>();
    await add(store, "key", { a: "1" }, warn);
    await add(store, "key", { b: "2" }, warn);
    expect(await read(store, "key", warn)).toEqual({ a: "1", b: "2" });
  });

  test("may be a file, which holds all keys; a damaged one is written anew", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gradus-autotune-"));
    try {
      const path = join(folder, "deep", "choices.json");
      const store = storeOf(path)!;
      expect(await read(store, "one", warn)).toEqual({});
      await add(store, "one", { a: "1" }, warn);
      await add(store, "two", { b: "2" }, warn);
      expect([await read(store, "one", warn), await read(storeOf(path)!, "two", warn)]).toEqual([
        { a: "1" },
        { b: "2" },
      ]);
      heard.length = 0;
      writeFileSync(path, '{"one":');
      expect(await read(store, "one", warn)).toEqual({});
      expect(heard.length).toBe(1);
      await add(store, "one", { c: "3" }, warn);
      expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ one: '{"c":"3"}' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test.each([
  [5, "autotune: its options are 5, they must be an object."],
  ["full", 'autotune: its options are "full", they must be an object.'],
  [{ modus: "full" }, 'autotune: it has no "modus". It may have mode, store, seconds, onProgress.'],
  [{ mode: "off" }, 'autotune: mode is "off", it must be "cached" or "full"; without autotune it is off.'],
  [{ seconds: 0 }, "autotune: seconds is 0, it must be a finite number above 0."],
  [{ seconds: Number.NaN }, "autotune: seconds is NaN, it must be"],
  [{ store: "" }, 'autotune: store is "", it must be an object with get(key) and set(key, text), or the path'],
  [{ store: { get: () => "" } }, "autotune: store is [object Object], it must be"],
  [{ onProgress: 3 }, "autotune: onProgress is 3, it must be a function."],
])("options %o are refused by name", (options, message) => {
  expect(() => autotune(options as object)).toThrow(OptionError);
  expect(() => autotune(options as object)).toThrow(message);
});

test.each(["cached", 3, {}, null])("compile refuses %o in its place, before a device is asked for", async (given) => {
  const options = { input: [2], loss: crossEntropy(), autotune: given as unknown as ReturnType<typeof autotune> };
  const shown = JSON.stringify(given);
  await expect(compile(dense(2), options)).rejects.toThrow(
    new OptionError(`compile: autotune is ${shown}. Give autotune() of gradus/autotune.`),
  );
});

test("the version in the key of a store is that of the package", () => {
  expect(VERSION).toBe(JSON.parse(readFileSync("package.json", "utf8")).version);
});
