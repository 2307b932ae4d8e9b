// Where the measurements run: a page of a headless browser that vite serves, or a process of Deno or Node.

import { fileURLToPath } from "node:url";
import { createServer, type Plugin, type ViteDevServer } from "vite";
import type { Adapter } from "../../demo/adapter.ts";
import { adapterOf, launchBrowser } from "../../demo/browser.ts";
import { makeBundle } from "../../demo/bundle.ts";
import { openProcess, type ProcessRuntime } from "../../demo/runtime-process.ts";
import type { Measures } from "./place.ts";
import { hostMemory } from "./stream/memory.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));

export interface Opened {
  readonly adapter: Adapter;
  /** "chromium 156.0". */
  readonly version: string;
  /** Calls what the page, or the process, has by this name, begun anew. */
  readonly call: Measures;
  close(): Promise<void>;
}

const bundled = [
  "@tensorflow/tfjs-core",
  "@tensorflow/tfjs-core/dist/register_all_gradients.js",
  "@tensorflow/tfjs-backend-webgpu",
  "@tensorflow/tfjs-backend-wasm",
  "@jax-js/jax",
];

/** Without peers nothing is bundled: two builds need none of them. */
function serve(peers: boolean, plugins: Plugin[]): Promise<ViteDevServer> {
  return createServer({
    configFile: false,
    root: here,
    plugins,
    logLevel: "warn",
    // A reload in the middle of a measurement would end it: nothing is watched, and the peers, which only
    // dynamic imports reach, are bundled before the page asks for them.
    server: { hmr: false, watch: null, fs: { allow: [repository] } },
    optimizeDeps: peers ? { include: [...bundled] } : { noDiscovery: true },
  });
}

export interface BrowserSettings {
  /** Whether the page imports the peers. */
  readonly peers: boolean;
  readonly plugins: Plugin[];
  readonly path: string;
  readonly progress: (line: string) => void;
}

export async function openBrowser({ peers, plugins, path, progress }: BrowserSettings): Promise<Opened> {
  const browser = await launchBrowser();
  const server = await serve(peers, plugins);
  await server.listen();
  const page = await browser.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") console.error(`\npage: ${message.text()}`);
  });
  await page.exposeFunction("progress", progress);
  await page.exposeFunction("hostMemory", () => hostMemory(browser));
  const call = async (name: string, task: unknown): Promise<unknown> => {
    // Hundreds of modules, one by one, on a machine that may have other work.
    await page.goto(`${server.resolvedUrls?.local[0] ?? ""}${path}`, { timeout: 240_000 });
    return page.evaluate(
      ([key, given]) => (globalThis as never as Record<string, (task: unknown) => unknown>)[key as string]?.(given),
      [name, task] as const,
    );
  };
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await browser.close();
    await server.close();
  };
  return {
    adapter: (await adapterOf(browser)) as Adapter, // launched, so it has one
    version: `${browser.browserType().name()} ${browser.version()}`,
    call: call as Measures,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** In a process there are no peers: their files are left out of the bundle. */
export async function openRuntime(runtime: ProcessRuntime, progress: (line: string) => void): Promise<Opened> {
  const absent = fileURLToPath(new URL("../runtime/absent.ts", import.meta.url));
  const alias = Object.fromEntries(["tfjs", "jax", "tfjs-wasm", "jax-wasm"].map((name) => [`./${name}.ts`, absent]));
  const bundle = await makeBundle({ entry: "test/bench/process.ts", kind: "process", external: ["webgpu"], alias });
  const opened = await openProcess(runtime, bundle, { progress });
  const call = async (name: string, task: unknown): Promise<unknown> => {
    await opened.renew();
    return opened.call(name, task);
  };
  return {
    adapter: opened.adapter,
    version: opened.version,
    call: call as Measures,
    close: async () => opened.close(),
  };
}
