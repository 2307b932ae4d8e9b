// The examples of README, and of pages of the guide, as a reader would run them: each by itself, from the packed file, where its fence says.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../../demo/browser.ts";
import { entries } from "../../demo/build/entries.ts";
import { dataFile, dataFiles } from "../../demo/data.ts";
import { ensureVulkan, swiftshader } from "../../demo/vulkan.ts";
import { type Packed, pack } from "../packed.ts";

/** Texts whose examples are run. */
const files = [
  "rates",
  "data",
  "checkpoints",
  "recovery",
  "branches",
  "callbacks",
  "cohort",
  "fine-tuning",
  "precision",
];
const readme = ["README.md", ...files.map((name) => `docs/${name}.md`)]
  .map((file) => readFileSync(file, "utf8"))
  .join("\n");
const examples = [...readme.matchAll(/^```[jt]s (\w+)\n(.*?)^```$/gms)].map(([, where, code], i) => ({
  where: where as string,
  code: code as string,
  name: `${where}, ${i}`,
}));

/** What the text around the examples calls `x` and `y`: images of digits, and their classes. */
const prelude =
  "globalThis.x = Uint8Array.from({ length: 192 * 784 }, (_, i) => (i * i) % 256); globalThis.y = Uint8Array.from({ length: 192 }, (_, i) => i % 10);";
/** The module that a page of the examples trains in a worker. */
const model = examples.find(({ where }) => where === "model")?.code ?? "";
/** A worker has no import map. */
const resolved = (text: string): string =>
  text.replace('from "gradus"', 'from "./gradus.js"').replace(/from "gradus\/(\w+)"/g, 'from "./$1.js"');

let packed: Packed;
let server: Server;
let browser: Browser;
let code = "";

beforeAll(async () => {
  packed = await pack();
  const file = readFileSync(join(packed.folder, "dist/gradus.js"), "utf8");
  server = createServer(({ url = "" }, response) => {
    response.setHeader("content-type", url.endsWith(".js") ? "text/javascript" : "text/html");
    if (url === "/gradus.js") response.end(file);
    else if (entries.some((name) => url === `/${name}.js`))
      response.end(readFileSync(join(packed.folder, "dist", url)));
    else if (dataFiles.some(({ path }) => url === `/${path}`))
      dataFile(url.slice(1)).then((bytes) => response.end(bytes));
    else if (url === "/example.js") response.end(resolved(code));
    else if (url === "/model.js") response.end(resolved(model));
    else if (url === "/done.js") response.end(`await import("./example.js"); document.title = "done";`);
    else response.end(`<script>${prelude}</script><script type="module" src="${url.slice(1)}.js"></script>`);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  browser = await launchBrowser({ software: true });
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  packed?.dispose();
});

async function runInBrowser(page: string): Promise<void> {
  const tab = await browser.newPage();
  const errors: string[] = [];
  tab.on("pageerror", ({ message }) => errors.push(message));
  tab.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) errors.push(message.text());
  });
  await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${page}`);
  const over = (): Promise<unknown> =>
    tab.waitForFunction(() => /^(done|failed)/.test(document.title), undefined, { timeout: 1000 });
  for (let i = 0; i < 100 && errors.length === 0; i++)
    if (
      await over().then(
        () => true,
        () => false,
      )
    )
      break;
  const title = await tab.title();
  await tab.close();
  expect(errors).toEqual([]);
  expect(title).toMatch(/^done/);
}

async function runInNode(): Promise<void> {
  await ensureVulkan();
  const folder = mkdtempSync(join(tmpdir(), "gradus-readme-"));
  try {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(packed.folder, join(folder, "node_modules/gradus"));
    symlinkSync(resolve("node_modules/webgpu"), join(folder, "node_modules/webgpu"));
    writeFileSync(join(folder, "example.mjs"), code);
    const env = { ...process.env, ...(await swiftshader()) };
    const out = execFileSync(process.execPath, ["example.mjs"], { cwd: folder, env, encoding: "utf8" });
    expect(out).toMatch(/\(software\) [\d.e-]+\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("there are examples of every kind", () => {
  expect([...new Set(examples.map(({ where }) => where))].sort()).toEqual(["browser", "model", "node"]);
  // What a reader would take for an example is one.
  expect(readme.match(/^```[jt]s/gm)).toHaveLength(examples.length);
});

test.each(examples)("an example for $name", async ({ where, code: example }) => {
  code = example;
  if (where === "node") await runInNode();
  else await runInBrowser("done");
});
