// npm run test:deno, test:node and test:firefox: runs the tests of the GPU and the stories in another runtime.

import { writeFileSync } from "node:fs";
import { prepareFile } from "../../demo/command-line.ts";
import { openProcess } from "../../demo/runtime-process.ts";
import type { Losses } from "./losses.ts";
import { chooseFiles, help, type Options, options, type Runtime } from "./options.ts";
import type { Report } from "./report.ts";
import { type Opener, runTests } from "./run.ts";
import type { TestResult } from "./suite.ts";

/** Firefox reads back every 100 ms, so that a step that is waited for takes as long. */
const MINUTES = { chromium: 2, deno: 2, node: 2, firefox: 10 } as const;

async function openerOf(runtime: Runtime, script: string | undefined): Promise<Opener> {
  if (runtime === "deno" || runtime === "node") {
    const path = script ?? (await (await import("./bundle.ts")).bundleTests("process"));
    return (heard) => openProcess(runtime, path, heard);
  }
  const path = await (await import("./bundle.ts")).bundleTests("page");
  const { openBrowser } = await import("./browser.ts");
  return (heard) => openBrowser(runtime, path, heard);
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

async function run({ runtime, json, script, filters, short, lossesAlone }: Options): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(130);
      console.log("Stopping. Ctrl-C again quits at once.");
      stop.abort(new Error("it was stopped."));
    });
  }
  const results: TestResult[] = [];
  const began = Date.now();
  let told: { readonly version: string; readonly adapter: string } | undefined;
  let failure = "";
  let losses: Losses | undefined;
  try {
    const ran = await runTests(
      await openerOf(runtime, script),
      {
        choose: (files) => chooseFiles(files, { filters, short, lossesAlone }),
        timeout: MINUTES[runtime] * 60_000,
        signal: stop.signal,
      },
      {
        opened(version, { name, software }) {
          told = { version, adapter: name };
          console.log(
            `${version} on ${name}${software ? ": a software adapter, on which a CPU does the work of a GPU" : ""}`,
          );
        },
        file: (file, at, of) => console.log(`[${at + 1}/${of}] ${file}`),
        ended(result) {
          results.push(result);
          if (!result.passed)
            console.log(`  FAILED ${result.test}\n${result.errors.join("\n").replace(/^/gm, "    ")}`);
          else if (result.milliseconds > 1000) console.log(`  ${result.test}: ${seconds(result.milliseconds)}`);
        },
      },
    );
    losses = ran.losses;
  } catch (error) {
    failure = (error as Error).message;
    console.error(`test:${runtime}: ${failure}`);
  }
  const failed = results.filter(({ passed }) => !passed);
  const passed = results.length - failed.length;
  const failures = failed.map(({ file, test, errors }) => ({ file, test, errors }));
  const count = failed.length + (failure === "" ? 0 : 1);
  if (json !== undefined) {
    const form = lossesAlone ? "losses" : filters.length > 0 ? "part" : short ? "short" : "whole";
    const end = { ...(failure === "" ? {} : { failure }), ...(losses === undefined ? {} : { losses }) };
    const report: Report = {
      runtime,
      ...told,
      form,
      passed,
      failed: count,
      seconds: (Date.now() - began) / 1000,
      failures,
      ...end,
    };
    writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  }
  for (const { file, test } of failures) console.log(`FAILED ${file} > ${test}`);
  console.log(`${passed} passed, ${count} failed`);
  return stop.signal.aborted ? 130 : count === 0 && (passed > 0 || lossesAlone) ? 0 : 1;
}

function fail(error: unknown): never {
  console.error(`test: ${(error as Error).message}`);
  process.exit(2);
}

let chosen: Options;
try {
  chosen = options();
  if (chosen.json !== undefined) prepareFile("--json", chosen.json);
} catch (error) {
  fail(error);
}
if (chosen.help) console.log(help);
else if (chosen.bundle !== undefined) {
  const { bundleCommand } = await import("./bundle.ts");
  await bundleCommand(chosen.bundle).catch(fail);
} else process.exit(await run(chosen));
