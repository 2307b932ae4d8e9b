// The page of the digits as a user meets it: its server, a browser, and hands on the controls.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launchBrowser } from "../../demo/browser.ts";
import { hashOf, parseRecord, type RunRecord, unpackWeights } from "../../demo/digits/run-record.ts";

let server: ViteDevServer;
let browser: Browser;

beforeAll(async () => {
  const root = fileURLToPath(new URL("../../demo", import.meta.url));
  server = await createServer({
    root,
    cacheDir: "../node_modules/.vite/demo-test",
    logLevel: "error",
    // Port 0 is any free one; a file that changes during the test must not load the page again.
    server: { port: 0, open: false, hmr: false, watch: null },
  });
  await server.listen();
  browser = await launchBrowser({ software: true });
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

/** The page, freshly loaded, with what went wrong in it. `before` runs in the page before anything of its own. */
async function open(
  before: () => void = () => {},
  viewport = DESKTOP,
  address = "",
): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage({ viewport });
  onTestFinished(() => page.close());
  const errors: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  await page.addInitScript(before);
  await page.goto(`${server.resolvedUrls?.local[0]}digits/${address}`, { timeout: 120_000 });
  return { page, errors };
}

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 120_000 });
const status = (page: Page, text: string) => page.getByRole("status").getByText(text).waitFor();
const figure = async (page: Page, name: string): Promise<number> =>
  Number.parseFloat(((await page.locator(`#figure-${name}`).textContent()) ?? "").replace(/,/g, ""));
const row = (page: Page, layer: string) =>
  page.getByRole("row").filter({ has: page.getByText(layer, { exact: true }) });

const state = (page: Page, layer: string) => row(page, layer).locator(".badge").textContent();
const ratio = async (page: Page, layer: string): Promise<number> =>
  Number(await page.getByLabel(`Step over weights of ${layer}`).getAttribute("aria-valuenow"));
const width = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth);

/** The run that Export hands out. */
async function exported(page: Page): Promise<{ path: string; record: RunRecord }> {
  const download = page.waitForEvent("download");
  await press(page, "Export");
  const path = await (await download).path();
  return { path, record: parseRecord(await readFile(path, "utf8")) };
}

/** Fills in the settings; they hold as soon as the page is ready again. */
async function settle(page: Page, settings: Readonly<Record<string, number>>): Promise<void> {
  await status(page, "Ready");
  for (const [label, value] of Object.entries(settings)) await page.getByLabel(label).fill(String(value));
  await page.getByLabel("Seed").focus(); // leaves the last field
}

test("trains on the digits and shows what it learned", async () => {
  const { page, errors } = await open();
  await page.getByText("software").first().waitFor();
  await settle(page, { Images: 300, Epochs: 2, Batch: 16 });
  await press(page, "Start");
  await status(page, "Finished");

  await eventually(() => page.locator("#figure-step").textContent()).toBe("38 / 38");
  expect(await figure(page, "loss")).toBeLessThan(2);
  expect(await figure(page, "test")).toBeGreaterThan(30);
  expect(await figure(page, "speed")).toBeGreaterThan(0);
  expect(await page.locator("#digits [data-correct]").count()).toBe(20);
  expect(await page.locator("#loss [role=img]").getAttribute("aria-label")).toMatch(/Smoothed [01]\.\d{4}/);
  await page.getByText("The step as a list").click();
  const dispatches = await figure(page, "dispatches");
  expect((await page.locator("#list").textContent())?.trim().split("\n")).toHaveLength(dispatches + 1);
  expect(errors).toEqual([]);
});

test("is steered while it trains, pauses, goes on and begins anew", async () => {
  const { page, errors } = await open();
  await settle(page, { Images: 6000, Batch: 16 });
  await page.getByLabel("Schedule").selectOption("constant");
  await press(page, "Start");
  await eventually(() => figure(page, "step")).toBeGreaterThan(1);

  const slider = page.getByLabel("Learning rate of body.0");
  await slider.fill("201");
  await eventually(() => row(page, "body.0").locator(".now").textContent()).toContain("1.00e-3");
  await slider.press("Home");
  await eventually(() => row(page, "body.0").locator(".now").textContent()).toMatch(/0$/);
  await eventually(() => ratio(page, "body.0")).toBe(0);
  expect(await page.getByLabel("Preset").inputValue()).toBe("");

  const dispatches = await figure(page, "dispatches");
  await page.getByLabel("Freeze stem.0").click();
  await eventually(() => row(page, "stem.0").locator(".state").textContent()).toContain("frozen");
  await eventually(() => figure(page, "dispatches")).toBeLessThan(dispatches);
  const step = await figure(page, "step");
  await eventually(() => figure(page, "step")).toBeGreaterThan(step + 4);
  await page.getByLabel("Freeze stem.0").press("Space");
  await eventually(() => figure(page, "dispatches")).toBe(dispatches);

  await press(page, "Pause");
  await status(page, "Paused");
  const paused = await figure(page, "step");
  expect(await page.locator("#digits [data-correct]").count()).toBe(20);
  await page.waitForTimeout(300);
  expect(await figure(page, "step")).toBe(paused);
  await press(page, "Continue");
  await eventually(() => figure(page, "step")).toBeGreaterThan(paused);

  await press(page, "Reset");
  await status(page, "Ready");
  expect(await figure(page, "step")).toBe(0);
  expect(await row(page, "body.0").locator(".state").textContent()).toBe("active0 updates");
  expect(await page.getByLabel("Preset").inputValue()).toBe("one rate");
  expect(errors).toEqual([]);
});

test("shows what is where a freeze is refused", async () => {
  const { page, errors } = await open();
  await status(page, "Ready");
  await page.getByLabel("Freeze stem.0").click();
  await page.getByLabel("Freeze body.0").click();
  await page.getByLabel("Freeze head").click();
  await page.getByRole("alert").getByText("OptionError").waitFor();
  expect(await page.getByLabel("Freeze head").isChecked()).toBe(false);
  expect(await page.getByLabel("Freeze body.0").isChecked()).toBe(true);
  expect(await state(page, "head")).toBe("active");
  expect(errors).toEqual([]);
});

test("presets steer it live, and nothing moves or sticks out", async () => {
  const { page, errors } = await open(() => {
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) document.body.dataset.shifted = JSON.stringify(entry);
    }).observe({ type: "layout-shift" });
  });
  await settle(page, { Images: 3000, Batch: 16 });
  await page.evaluate(() => delete document.body.dataset.shifted);
  await press(page, "Start");
  await eventually(() => ratio(page, "head")).toBeGreaterThan(1e-6);
  const first = await ratio(page, "head");
  await eventually(() => ratio(page, "head")).not.toBe(first);
  const bar = page.getByLabel("Step over weights of head");
  const fill = await bar.evaluate((meter) => Number(getComputedStyle(meter).getPropertyValue("--ratio")));
  expect(fill).toBeGreaterThan(0);
  expect(fill).toBeLessThan(1);

  const menu = page.getByLabel("Preset");
  await menu.selectOption("layerDecay(0.75)");
  await eventually(() => row(page, "stem.0").locator("output").textContent()).toBe("5.62e-3");
  await menu.selectOption("gradualUnfreezing(steps / 4)");
  await eventually(() => state(page, "stem.0")).toBe("waiting");
  expect(await page.getByLabel("Freeze stem.0").isChecked()).toBe(true);
  await eventually(() => page.locator("#plan [role=img]").getAttribute("aria-label")).toMatch(/stem\.0 –.*head \d/);
  await menu.selectOption("freezeOut(steps)");
  await eventually(() => state(page, "stem.0")).toBe("active");
  for (const preset of ["discriminative()", "geometric(lr / 10, lr)", "inputFirst(0.75)", "one rate"]) {
    await menu.selectOption(preset);
  }
  await eventually(() => row(page, "stem.0").locator("output").textContent()).toBe("1.00e-2");
  expect(await page.getByRole("alert").textContent()).toBe("");
  const { record } = await exported(page);
  expect(record.edits.filter(({ kind }) => kind === "unfreeze")).toHaveLength(7);
  expect(record.edits.filter(({ pattern }) => pattern === "head")).toHaveLength(7);

  expect(await width(page)).toBe(DESKTOP.width);
  expect(await page.evaluate(() => document.body.dataset.shifted)).toBe(undefined);
  await page.setViewportSize(PHONE);
  expect(await width(page)).toBe(PHONE.width);
  expect(errors).toEqual([]);
});

test("a run is exported and made again, to the bit, on a phone too", async () => {
  const { page, errors } = await open();
  await settle(page, { Images: 4800, Epochs: 1, Batch: 16 });
  await page.getByLabel("Preset").selectOption("layerDecay(0.75)");
  await press(page, "Start");
  await eventually(() => figure(page, "step")).toBeGreaterThan(2);
  await page.getByLabel("Freeze stem.0").click();
  await page.getByLabel("Learning rate of body.0").fill("101");
  await eventually(() => figure(page, "step")).toBeGreaterThan(12);
  await press(page, "Pause");
  await status(page, "Paused");
  await page.getByLabel("Freeze stem.0").click();
  await page.getByLabel("Preset").selectOption("freezeOut(steps)");
  await press(page, "Continue");
  await status(page, "Finished");
  await page.getByLabel("Freeze stem.0").click(); // too late for this run
  const { path, record } = await exported(page);
  expect(record).toMatchObject({ steps: 300, settings: { images: 4800, seed: 0, control: "none" } });
  expect(record.edits.slice(4, 7)).toMatchObject([
    { kind: "freeze", pattern: "stem.0" },
    { kind: "set", pattern: "body.0", change: { lr: 1e-4 } },
    { kind: "unfreeze", pattern: "stem.0" },
  ]);
  expect(await page.locator("#result").textContent()).toContain(record.hash);

  await press(page, "Replay");
  await page.getByText("Under replay").waitFor();
  expect(await page.getByLabel("Freeze stem.0").isDisabled()).toBe(true);
  await page.getByText(`Replay of 300 steps: same bits, weights ${record.hash}.`).waitFor();
  expect(await page.getByLabel("Freeze stem.0").isDisabled()).toBe(false);
  expect((await exported(page)).record).toEqual(record);

  // Another seed is in the form when the file brings its own; a hash that does not fit shows that hashes are compared.
  await page.setViewportSize(PHONE);
  await press(page, "Reset");
  await settle(page, { Seed: 5 });
  await page.getByLabel("Replay a file").setInputFiles(path);
  await page.getByText("same bits").waitFor();
  const forged = { name: "run.json", mimeType: "application/json", buffer: Buffer.from(forge(record)) };
  await page.getByLabel("Replay a file").setInputFiles(forged);
  await page.getByText("other bits").waitFor();
  await page.getByLabel("Replay a file").setInputFiles({ ...forged, buffer: Buffer.from("{}") });
  await page.getByRole("alert").getByText("The file is no run").waitFor();
  expect(await width(page)).toBe(PHONE.width);
  expect(errors).toEqual([]);
});

/** A record that says that the run ended elsewhere. */
const forge = (record: RunRecord): string => JSON.stringify({ ...record, hash: "00000000" });

test("another controller compiles anew and keeps the weights, and that run is made again too", async () => {
  const { page, errors } = await open();
  await settle(page, { Images: 1600, Epochs: 1, Batch: 16 });
  await press(page, "Start");
  await status(page, "Finished");
  const { record: before } = await exported(page);
  await page.getByLabel("Controller").selectOption("updateRatio()");
  await page.getByText("A new run, from the weights after step 100").waitFor();
  expect(await figure(page, "step")).toBe(0);
  await press(page, "Start");
  await status(page, "Finished");
  await eventually(() => row(page, "head").locator("small").last().textContent()).toMatch(/^× \d/);
  const { record } = await exported(page);
  expect(record.settings.control).toBe("updateRatio()");
  const kept = Object.entries(unpackWeights(record.weights ?? {})).map(([name, data]) => [name, { shape: [], data }]);
  expect(hashOf(new Map(kept as never))).toBe(before.hash);
  await press(page, "Replay");
  await page.getByText("same bits").waitFor();

  await press(page, "Train on");
  await eventually(() => figure(page, "step")).toBeGreaterThan(102);
  await page.getByLabel("Controller").selectOption("guard()");
  await page.getByText("A new run, from the weights after step").waitFor();
  await status(page, "Finished"); // without another press
  expect(await figure(page, "step")).toBe(100);
  expect(await page.getByRole("alert").textContent()).toBe("");
  expect(errors).toEqual([]);
});

test("says what to do where WebGPU is missing or has no adapter", async () => {
  const missing = await open(() => {
    Reflect.deleteProperty(Navigator.prototype, "gpu");
  });
  await missing.page.getByRole("heading", { name: "WebGPU is missing" }).waitFor();
  expect(await missing.page.getByText("Use a current Chrome or Edge").count()).toBeGreaterThan(0);
  expect(await missing.page.locator("#workspace").isVisible()).toBe(false);

  const none = await open(() => {
    GPU.prototype.requestAdapter = async () => null;
  });
  await none.page.getByRole("heading", { name: "WebGPU has no adapter" }).waitFor();
  await none.page.getByText("--use-webgpu-adapter=swiftshader").first().waitFor();
  expect([...missing.errors, ...none.errors]).toEqual([]);
});

test("shows an error of the engine, and begins anew after it", async () => {
  const { page, errors } = await open(() => {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (descriptor) {
      const device = await requestDevice.call(this, descriptor);
      addEventListener("lose", () => device.destroy());
      return device;
    };
  });
  await status(page, "Ready");
  await page.evaluate(() => dispatchEvent(new Event("lose")));
  await press(page, "Start");
  await page.getByRole("alert").getByText("DeviceError").waitFor();
  await status(page, "Stopped");
  await press(page, "Reset");
  await status(page, "Ready");
  expect(await page.getByRole("alert").textContent()).toBe("");
  expect(errors).toEqual([]);
});

test("goes back along the curve, changes a rate there, and its address leads a visitor to both futures and the same hash", async () => {
  const { page, errors } = await open(undefined, PHONE, "?images=600&epochs=2&batch=16&seed=7");
  await status(page, "Ready");
  await press(page, "Start");
  await status(page, "Finished");
  const result = page.locator("#branch-result");
  await page.getByLabel("Back to").fill("40");
  await press(page, "Look there");
  await page.getByText("of 20 right after step 40.").waitFor();
  await result.getByText("40 steps were made again, from the snapshot after step 0.").waitFor();
  await status(page, "Finished");
  await page.locator("#branch-layer").selectOption("head");
  await page.getByLabel("Its rate from there").fill("0");
  await press(page, "Branch");
  await result.getByText("letters.").waitFor();
  await status(page, "Finished");
  const said = (await result.textContent()) ?? "";
  const [, would, went] = /: loss (\S+) beside (\S+) after step 76\. 40 steps made again\./.exec(said) ?? [];
  expect(said.startsWith("head at 0 after step 40")).toBe(true);
  expect(Number(would)).toBeGreaterThan(Number(went)); // a head that rests learns less
  const hash = /Weights ([0-9a-f]{16})/.exec(said)?.[1];
  const { search, hash: link } = new URL(page.url());
  expect(link.length).toBeLessThan(2000);
  expect(await figure(page, "step")).toBe(76);
  const own = await page.locator("#result").textContent();
  const futures = await page.locator("#branches [role=img]").getAttribute("aria-label");
  expect(await width(page)).toBe(PHONE.width);
  expect(errors).toEqual([]);

  const visitor = await open(undefined, DESKTOP, search + link);
  const theirs = visitor.page.locator("#branch-result");
  await theirs.getByText("Same bits").waitFor();
  await status(visitor.page, "Finished");
  expect(await theirs.textContent()).toContain(`Same bits, weights ${hash}.`);
  expect(await theirs.textContent()).toContain(`loss ${would} beside ${went}`);
  expect(await visitor.page.locator("#result").textContent()).toBe(own);
  expect(await visitor.page.locator("#branches [role=img]").getAttribute("aria-label")).toBe(futures);
  await press(visitor.page, "Reset");
  await status(visitor.page, "Ready");
  expect(new URL(visitor.page.url()).hash).toBe("");
  expect(visitor.errors).toEqual([]);
});
