// Where a study trains: in a page of Chromium, made of a folder's page.ts, or in a process of Deno or Node, of its process.ts.

import type { Adapter } from "../adapter.ts";
import type { Runtime } from "../train/place.ts";

/** Calls a function of the page or process by its name. */
export type Call = <T>(name: string, ...values: readonly unknown[]) => Promise<T>;

/** Opens a folder of demo/ whose page has the function `ready` last, hands its functions to `run`, and closes it whatever happens. */
export async function withCalls(
  runtime: Runtime,
  { folder, ready }: { readonly folder: string; readonly ready: string },
  run: (call: Call, adapter: Adapter) => Promise<void>,
): Promise<void> {
  if (runtime === "chromium") {
    const { withPage } = await import("../session.ts");
    return withPage(folder, async (page, adapter) => {
      await page.waitForFunction((name) => name in globalThis, ready);
      const call: Call = (name, ...values) =>
        page.evaluate(
          ([called, given]) => (globalThis as unknown as Record<string, Called>)[called]?.(...given) as never,
          [name, values] as const,
        );
      await run(call, adapter);
    });
  }
  const [{ makeBundle }, { openProcess }] = await Promise.all([
    import("../bundle.ts"),
    import("../runtime-process.ts"),
  ]);
  const script = await makeBundle({ entry: `demo/${folder}/process.ts`, kind: "process", external: ["webgpu"] });
  const { adapter, call, close } = await openProcess(runtime, script, {});
  try {
    await run((name, ...values) => call(name, ...values), adapter);
  } finally {
    await close();
  }
}

type Called = (...values: readonly unknown[]) => unknown;
