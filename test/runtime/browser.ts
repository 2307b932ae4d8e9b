// A page of Chromium or Firefox as a place to run the bundle of tests in, served from a folder with the digits beside it.

import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { Adapter } from "../../demo/adapter.ts";
import { launchBrowser } from "../../demo/browser.ts";
import { dataFile, dataFiles } from "../../demo/data.ts";
import { launchFirefox } from "../../demo/firefox.ts";
import { mnistFolder } from "../../demo/mnist-files.ts";
import type { Heard, RuntimeProcess } from "../../demo/runtime-process.ts";
import { textFile } from "../../demo/text-files.ts";

export type BrowserRuntime = "chromium" | "firefox";

/** What both drivers have. */
interface Driven {
  readonly version: string;
  expose(name: string, answer: (name: string, ...values: never[]) => void): Promise<unknown>;
  goto(url: string): Promise<unknown>;
  call(name: string, values: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

async function chromium(): Promise<Driven> {
  const browser = await launchBrowser({ software: true });
  const page = await browser.newPage();
  return {
    version: `Chromium ${browser.version()}`,
    expose: (name, answer) => page.exposeFunction(name, answer),
    goto: (url) => page.goto(url),
    call: (name, values) =>
      page.evaluate(([to, all]) => globalThis.answers[to]?.(...(all as never[])), [name, values] as const),
    close: () => browser.close(),
  };
}

async function firefox(): Promise<Driven> {
  const browser = await launchFirefox();
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  return {
    version: (await browser.version()).replace(/^firefox\//i, "Firefox "),
    expose: (name, answer) => page.exposeFunction(name, answer),
    goto: (url) => page.goto(url),
    call: (name, values) => page.evaluate((to, all) => globalThis.answers[to]?.(...(all as never[])), name, values),
    close: () => browser.close(),
  };
}

/** Serves the script, a page for it, the digits, the text and networks of others. */
async function serve(script: string) {
  const folders: Readonly<Record<string, readonly [type: string, path: (name: string) => string]>> = {
    mnist: ["application/octet-stream", (name) => join(mnistFolder(), name)],
    text: ["text/plain; charset=utf-8", textFile],
    tests: ["text/javascript", (name) => join(dirname(script), name)],
  };
  const server = createServer((request, response) => {
    const [, folder = "", name = ""] = /^\/([a-z]+)\/([a-z0-9.-]+)$/.exec(request.url ?? "") ?? [];
    const [type, pathOf] = folders[folder] ?? [];
    const path = pathOf?.(name);
    const foreign = dataFiles.find((one) => request.url === `/data/${one.path}`);
    if (foreign !== undefined) {
      dataFile(foreign.path).then(
        (bytes) => response.setHeader("content-type", "application/octet-stream").end(bytes),
        ({ message }: Error) => response.writeHead(500).end(message),
      );
    } else if (request.url === "/") {
      response
        .setHeader("content-type", "text/html")
        .end(
          '<!doctype html><link rel="icon" href="data:,"><title>Tests</title><script type="module" src="/tests/test-runtime-page.mjs"></script>',
        );
    } else if (type === undefined || path === undefined || !existsSync(path)) response.writeHead(404).end();
    else createReadStream(path).pipe(response.setHeader("content-type", type));
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return { url: `http://localhost:${(server.address() as AddressInfo).port}/`, server };
}

/** Opens the page of `script` in a browser; `heard` hears what it tells. */
export async function openBrowser(runtime: BrowserRuntime, script: string, heard: Heard): Promise<RuntimeProcess> {
  const { url, server } = await serve(script);
  const browser = await { chromium, firefox }[runtime]().catch((error) => {
    server.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await browser.close();
  };
  try {
    await browser.expose("tell", (name, ...values) => heard[name]?.(...values));
    await browser.goto(url);
    const call = <T>(name: string, ...values: readonly unknown[]) => browser.call(name, values) as Promise<T>;
    const { adapter } = await call<{ adapter: Adapter | null }>("adapterHere");
    if (adapter === null) throw new Error(`${browser.version}: WebGPU found no adapter. Update the graphics driver.`);
    const renew = async (): Promise<void> => void (await browser.goto(url));
    return { adapter, version: browser.version, call, renew, close };
  } catch (error) {
    await close();
    throw error;
  }
}
