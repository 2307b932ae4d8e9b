// A page in a headless browser, for as long as a function needs it: one script, made of a folder's page.ts, and the data
// of the tasks. Browser and server are closed whatever happens to that function.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright";
import type { Adapter } from "./adapter.ts";
import { adapterOf, launchBrowser } from "./browser.ts";
import { makeBundle } from "./bundle.ts";
import { answerMnist } from "./mnist-server.ts";
import { addressOf } from "./site/serve.ts";
import { answerText } from "./text-server.ts";

const html = `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <title>Gradus</title>
  <link rel="icon" href="data:," />
  <p>Started by a command, which works in this page.</p>
  <script type="module" src="page.js"></script>
</html>`;

/** The script of a folder of demo/: hundreds of modules, each asked for by itself, would take seconds. */
async function scriptOf(folder: string): Promise<string> {
  const place = mkdtempSync(join(tmpdir(), "gradus-page-"));
  try {
    return readFileSync(await makeBundle({ entry: `demo/${folder}/page.ts`, kind: "page", folder: place }), "utf8");
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** Serves page, script and data to this machine alone. */
async function serve(script: string): Promise<Server> {
  const files = new Map([
    ["/", { type: "text/html", text: html }],
    ["/page.js", { type: "text/javascript", text: script }],
  ]);
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? "");
    if (file !== undefined) response.writeHead(200, { "content-type": `${file.type}; charset=utf-8` }).end(file.text);
    else {
      const none = () => response.writeHead(404).end();
      answerMnist(request, response, () => answerText(request, response, none));
    }
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "localhost", resolve));
  return server;
}

/** Starts browser and server, opens the page of a folder of demo/, and hands it to `run`. */
export async function withPage<T>(folder: string, run: (page: Page, adapter: Adapter) => Promise<T>): Promise<T> {
  const script = scriptOf(folder); // is made while the browser starts
  const browser = await launchBrowser();
  let server: Server | undefined;
  try {
    server = await serve(await script);
    const adapter = (await adapterOf(browser)) as Adapter; // launched, so it has one
    const page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") console.error(`\npage: ${message.text()}`);
    });
    await page.goto(addressOf(server));
    return await run(page, adapter);
  } finally {
    await browser.close();
    server?.close();
  }
}
