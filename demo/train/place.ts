// Where the training runs: in a page of Chromium, or in a process of Deno or Node.

import type { Tick } from "../../src/callbacks/meter.ts";
import type { Adapter } from "../adapter.ts";
import type { Shown } from "../tasks/task.ts";
import type { Asked, Looked, Opened, Trained } from "./page.ts";

export const runtimes = ["chromium", "deno", "node"] as const;
export type Runtime = (typeof runtimes)[number];

export interface Place {
  readonly adapter: Adapter;
  open(asked: Asked): Promise<Opened>;
  train(): Promise<Trained>;
  /** Ends the training after the steps under way. */
  stop(): Promise<void>;
  test(): Promise<Looked>;
}

/** What a place tells by itself. */
export interface Heard {
  /** Where the training stands. */
  readonly showProgress: (tick: Tick) => void;
  /** What it can do by now. */
  readonly showLook: (shown: Shown) => void;
}

/** Hands a place to `run` and closes it whatever happens. */
export async function withPlace(runtime: Runtime, heard: Heard, run: (place: Place) => Promise<void>): Promise<void> {
  if (runtime === "chromium") {
    const { withPage } = await import("../session.ts");
    return withPage("train", async (page, adapter) => {
      for (const [name, hear] of Object.entries(heard)) await page.exposeFunction(name, hear);
      await run({
        adapter,
        open: (asked) => page.evaluate((given) => globalThis.openTask(given), asked),
        train: () => page.evaluate(() => globalThis.trainTask()),
        stop: () => page.evaluate(() => globalThis.stopTraining()),
        test: () => page.evaluate(() => globalThis.testTask()),
      });
    });
  }
  const [{ makeBundle }, { openProcess }] = await Promise.all([
    import("../bundle.ts"),
    import("../runtime-process.ts"),
  ]);
  const script = await makeBundle({ entry: "demo/train/process.ts", kind: "process", external: ["webgpu"] });
  const { adapter, call, close } = await openProcess(runtime, script, { ...heard });
  try {
    await run({
      adapter,
      open: (asked) => call("openTask", asked),
      train: () => call("trainTask"),
      stop: () => call("stopTraining"),
      test: () => call("testTask"),
    });
  } finally {
    await close();
  }
}
