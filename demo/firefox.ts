// Finds Firefox, installs it where there is none, and starts it headless with WebGPU. GRADUS_FIREFOX names the one to use.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import puppeteer, { type Browser } from "puppeteer-core";
import { findOrInstall, isProgram } from "./install.ts";
import { ensureVulkan } from "./vulkan.ts";

const PLACES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ["/Applications/Firefox.app/Contents/MacOS/firefox"],
  win32: ["C:\\Program Files\\Mozilla Firefox\\firefox.exe"],
};

function present(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const inPath = folders.flatMap((folder) => ["firefox", "firefox-esr"].map((name) => join(folder, name)));
  return [...inPath, ...(PLACES[process.platform] ?? [])].find(isProgram);
}

async function findFirefox(): Promise<string> {
  const wanted = process.env.GRADUS_FIREFOX;
  if (!wanted) return findOrInstall("Firefox", ["firefox-esr"], present);
  if (!existsSync(wanted)) throw new Error(`GRADUS_FIREFOX: there is no ${wanted}. Correct it or unset it.`);
  return wanted;
}

/** A headless Firefox whose pages on localhost have WebGPU, on whichever adapter it finds. */
export async function launchFirefox(): Promise<Browser> {
  await ensureVulkan();
  return puppeteer.launch({
    browser: "firefox",
    executablePath: await findFirefox(),
    // On Ctrl-C the command closes the browser, once its own things are in order.
    ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
    protocolTimeout: 0, // a call lasts as long as what it runs
    extraPrefsFirefox: {
      "dom.webgpu.enabled": true,
      "gfx.webgpu.ignore-blocklist": true, // software adapters are on it
      "dom.max_script_run_time": 0,
      "datareporting.policy.dataSubmissionEnabled": false,
    },
  });
}
