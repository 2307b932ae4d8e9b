// What a browser has in memory, without the process of its GPU: what stands there is the device's, and a software adapter's too.

import { execFileSync } from "node:child_process";
import type { Browser } from "playwright";

/** Bytes that are resident: in the largest process of a page, and in all processes but that of the GPU. */
export interface HostMemory {
  readonly page: number;
  readonly all: number;
}

/** Undefined where the system has no `ps` that tells. */
export async function hostMemory(browser: Browser): Promise<HostMemory | undefined> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const host = processInfo.filter(({ type }) => type !== "GPU");
  const sizes = residentBytes(host.map(({ id }) => id));
  if (sizes === undefined) return undefined;
  const pages = host.filter(({ type }) => type === "renderer").map(({ id }) => sizes.get(id) ?? 0);
  return { page: Math.max(0, ...pages), all: [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0) };
}

function residentBytes(ids: readonly number[]): Map<number, number> | undefined {
  try {
    const text = execFileSync("ps", ["-o", "pid=,rss=", "-p", ids.join()], { encoding: "utf8" });
    return new Map(
      text
        .trim()
        .split("\n")
        .map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
        .map(([id, kibibytes]) => [id, kibibytes * 1024]),
    );
  } catch {
    return undefined; // Windows, or a system without ps
  }
}
