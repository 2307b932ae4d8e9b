// The GPU process of a browser ends in the midst of a fit, as by a driver's reset: on the packed files, the fit goes on to the
// bits of one that lost nothing.

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../../demo/browser.ts";
import { type Packed, pack } from "../packed.ts";

const CRASHES = 2;

const script = `
import { compile, crossEntropy, dense, dropout, relu, sequential } from "/gradus.js";
import { compileRecoverable } from "/recover.js";
const model = sequential({ body: [dense(16), relu(), dropout(0.2)], head: dense(2) });
const settings = { input: [6], batch: 8, loss: crossEntropy(), seed: 5 };
const x = Float32Array.from({ length: 480 }, (_, i) => Math.sin(i * 7));
const data = { x, y: Uint8Array.from({ length: 80 }, (_, i) => (x[6 * i] > 0 ? 1 : 0)) };
globalThis.train = async (crashes) => {
  const told = [];
  const trainer = await compileRecoverable(model, settings, { everySteps: 10, onRecover: (found) => told.push(found) });
  const heard = [];
  await trainer.fit(data, {
    epochs: 8,
    async onStep({ step }) {
      heard.push(step);
      if (step % 25 !== 0 || told.length >= crashes) return;
      await crash();
    },
  });
  const [found, predicted] = [await trainer.save(), await trainer.predict(x)];
  trainer.dispose();
  const other = await compile(model, settings);
  await other.fit(data, { epochs: 8 });
  const sound = await other.save();
  const same = found.length === sound.length && found.every((byte, i) => byte === sound[i]);
  return { told, same, inOrder: heard.every((step, i) => step === i + 1), steps: heard.length, rows: predicted.shape[0] };
};`;

let packed: Packed;
let server: Server;
let browser: Browser;

beforeAll(async () => {
  packed = await pack();
  server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? "";
    const isScript = name.endsWith(".js");
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    if (isScript) response.end(name === "main.js" ? script : readFileSync(join(packed.folder, "dist", name)));
    else response.end('<!doctype html><title>Recovery</title><script type="module" src="/main.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await launchBrowser({ software: true });
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  packed?.dispose();
});

test(`a fit survives ${CRASHES} ends of the browser's GPU process`, async () => {
  const page = await browser.newPage();
  const session = await browser.newBrowserCDPSession();
  await page.exposeFunction("crash", () => session.send("Browser.crashGpuProcess").catch(() => undefined));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "train" in globalThis);
  const found = await page.evaluate(
    (crashes) => (globalThis as unknown as { train(crashes: number): Promise<object> }).train(crashes),
    CRASHES,
  );
  expect(found).toMatchObject({ same: true, inOrder: true, steps: 80, rows: 80 });
  expect((found as { told: object[] }).told).toHaveLength(CRASHES);
});
