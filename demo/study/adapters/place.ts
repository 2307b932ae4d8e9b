// Where the study trains: in a page of Chromium, or in a process of Deno or Node.

import type { Adapter } from "../../adapter.ts";
import type { Runtime } from "../../train/place.ts";
import type { Files } from "./networks.ts";
import type { Request, Task, TaskName, Tuned } from "./plan.ts";

/** Who trains. */
export interface Bench {
  open(name: TaskName, files: Files): Promise<void>;
  untuned(task: Task): Promise<number>;
  tune(request: Request): Promise<Tuned>;
}

/** Hands a bench to `run` and closes it whatever happens. */
export async function withBench(
  runtime: Runtime,
  run: (bench: Bench, adapter: Adapter) => Promise<void>,
): Promise<void> {
  if (runtime === "chromium") {
    const { withPage } = await import("../../session.ts");
    return withPage("study/adapters", async (page, adapter) => {
      await page.waitForFunction(() => globalThis.tuneNetwork !== undefined);
      const bench: Bench = {
        open: (...words) => page.evaluate((given) => globalThis.openNetwork(...given), words),
        untuned: (task) => page.evaluate((given) => globalThis.untunedNetwork(given), task),
        tune: (request) => page.evaluate((given) => globalThis.tuneNetwork(given), request),
      };
      await run(bench, adapter);
    });
  }
  const [{ makeBundle }, { openProcess }] = await Promise.all([
    import("../../bundle.ts"),
    import("../../runtime-process.ts"),
  ]);
  const entry = "demo/study/adapters/process.ts";
  const script = await makeBundle({ entry, kind: "process", external: ["webgpu"] });
  const { adapter, call, close } = await openProcess(runtime, script, {});
  try {
    const bench: Bench = {
      open: (name, files) => call("openNetwork", name, files),
      untuned: (task) => call("untunedNetwork", task),
      tune: (request) => call("tuneNetwork", request),
    };
    await run(bench, adapter);
  } finally {
    await close();
  }
}
