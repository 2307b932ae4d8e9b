// The library build and the tests. The demo has a configuration of its own, which needs nothing of what the tests need.

import { availableParallelism } from "node:os";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { browserArguments, findBrowser } from "./demo/browser.ts";
import { pureCalls } from "./demo/build/pure-calls.ts";
import { shorterShaders } from "./demo/build/shorter-shaders.ts";
import { sideBySide } from "./demo/build/side-by-side.ts";
import { dataServer } from "./demo/data-server.ts";
import { mnistServer } from "./demo/mnist-server.ts";
import { textServer } from "./demo/text-server.ts";

export default defineConfig(async () => ({
  build: {
    lib: { entry: "src/index.ts", formats: ["es" as const], fileName: "gradus" },
    target: "es2022",
    emptyOutDir: true,
    rolldownOptions: { output: { minify: true, comments: { annotation: true, jsdoc: false, legal: false } } },
  },
  plugins: [shorterShaders(), sideBySide(), pureCalls()],
  test: process.env.VITEST === undefined ? {} : { projects: [nodeTests, pageTests, ...(await browserTests())] },
}));

/** What needs no GPU, before all else. Then kernels, stories and pages beside each other: the GPU of a software browser is one thread, each has its own. */
const nodeTests = {
  test: {
    name: "node",
    include: ["test/node/**/*.test.ts"],
    sequence: { groupOrder: 0 },
    testTimeout: 60_000,
    isolate: false, // modules are read once in each worker
    maxWorkers: availableParallelism(), // the default leaves one processor of two without work
  },
};

/** Commands and pages as a user meets them, in browsers that the tests start themselves. */
const pageTests = {
  test: {
    name: "page",
    include: ["test/page/**/*.test.ts"],
    sequence: { groupOrder: 1 },
    testTimeout: 240_000,
    hookTimeout: 240_000,
    fileParallelism: false,
  },
};

/** One page for all files of each, whose stories share a device: what one has compiled the next finds ready. */
async function browserTests() {
  const launchOptions = { executablePath: await findBrowser(), args: browserArguments({ software: true }) };
  return ["gpu", "stories"].map((name) => ({
    plugins: [mnistServer(), textServer(), dataServer()],
    optimizeDeps: { include: ["fast-check", "wgsl-preprocessor/wgsl-preprocessor.js"] },
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      sequence: { groupOrder: 1 },
      testTimeout: 240_000,
      hookTimeout: 240_000,
      fileParallelism: false,
      isolate: false,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions }),
        instances: [{ browser: "chromium" as const }],
      },
    },
  }));
}
