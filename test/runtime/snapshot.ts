// Snapshots where tests run in a bundle: the stored texts are part of it, they are compared as Vitest compares them, and
// none is ever written, so that one that is missing fails its test.

import type { ChaiPlugin } from "@vitest/expect";
import { format } from "@vitest/pretty-format";
import { getCurrentTest } from "@vitest/runner";
import { getSerializers, stripSnapshotIndentation } from "@vitest/snapshot";

const files = import.meta.glob<string>("../{gpu,stories}/__snapshots__/*.snap", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** The texts of a file of snapshots by their key. It is a script that assigns to `exports`. */
function stored(testFile: string): Readonly<Record<string, string>> {
  const name = testFile.slice(testFile.lastIndexOf("/") + 1);
  const text = Object.entries(files).find(([path]) => path.endsWith(`/${name}.snap`))?.[1] ?? "";
  const found: Record<string, string> = {};
  new Function("exports", text)(found);
  return found;
}

const shown = (value: unknown): string =>
  format(value, {
    escapeRegex: true,
    escapeString: false,
    printFunctionName: false,
    printBasicPrototype: false,
    plugins: getSerializers(),
  }).trim();

/** How often each key was asked for, by test: the same one gets a number. */
const asked = new WeakMap<object, Map<string, number>>();

function storedFor(hint: string | undefined): string | undefined {
  const test = getCurrentTest();
  if (test === undefined) throw new Error("toMatchSnapshot: there is no test.");
  const key = hint === undefined ? test.fullTestName : `${test.fullTestName} > ${hint}`;
  const counts = asked.get(test) ?? new Map<string, number>();
  asked.set(test, counts);
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return stored(test.file.filepath)[`${key} ${count}`]?.trim();
}

/** What a function throws; an error that was awaited is there already. */
function thrown(value: unknown): unknown {
  if (typeof value !== "function") return value;
  try {
    value();
  } catch (error) {
    return error;
  }
  return undefined;
}

export const snapshotMatchers: ChaiPlugin = (chai, { flag }) => {
  type Expected = (text?: string) => string | undefined;
  const define = (name: string, expected: Expected, found = (value: unknown): unknown => value): void => {
    chai.util.addMethod(chai.Assertion.prototype, name, function (this: object, text?: string) {
      const [got, wanted] = [shown(found(flag(this, "object"))), expected(text)];
      if (got === wanted) return;
      throw new Error(`The snapshot differs.\nstored: ${wanted ?? "none"}\nfound:  ${got}`);
    });
  };
  define("toMatchSnapshot", storedFor);
  const inline: Expected = (text = "") => stripSnapshotIndentation(text).trim();
  define("toMatchInlineSnapshot", inline);
  define("toThrowErrorMatchingInlineSnapshot", inline, thrown);
};
