// npm run yours -- --record: writes demo/yours/recorded.json, the run that the page shows where there is no GPU.

import { spawnSync } from "node:child_process";
import { makeBundle } from "../../demo/bundle.ts";
import { ensureVulkan, swiftshader } from "../../demo/vulkan.ts";

/** Trains in Node, on its software adapter. */
export async function record(): Promise<void> {
  await ensureVulkan();
  const bundle = await makeBundle({ entry: "test/yours/recorder.ts", kind: "process", external: ["webgpu"] });
  const env = { ...process.env, ...(await swiftshader()) };
  const words = [bundle, "demo/yours/recorded.json"];
  const { status } = spawnSync(process.execPath, words, { env, stdio: "inherit" });
  process.exitCode = status ?? 1;
}
