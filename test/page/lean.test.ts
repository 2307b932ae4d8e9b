// What a training step leaves to the garbage collector: Gradus' own part of a heap profile of 1,000 steps, in the file as a page
// meets it. Every method of WebGPU is called through a function of the page, so that the objects that the browser makes there
// (encoders, passes, command buffers, promises, mapped ranges) count as the page's; all else that is made below a function of
// Gradus is ours: objects, strings, closures, promises, and what builtins make for us.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, CDPSession, Page } from "playwright";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../../demo/browser.ts";

/** Runs in the page, before Gradus is there. */
const apart = `
/** Too long to become a part of its caller in compiled code, where the profile would not tell the two apart. */
function apart(method) {
  return function (...args) {
    let never = this === undefined ? 1 : 0;
    if (never !== 0) { ${"never = (never * 7 + 3) % 11; ".repeat(100)} }
    return never === 0 ? method.apply(this, args) : never;
  };
}
for (const name of Object.getOwnPropertyNames(globalThis).filter((name) => name.startsWith("GPU"))) {
  const proto = globalThis[name].prototype ?? {};
  for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
    if (key !== "constructor" && typeof value === "function") proto[key] = apart(value);
  }
}`;

/** A model of several layers at rates of their own, and data of which an epoch has 4,000 steps. */
const page = `
import { adamw, compile, cosineAnnealingLR, crossEntropy, dense, layerDecay, relu, sequential } from "/gradus.js";
const model = sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(4) });
const trainer = await compile(model, {
  input: [4], batch: 4, loss: crossEntropy(),
  optimizer: adamw({ lr: 1e-3 }), rates: layerDecay(0.75), schedule: cosineAnnealingLR({ steps: 1e6 }),
});
const x = Float32Array.from({ length: 16000 * 4 }, (_, i) => Math.sin(i));
const data = trainer.upload({ x, y: Uint8Array.from({ length: 16000 }, (_, i) => i % 4) });
// An order is made once an epoch and not in a step, so the samples stay in theirs.
globalThis.train = async (options) => void (await trainer.fit(data, { ...options, shuffle: false }));
`;

const folder = mkdtempSync(join(tmpdir(), "gradus-lean-"));
let server: Server;
let browser: Browser;
let tab: Page;
let profiler: CDPSession;

beforeAll(async () => {
  // Function by function: what is minified into one is told as one.
  const lib = { entry: "src/index.ts", formats: ["es" as const], fileName: "gradus" };
  await build({
    configFile: false,
    logLevel: "error",
    build: { outDir: folder, minify: false, target: "es2022", lib },
  });
  const files: Record<string, string> = {
    "/gradus.js": readFileSync(join(folder, "gradus.js"), "utf8"),
    "/apart.js": apart,
    "/page.js": page,
  };
  server = createServer((request, response) => {
    const file = files[request.url ?? ""];
    response.setHeader("content-type", file === undefined ? "text/html" : "text/javascript");
    response.end(
      file ?? `<!doctype html><script src="/apart.js"></script><script type="module" src="/page.js"></script>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await launchBrowser({ software: true });
  tab = await browser.newPage();
  await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await tab.waitForFunction(() => "train" in globalThis);
  profiler = await tab.context().newCDPSession(tab);
  await profiler.send("HeapProfiler.enable");
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true });
});

interface Node {
  readonly callFrame: { readonly url: string };
  readonly selfSize: number;
  readonly children: readonly Node[];
}

/** Bytes made below functions of Gradus; builtins, which have no file, work for whoever calls them. */
function ours({ callFrame: { url }, selfSize, children }: Node, caller = false): number {
  const own = url === "" ? caller : url.endsWith("/gradus.js");
  return children.reduce((sum, child) => sum + ours(child, own), own ? selfSize : 0);
}

/** Bytes that Gradus makes in a step of a fit, after so many steps that its code is compiled. */
async function bytesAStep(warm: number, options: object): Promise<number> {
  const train = (steps: number) =>
    tab.evaluate((given) => (globalThis as unknown as { train(options: object): Promise<void> }).train(given), {
      ...options,
      steps,
    });
  await train(warm);
  await profiler.send("HeapProfiler.startSampling", {
    samplingInterval: 256,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  await train(1000);
  const { profile } = await profiler.send("HeapProfiler.stopSampling");
  return ours(profile.head as Node) / 1000;
}

// What a submission costs, promises for the most part, is shared by its steps.
test.each([
  ["1 kB where steps share submissions", 1000, 8000, {}],
  ["6 kB where each is a submission of its own and waited for", 6000, 2000, { lockstep: true }],
])("a step leaves at most %s", async (_, most, warm, options) => {
  const bytes = await bytesAStep(warm, options);
  console.log(`${bytes.toFixed(0)} bytes a step`);
  expect(bytes).toBeGreaterThan(100); // else the profile has lost sight of them
  expect(bytes).toBeLessThan(most);
});
