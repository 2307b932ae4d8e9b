// Vulkan on Linux, which Deno, Node and Firefox need: its loader, and a driver; where there is none for a GPU, one that works
// on the CPU. Other systems bring what they need.

import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { findOrInstall } from "./install.ts";

const LIBRARIES = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/usr/lib",
  "/usr/local/lib",
];
const DRIVERS = ["/etc/vulkan/icd.d", "/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];

const named = (): string | undefined => process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES;

const loader = (): string | undefined =>
  [...(process.env.LD_LIBRARY_PATH ?? "").split(":"), ...LIBRARIES]
    .map((folder) => join(folder, "libvulkan.so.1"))
    .find((path) => existsSync(path));

/** The file of a driver that stands where the loader looks. */
function driver(name: RegExp): string | undefined {
  for (const folder of DRIVERS) {
    const file = existsSync(folder) ? readdirSync(folder).find((entry) => name.test(entry)) : undefined;
    if (file !== undefined) return join(folder, file);
  }
  return undefined;
}

/** Makes sure of a loader and some driver. */
export async function ensureVulkan(): Promise<void> {
  if (process.platform !== "linux") return;
  await findOrInstall("Vulkan loader", ["libvulkan1"], loader);
  await findOrInstall("Vulkan driver", ["mesa-vulkan-drivers"], () => named() ?? driver(/\.json$/));
}

/** The variables that choose Mesa's driver for the CPU. */
export async function lavapipe(): Promise<NodeJS.ProcessEnv> {
  const file = await findOrInstall("Vulkan driver for the CPU", ["mesa-vulkan-drivers"], () => driver(/^lvp_icd/));
  return { VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file };
}

/** The variables that choose the driver for the CPU that Chromium brings. */
export async function swiftshader(): Promise<NodeJS.ProcessEnv> {
  const { findBrowser } = await import("./browser.ts"); // Playwright: not where a GPU is at hand
  const browser = dirname(await findBrowser());
  const file = [browser, "/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"]
    .map((folder) => join(folder, "vk_swiftshader_icd.json"))
    .find((path) => existsSync(path));
  if (file === undefined)
    throw new Error(`No driver of SwiftShader beside ${browser}. Debian: apt-get install chromium.`);
  return { VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file };
}
