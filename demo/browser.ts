// Finds a browser with WebGPU, installs one where there is none, and starts it headless: the one setup path
// of all commands. GRADUS_BROWSER names the browser to use; GRADUS_ADAPTER=software skips the search for a GPU.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, chromium } from "playwright";
import { type Adapter, softwareWanted } from "./adapter.ts";
import { aptInstall, isProgram, isRoot, succeeds } from "./install.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where installers put a browser that is not on the PATH, relative to the folders of applications. */
const PLACES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ["Google Chrome.app/Contents/MacOS/Google Chrome", "Chromium.app/Contents/MacOS/Chromium"],
  win32: ["Google/Chrome/Application/chrome.exe", "Chromium/Application/chrome.exe"],
};

function present(): string | undefined {
  const { PATH = "", HOME, ProgramFiles, LOCALAPPDATA } = process.env;
  const applications = ["/Applications", HOME && join(HOME, "Applications")];
  const programs = [ProgramFiles, process.env["ProgramFiles(x86)"], LOCALAPPDATA];
  const within = (folders: readonly (string | undefined)[], names: readonly string[]): string[] =>
    names.flatMap((name) => folders.flatMap((folder) => (folder ? [join(folder, name)] : [])));
  return [
    ...within(PATH.split(delimiter), NAMES),
    ...within([...applications, ...programs], PLACES[process.platform] ?? []),
    chromium.executablePath(), // Playwright's own, if it was downloaded
  ].find(isProgram);
}

async function install(): Promise<string | undefined> {
  console.error("No Chromium or Chrome found: downloading Playwright's Chromium, once");
  const playwright = dirname(createRequire(import.meta.url).resolve("playwright/package.json"));
  if (await succeeds(process.execPath, [join(playwright, "cli.js"), "install", "chromium"], 15)) return present();

  console.error("The download did not work: trying apt-get install chromium");
  return (await aptInstall("chromium")) ? present() : undefined;
}

/** The path of a Chromium or Chrome. Installs one where there is none; throws where that fails too. */
export async function findBrowser(): Promise<string> {
  const wanted = process.env.GRADUS_BROWSER;
  if (wanted) {
    if (!existsSync(wanted)) throw new Error(`GRADUS_BROWSER: there is no ${wanted}. Correct it or unset it.`);
    return wanted;
  }
  const path = present() ?? (await install());
  if (path === undefined) {
    throw new Error(
      "No browser with WebGPU found, and none could be installed. Install Chromium or Chrome " +
        "(Debian: apt-get install chromium) or let GRADUS_BROWSER name one, then try again.",
    );
  }
  return path;
}

/** Command line of the browser, beside what Playwright adds. `software`: the adapter that needs no GPU. */
export function browserArguments({ software = false }: { software?: boolean } = {}): string[] {
  return [
    "--enable-unsafe-webgpu", // WebGPU also where Chromium does not offer it by default: Linux, software
    // Chromium keeps asking for updates and accounts, also with the switches that Playwright sets against it:
    // no name but localhost is looked up, and all that the commands open is there.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    // A GPU process that ends is followed by another one, however often that is, and its pages may ask it for devices.
    ...["--disable-gpu-process-crash-limit", "--disable-domain-blocking-for-3d-apis"],
    ...(isRoot ? ["--no-sandbox"] : []), // root cannot use Chromium's sandbox
    ...(software ? ["--use-webgpu-adapter=swiftshader"] : []),
    // For a GPU in headless Linux, from https://developer.chrome.com/blog/supercharge-web-ai-testing
    ...(!software && process.platform === "linux"
      ? ["--enable-features=Vulkan", "--use-angle=vulkan", "--disable-vulkan-surface"]
      : []),
  ];
}

/** The adapter that a page of this browser gets, or null where it gets none. */
export async function adapterOf(browser: Browser): Promise<Adapter | null> {
  const page = await browser.newPage();
  try {
    // WebGPU exists in secure contexts only, which localhost is and about:blank is not. Nobody listens there.
    await page.route("**", (route) => route.fulfill({ contentType: "text/html", body: "" }));
    await page.goto("http://localhost/");
    return await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
      if (!adapter) return null;
      const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
      const name = [vendor, architecture, device, description].filter(Boolean).join(" ") || "unnamed adapter";
      return { name, software: isFallbackAdapter || /swiftshader|llvmpipe|basic render/i.test(name) };
    });
  } finally {
    await page.close();
  }
}

async function start(executablePath: string, software: boolean): Promise<Browser> {
  // handleSIGINT false: on Ctrl-C the command closes the browser, once its own things are in order.
  const options = { executablePath, args: browserArguments({ software }), handleSIGINT: false };
  try {
    return await chromium.launch({ ...options, chromiumSandbox: !isRoot });
  } catch (error) {
    // Some Linux systems allow the sandbox to packaged browsers only. The pages opened here are our own.
    if (isRoot || !/sandbox/i.test(String(error))) throw error;
    return chromium.launch({ ...options, chromiumSandbox: false });
  }
}

/** How long a browser may look for a GPU. A driver of Vulkan that draws on the CPU can keep it looking for ever. */
const SEARCH_SECONDS = 15;

/** Whether the browser has an adapter; of one that gives no answer, that it has none. */
async function hasAdapter(browser: Browser): Promise<boolean> {
  const silence = sleep(SEARCH_SECONDS * 1000, undefined, { ref: false });
  const answer = await Promise.race([adapterOf(browser), silence]);
  if (answer === undefined) {
    console.error(
      `The browser looked ${SEARCH_SECONDS} s for a GPU without an answer: going on without that GPU. ` +
        "GRADUS_ADAPTER=software skips the search.",
    );
  }
  return answer != null;
}

/** A headless browser with a WebGPU adapter: the GPU's where one is reachable, else the software one. */
export async function launchBrowser({ software = softwareWanted() } = {}): Promise<Browser> {
  const executablePath = await findBrowser();
  for (const attempt of software ? [true] : [false, true]) {
    const browser = await start(executablePath, attempt);
    if (await hasAdapter(browser)) return browser;
    await browser.close();
  }
  throw new Error(
    `${executablePath}: this browser gives no WebGPU adapter, not even its software one. ` +
      "Update it (Chromium 113 or newer), or let GRADUS_BROWSER name another.",
  );
}
