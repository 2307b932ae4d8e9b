// npm run ops: runs the tests that try ops one by one and prints what they tell, a row for each op.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Reporter, TestCase } from "vitest/node";
import { originOf } from "../../demo/origin.ts";
import { help, type Options, options } from "./options.ts";
import { isWhole, printed, summary, type Test, tableOf } from "./table.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What tries ops one by one. */
const files = [
  "test/node/op-table.test.ts",
  "test/node/gradient.test.ts",
  "test/gpu/op.test.ts",
  "test/gpu/metrics.test.ts",
];

/** On a terminal a line that the next one replaces. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}

/** Gathers what tests tell, and says what is wrong as it comes. */
function gather(only: string) {
  const tests: Test[] = [];
  const errors: string[] = [];
  let adapter = "";
  const say = (text: string): void => {
    progress("");
    console.log(text);
  };
  const reporter: Reporter = {
    onTestCaseResult(test: TestCase) {
      const { told } = test.meta();
      adapter = told?.adapter ?? adapter;
      const result = test.result();
      if (result.state === "failed") say(`${test.fullName}: ${result.errors[0]?.message}`);
      if (told === undefined || !told.op.includes(only)) return;
      tests.push({ told, passed: result.state === "passed" });
      progress(`${tests.length} tests, now ${told.op}`);
    },
    onTestRunEnd(_, unhandled) {
      progress("");
      for (const { message } of unhandled) errors.push(message);
    },
  };
  return { reporter, tests, errors, adapter: () => adapter };
}

/** The exit code. */
async function walk({ only, json }: Options): Promise<number> {
  process.env.VITEST ??= "true"; // the configuration asks for it
  const { startVitest } = await import("vitest/node");
  const { reporter, tests, errors, adapter } = gather(only);
  const vitest = await startVitest("test", files, {
    ...{ root, watch: false, reporters: [reporter], silent: true },
    ...(only !== "" && { testNamePattern: only }),
  });
  await vitest.close();
  process.exitCode = 0; // Vitest's own; ours is below
  const rows = tableOf(tests);
  console.log(printed(rows));
  console.log(summary(rows));
  for (const error of errors) console.error(`ops: ${error}`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ ...originOf(adapter()), rows }, null, 2)}\n`);
  if (rows.length === 0) console.error(`ops: no op has "${only}" in its name.`);
  return rows.length > 0 && rows.every(isWhole) && errors.length === 0 ? 0 : 1;
}

let chosen: Options;
try {
  chosen = options();
} catch (error) {
  console.error(`ops: ${(error as Error).message}`);
  process.exit(2);
}
if (chosen.help) console.log(help);
else process.exit(await walk(chosen));
