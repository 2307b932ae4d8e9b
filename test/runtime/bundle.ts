// The tests as one script, with this folder's `vitest` in the place of Vitest's own.

import { fileURLToPath } from "node:url";
import { type BundleSettings, makeBundle } from "../../demo/bundle.ts";

const vitest = fileURLToPath(new URL("vitest.ts", import.meta.url));

/** For a process or a page; gives the path of the script. */
export const bundleTests = (kind: BundleSettings["kind"], more: Pick<BundleSettings, "folder"> = {}): Promise<string> =>
  makeBundle({ entry: `test/runtime/${kind}.ts`, kind, external: ["webgpu"], alias: { vitest }, ...more });

/** The tests and the command that runs them as two scripts, for a machine without packages but webgpu. */
export async function bundleCommand(folder: string): Promise<void> {
  await bundleTests("process", { folder });
  const absent = fileURLToPath(new URL("absent.ts", import.meta.url));
  const alias = Object.fromEntries(["vite", "playwright", "puppeteer-core"].map((name) => [name, absent]));
  await makeBundle({ entry: "test/runtime/main.ts", kind: "process", alias, folder });
}
