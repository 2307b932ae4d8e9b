// A page in a headless browser, served by Vite, for as long as a function needs it. Browser and server are closed
// whatever happens to that function.

import { fileURLToPath } from "node:url";
import type { Page } from "playwright";
import { createServer, type ViteDevServer } from "vite";
import type { Adapter } from "./adapter.ts";
import { adapterOf, launchBrowser } from "./browser.ts";
import { mnistServer } from "./mnist-server.ts";
import { textServer } from "./text-server.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));

/** Serves a folder of demo/. */
function serve(folder: string): Promise<ViteDevServer> {
  return createServer({
    configFile: false,
    root: `${repository}demo/${folder}`,
    cacheDir: `${repository}node_modules/.vite/${folder}`,
    logLevel: "warn",
    plugins: [mnistServer(), textServer()],
    // A reload would end the training: nothing is watched, and dependencies are known before the page asks for them.
    server: { hmr: false, watch: null, fs: { allow: [repository] } },
    optimizeDeps: { include: ["wgsl-preprocessor/wgsl-preprocessor.js"] },
  });
}

/** Starts browser and server, opens the page of a folder of demo/, and hands it to `run`. */
export async function withPage<T>(folder: string, run: (page: Page, adapter: Adapter) => Promise<T>): Promise<T> {
  const browser = await launchBrowser();
  let server: ViteDevServer | undefined;
  try {
    server = await serve(folder);
    await server.listen();
    const adapter = (await adapterOf(browser)) as Adapter; // launched, so it has one
    const page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") console.error(`\npage: ${message.text()}`);
    });
    await page.goto(server.resolvedUrls?.local[0] ?? "");
    return await run(page, adapter);
  } finally {
    await browser.close();
    await server?.close();
  }
}
