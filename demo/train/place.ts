// Where the training runs: in a page of Chromium, or in a process of Deno or Node.

import type { Adapter } from "../adapter.ts";
import type { Tick } from "./meter.ts";
import type { Task, Tested, Trained } from "./page.ts";

export const runtimes = ["chromium", "deno", "node"] as const;
export type Runtime = (typeof runtimes)[number];

export interface Place {
  readonly adapter: Adapter;
  train(task: Task): Promise<Trained>;
  /** Ends the training after the steps under way. */
  stop(): Promise<void>;
  test(): Promise<Tested>;
}

/** Hands a place to `run` and closes it whatever happens; `show` hears where the training stands. */
export async function withPlace(
  runtime: Runtime,
  show: (tick: Tick) => void,
  run: (place: Place) => Promise<void>,
): Promise<void> {
  if (runtime === "chromium") {
    const { withPage } = await import("../session.ts");
    return withPage("train", async (page, adapter) => {
      await page.exposeFunction("showProgress", show);
      await run({
        adapter,
        train: (task) => page.evaluate((given) => globalThis.trainNetwork(given), task),
        stop: () => page.evaluate(() => globalThis.stopTraining()),
        test: () => page.evaluate(() => globalThis.testNetwork()),
      });
    });
  }
  const [{ makeBundle }, { openProcess }] = await Promise.all([
    import("../bundle.ts"),
    import("../runtime-process.ts"),
  ]);
  const script = await makeBundle({ entry: "demo/train/process.ts", kind: "process", external: ["webgpu"] });
  const { adapter, call, close } = await openProcess(runtime, script, { showProgress: show });
  try {
    await run({
      adapter,
      train: (task) => call("trainNetwork", task),
      stop: () => call("stopTraining"),
      test: () => call("testNetwork"),
    });
  } finally {
    await close();
  }
}
