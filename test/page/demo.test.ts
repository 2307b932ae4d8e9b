// The demo's page as a user meets it: its server, a browser, and hands on the controls.

import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launchBrowser } from "../../demo/browser.ts";

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

/** The page, freshly loaded, with what went wrong in it. `before` runs in the page before anything of its own. */
async function open(before: () => void = () => {}): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  const errors: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  await page.addInitScript(before);
  await page.goto(server.resolvedUrls?.local[0] ?? "");
  return { page, errors };
}

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 });
const status = (page: Page, text: string) => page.getByRole("status").getByText(text).waitFor();
const figure = async (page: Page, name: string): Promise<number> =>
  Number.parseFloat(((await page.locator(`#figure-${name}`).textContent()) ?? "").replace(/,/g, ""));
const row = (page: Page, layer: string) =>
  page.getByRole("row").filter({ has: page.getByText(layer, { exact: true }) });

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
  await eventually(() => row(page, "body.0").locator(".state").textContent()).toContain("rate 0");

  const dispatches = await figure(page, "dispatches");
  await page.getByLabel("Freeze stem.0").click();
  await eventually(() => row(page, "stem.0").locator(".state").textContent()).toContain("frozen");
  await eventually(() => figure(page, "dispatches")).toBeLessThan(dispatches);
  const step = await figure(page, "step");
  await eventually(() => figure(page, "step")).toBeGreaterThan(step + 4);
  await page.getByLabel("Freeze stem.0").click();
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
  expect(await row(page, "body.0").locator(".state").textContent()).toBe("learning0 updates");
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
