// The commands that run the tests in other runtimes: their words, their bundle's pieces, and when losses agree.

import { expect, test } from "vitest";
import { decode, encode } from "../../demo/channel.ts";
import { disagreements } from "../runtime/agreement.ts";
import { chooseFiles, options } from "../runtime/options.ts";
import { runTests } from "../runtime/run.ts";

const nothing = {
  filters: [],
  short: false,
  lossesAlone: false,
  json: undefined,
  script: undefined,
  bundle: undefined,
};

test.each([
  [["deno"], {}],
  [["node", "golden", "gpu/sgd"], { runtime: "node", filters: ["golden", "gpu/sgd"] }],
  [["firefox", "--short", "golden"], { runtime: "firefox", short: true, filters: ["golden"] }],
  [["node", "--json", "out.json", "--losses"], { runtime: "node", json: "out.json", lossesAlone: true }],
  [["node", "--json", "out.json", "golden"], { runtime: "node", json: "out.json", filters: ["golden"] }],
])("%j is read", (words, wanted) => {
  expect(options(words)).toEqual({ ...nothing, runtime: "deno", help: false, ...wanted });
});

test.each([
  [["bun"], '"bun" is no runtime: give chromium, firefox, deno, node.'],
  [[], '"" is no runtime'],
  [["deno", "--shrot"], "there is no option --shrot. See --help."],
  [["deno", "--json"], "--json: its value is missing."],
  [["firefox", "--script", "a.mjs"], "--script: it is for Deno and Node"],
])("%j is refused", (words, text) => {
  expect(() => options(words)).toThrow(text);
});

test("files are chosen by parts of their paths, and a part that none holds is refused", () => {
  const all = ["test/gpu/norm.test.ts", "test/gpu/sgd.test.ts", "test/stories/golden.test.ts"];
  const choose = (more: object) => chooseFiles(all, { ...nothing, ...more });
  expect(choose({})).toEqual(all);
  expect(choose({ filters: ["sgd", "stories"] })).toEqual(all.slice(1));
  expect(choose({ short: true })).toEqual([all[0], all[2]]);
  expect(choose({ lossesAlone: true })).toEqual([]);
  expect(() => choose({ filters: ["sgd", "haed"] })).toThrow('no file of test/gpu or test/stories holds "haed".');
});

test("what JSON does not know comes through the channel", () => {
  const line = {
    id: 3,
    name: "call",
    values: [Number.NaN, Number.NEGATIVE_INFINITY, Uint8Array.of(0, 255), { a: [1.5] }],
  };
  expect(encode(line).split("\n")).toHaveLength(2);
  expect(decode(encode(line).trimEnd())).toEqual(line);
  expect(decode("error: XDG_RUNTIME_DIR is not set")).toBe(undefined);
});

test("losses agree where all runtimes have them, to 1e-5", () => {
  const losses = (first: number, last: number) => ({ losses: { mlp: [first, 1], cnn: [2, last] } });
  expect(disagreements([losses(1, 1), losses(1 + 9e-6, 1)], 2)).toMatchObject([{ agree: true }, { agree: true }]);
  expect(disagreements([losses(1, 1), losses(1, 1.1)], 2)).toMatchObject([{ agree: true }, { agree: false }]);
  expect(disagreements([losses(1, 1), losses(1, Number.NaN)], 2)).toMatchObject([{ agree: true }, { agree: false }]);
  expect(disagreements([losses(1, 1), {}], 2)).toMatchObject([{ agree: false }, { agree: false }]);
});

/** A place whose calls of `runFile` do as told. */
function place(outcomes: (() => Promise<void>)[]) {
  const counts = { opened: 0, renewed: 0, closed: 0 };
  const open = async (heard: Parameters<Parameters<typeof runTests>[0]>[0]) => {
    counts.opened++;
    const calls: Record<string, (...values: never[]) => unknown> = {
      listFiles: () => ["a", "b", "c"],
      lossesHere: () => ({ mlp: [], cnn: [] }),
      async runFile(file: string) {
        heard.began?.(...([file, `test of ${file}`] as never[]));
        await outcomes.shift()?.();
        heard.ended?.(...([{ file, test: `test of ${file}`, passed: true, milliseconds: 1, errors: [] }] as never[]));
      },
    };
    return {
      adapter: { name: "none", software: true },
      version: "Test 1",
      call: async <T>(name: string, ...values: readonly unknown[]) => calls[name]?.(...(values as never[])) as T,
      renew: async () => void counts.renewed++,
      close: () => void counts.closed++,
    };
  };
  return { open, counts };
}

const silent = { opened: () => undefined, file: () => undefined, ended: () => undefined };
const settings = { choose: (files: readonly string[]) => files, timeout: 1000, signal: new AbortController().signal };

test("a runtime that dies in a test has failed it, and the other files run", async () => {
  const { open, counts } = place([async () => undefined, () => Promise.reject(new Error("SIGABRT"))]);
  const { results } = await runTests(open, settings, silent);
  expect(results.map(({ file, passed }) => [file, passed])).toEqual([
    ["a", true],
    ["b", false],
    ["c", true],
  ]);
  expect(results[1]).toMatchObject({ test: "test of b", errors: [expect.stringContaining("SIGABRT")] });
  expect(counts).toEqual({ opened: 2, renewed: 3, closed: 2 });
});

test("a run that is stopped ends with the place closed", async () => {
  const stop = new AbortController();
  const { open, counts } = place([async () => stop.abort(new Error("it was stopped."))]);
  await expect(runTests(open, { ...settings, signal: stop.signal }, silent)).rejects.toThrow("it was stopped.");
  expect(counts.closed).toBeGreaterThan(0);
});
