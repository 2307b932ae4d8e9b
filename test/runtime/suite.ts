// The tests of the GPU and the stories as one bundle, and how they run: file by file, telling what came of each test.

import { type File, startTests, type Test, type VitestRunner } from "@vitest/runner";
import type { CaseFile } from "../gpu/cases.ts";
import { lossesHere } from "./losses.ts";

/** The cases of ops by their own files, and not all at once: one that ends the place where it runs fails alone. */
const cases = import.meta.glob<CaseFile>(["../gpu/case/*.ts", "!../gpu/case/metrics.ts", "!../gpu/case/keep.ts"]);
const modules: Readonly<Record<string, () => unknown>> = {
  ...import.meta.glob(["../gpu/**/*.test.ts", "../stories/**/*.test.ts", "!../gpu/op.test.ts"]),
  ...Object.fromEntries(Object.entries(cases).map(([path, load]) => [path, () => run(load)])),
};

/** The harness closes its device after the tests of the file that reads it, so that it is read here and not above. */
async function run(load: () => Promise<CaseFile>): Promise<void> {
  const { testCases } = await import("../gpu/harness.ts");
  testCases((await load()).cases);
}

/** Paths in the repository. */
const pathOf = (module: string): string => module.replace("..", "test");

export interface TestResult {
  readonly file: string;
  /** With the names of the groups that it is in. */
  readonly test: string;
  readonly passed: boolean;
  readonly milliseconds: number;
  /** What was wrong; empty where nothing was. */
  readonly errors: readonly string[];
}

/** What a run tells while it goes on. */
export interface Hearer {
  began(file: string, test: string): void;
  ended(result: TestResult): void;
}

const listFiles = (): string[] => Object.keys(modules).map(pathOf).sort();

/** Runs one file; `timeout` is in milliseconds, for each test. */
async function runFile(file: string, timeout: number, hearer: Hearer): Promise<void> {
  const result = (test: string, { result }: Pick<Test | File, "result">): TestResult => ({
    file,
    test,
    passed: result?.state === "pass",
    milliseconds: result?.duration ?? 0,
    errors: (result?.errors ?? []).map(({ message, stack }) =>
      `${message}\n${stack?.replace(message, "") ?? ""}`.trim(),
    ),
  });
  const runner: VitestRunner = {
    config: {
      root: "test",
      setupFiles: [],
      name: undefined,
      passWithNoTests: false,
      testNamePattern: undefined,
      allowOnly: false,
      sequence: { seed: 0, hooks: "stack", setupFiles: "list" },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: timeout,
      hookTimeout: timeout,
      retry: 0,
      includeTaskLocation: false,
      tags: [],
      tagsFilter: undefined,
      strictTags: true,
    },
    importFile: (path) => modules[path]?.(),
    onBeforeRunTask: (test) => hearer.began(file, test.fullTestName),
    onAfterRunTask: (test) => hearer.ended(result(test.fullTestName, test)),
  };
  const [found] = await startTests([file.replace(/^test/, "..")], runner);
  // A file that could not be read, or whose hooks failed, has errors of its own.
  if (found?.result?.errors?.length) hearer.ended(result("the file itself", found));
}

/** What a bundle answers, whoever calls: a command, or the test of a page. */
export const answersOf = (hearer: Hearer) => ({
  listFiles,
  lossesHere,
  runFile: (file: string, timeout: number) => runFile(file, timeout, hearer),
});
