// The package as it is published: one file that runs on a plain static page, on a device of its own or on one that is
// there already, under a strict content security policy, and no larger than promised.

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type OutputFile } from "esbuild";
import type { Browser, Page } from "playwright";
import ts from "typescript-5.4";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../../demo/browser.ts";
import { API, apiIn, undocumentedIn } from "../../demo/build/api.ts";
import { entries } from "../../demo/build/entries.ts";
import { type Packed, pack } from "../packed.ts";
import { controllers } from "../reference/controllers.ts";
import { rules as ruleTexts } from "../reference/rules.ts";

const page = readFileSync("test/page/static.html", "utf8");
let packed: Packed;
let file: string;
let server: Server;
let browser: Browser;

beforeAll(async () => {
  packed = await pack();
  file = readFileSync(join(packed.folder, "dist/gradus.js"), "utf8");
  const [script] = /<script type="module">(.*)<\/script>/s.exec(page)?.slice(1) ?? [];
  server = createServer((request, response) => {
    const strict = request.url?.startsWith("/strict") === true;
    const isScript = request.url?.endsWith(".js") === true;
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    if (strict) response.setHeader("content-security-policy", "default-src 'none'; script-src 'self'");
    if (request.url?.endsWith("/gradus.js") === true) response.end(file);
    else if (isScript) response.end(script);
    else
      response.end(
        strict ? page.replace(/<script.*<\/script>/s, '<script type="module" src="main.js"></script>') : page,
      );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await launchBrowser({ software: true });
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  packed?.dispose();
});

/** Opens the page and gives what it wrote. */
async function outcome(path: string, prepare?: (page: Page) => Promise<unknown>) {
  const tab = await browser.newPage();
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(error.message));
  await prepare?.(tab);
  await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  await tab.waitForFunction(() => document.querySelector("#out")?.textContent !== "", undefined, { timeout: 60_000 });
  const text = await tab.locator("#out").textContent();
  await tab.close();
  expect(errors).toEqual([]);
  return JSON.parse(text as string) as { adapter: string; losses: number[] };
}

test("docs/api.txt is what the published types say", () => {
  expect(apiIn(join(packed.folder, "dist")), "npm run api writes it anew").toBe(readFileSync(API, "utf8"));
});

test("each public name has a comment that says what it is, and so has each member of a type", () => {
  expect(undocumentedIn(join(packed.folder, "dist"))).toEqual([]);
});

test("one file without imports; its 100 kB in gzip with everything in it are not kept, and it does not grow unseen", () => {
  const bytes = gzipSync(file).length;
  console.log(`gradus.js: ${(bytes / 1000).toFixed(1)} kB in gzip`);
  expect(bytes).toBeLessThan(135_200);
  expect(file).not.toMatch(/^import |\bimport\(|\beval\(|new Function/m);
});

/** A page as esbuild makes it of the packed package. */
async function bundled(page: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: page, resolveDir: "." },
    alias: { gradus: join(packed.folder, "dist/gradus.js") },
    ...{ bundle: true, minify: true, format: "esm", target: "es2022", write: false },
  });
  return (outputFiles as OutputFile[])[0]!.text;
}

const cnn = /```ts browser\n(.*?)```/s.exec(readFileSync("README.md", "utf8"))![1]!;
const mlp = `
import { adamw, compile, crossEntropy, dense, layerDecay, oneCycle, relu, sequential } from "gradus";
const trainer = await compile(sequential({ body: [dense(256), relu()], head: dense(10) }), {
  ...{ input: [784], batch: 64, loss: crossEntropy() },
  ...{ optimizer: adamw({ lr: 3e-3 }), rates: layerDecay(0.75), schedule: oneCycle({ epochs: 3 }) },
});
await trainer.fit({ x, y }, { epochs: 3, onStep: ({ step, loss }) => console.log(step, loss) });`;

/** Names as the bundle writes them where something is made that is called so. */
const named = (text: string, names: readonly string[]): string[] =>
  names.filter((name) => new RegExp(`["\`(]${name}["\`]`).test(text));

test.each(entries)("gradus/%s imports the core beside it alone, and is no larger than 25 kB in gzip", (name) => {
  const text = readFileSync(join(packed.folder, `dist/${name}.js`), "utf8");
  const bytes = gzipSync(text).length;
  console.log(`${name}.js: ${(bytes / 1000).toFixed(1)} kB in gzip`);
  expect(bytes).toBeLessThanOrEqual(25_000);
  expect(ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName)).toEqual(["./gradus.js"]);
  expect(text).not.toMatch(/\bimport\(|\beval\(|new Function/);
});

test("what a page does not use leaves its bundle: rules, controllers, schedules, layers", async () => {
  const [small, middle] = [await bundled(mlp), await bundled(cnn)];
  const sizes = [small, middle, file].map((text) => gzipSync(text).length);
  console.log(`an MLP, a CNN, everything: ${sizes.map((bytes) => (bytes / 1000).toFixed(1)).join(", ")} kB in gzip`);
  expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  const rules = Object.keys(ruleTexts).filter((name) => name !== "adam");
  const others = [
    ...[...rules, "lars", ...controllers.map(({ name }) => name).filter((name) => name !== "guard")],
    ...["cosineAnnealingLR", "cyclicLR", "stepLR", "warmupLinear", "wsd"],
    ...["reduceLROnPlateau", "inference", "gelu", "tanh", "meanSquaredError", "lstm", "gru"],
    ...["binaryCrossEntropy", "huber", "klDivergence", "inTop", "binaryHits", "confusion", "scaled"],
    ...["leakyRelu", "selu", "softplus", "prelu", "swiglu", "dropout", "drop", "pow", "where"],
  ];
  const images = ["conv2d", "maxPool2d"];
  expect(named(file, [...others, ...images])).toEqual([...others, ...images]);
  expect(named(small, [...others, ...images])).toEqual([]);
  expect(named(middle, [...others, ...images])).toEqual(images);
  const constants = controllers.flatMap((controller) => Object.keys(controller.constants));
  expect(constants.filter((name) => middle.includes(`override ${name}:`))).toEqual([]);
});

test("a plain page of under 20 lines trains", async () => {
  expect(page.trimEnd().split("\n").length).toBeLessThan(20);
  const { losses, adapter } = await outcome("/");
  expect(adapter).toContain("software");
  expect(losses.at(-1)).toBeLessThan(0.05 * (losses[0] as number));
});

test("on a device that is there already", async () => {
  const { losses } = await outcome("/", (tab) =>
    tab
      .addInitScript("globalThis.device = navigator.gpu.requestAdapter().then((adapter) => adapter.requestDevice())")
      .then(() =>
        tab.route("**/", async (route) => {
          const response = await route.fetch();
          const body = (await response.text()).replace("globalThis.device", "await globalThis.device");
          await route.fulfill({ response, body });
        }),
      ),
  );
  expect(losses.at(-1)).toBeLessThan(0.05 * (losses[0] as number));
});

test("under the policy default-src 'none'; script-src 'self'", async () => {
  const { losses } = await outcome("/strict/");
  expect(losses).toHaveLength(60);
});
