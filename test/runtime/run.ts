// Runs files of tests, each in a process or page of its own. One that dies has failed the test that it died of, and the next
// file gets another.

import type { Adapter } from "../../demo/adapter.ts";
import type { Heard, RuntimeProcess } from "../../demo/runtime-process.ts";
import type { Losses } from "./losses.ts";
import type { TestResult } from "./suite.ts";

export interface Ran {
  readonly version: string;
  readonly adapter: Adapter;
  readonly results: readonly TestResult[];
  readonly losses: Losses;
}

/** What a run shows while it goes on. */
export interface Watcher {
  opened(version: string, adapter: Adapter): void;
  file(file: string, at: number, of: number): void;
  ended(result: TestResult): void;
}

export type Opener = (heard: Heard) => Promise<RuntimeProcess>;

export interface RunSettings {
  readonly choose: (files: readonly string[]) => readonly string[];
  /** Milliseconds for each test. A place that says nothing for twice as long is taken to hang. */
  readonly timeout: number;
  /** Ends the run after the test under way. */
  readonly signal: AbortSignal;
}

export async function runTests(open: Opener, settings: RunSettings, watcher: Watcher): Promise<Ran> {
  const { timeout, signal } = settings;
  const results: TestResult[] = [];
  let current = { file: "", test: "" };
  let heardAt = 0;
  const end = (result: TestResult): void => {
    heardAt = Date.now();
    results.push(result);
    watcher.ended(result);
  };
  const heard: Heard = {
    began(file: string, test: string) {
      heardAt = Date.now();
      current = { file, test };
    },
    ended: end,
  };
  let place: RuntimeProcess | undefined = await open(heard);
  const { version, adapter } = place;
  const stop = () => void place?.close();
  signal.addEventListener("abort", stop);
  const guard = setInterval(() => {
    if (Date.now() - heardAt > 2 * timeout) place?.close();
  }, 1000);
  try {
    watcher.opened(version, adapter);
    heardAt = Date.now();
    const files = settings.choose(await place.call<string[]>("listFiles"));
    for (const [i, file] of files.entries()) {
      watcher.file(file, i, files.length);
      current = { file, test: "the file itself" };
      heardAt = Date.now();
      const started = heardAt;
      try {
        if (place === undefined) place = await open(heard);
        else await place.renew();
        await place.call("runFile", file, timeout);
      } catch (error) {
        signal.throwIfAborted();
        const errors = [`The runtime ended or hung in it: ${(error as Error).message}`];
        end({ ...current, passed: false, milliseconds: Date.now() - started, errors });
        await place?.close();
        place = undefined;
      }
      signal.throwIfAborted();
    }
    heardAt = Date.now();
    if (place === undefined) place = await open(heard);
    else await place.renew();
    const losses = await place.call<Losses>("lossesHere");
    return { version, adapter, results, losses };
  } finally {
    clearInterval(guard);
    signal.removeEventListener("abort", stop);
    await place?.close();
  }
}
