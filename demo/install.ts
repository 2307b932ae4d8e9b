// What commands install where it is missing: packages of the system, by apt-get where that may be done.

import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";

export const isRoot = process.getuid?.() === 0;

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Runs a command, its output on screen; false where it is missing, fails or takes longer than `minutes`. */
export function succeeds(command: string, words: readonly string[], minutes: number): Promise<boolean> {
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: "15000", // gives up soon where a network drops packets
      DEBIAN_FRONTEND: "noninteractive", // apt-get must not wait for an answer
    };
    const child = spawn(command, words, { stdio: ["ignore", 2, 2], timeout: minutes * 60_000, env });
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
}

/** Installs packages of Debian; false where that is not possible. */
export async function aptInstall(...packages: readonly string[]): Promise<boolean> {
  if (process.platform !== "linux") return false;
  const aptGet = (words: readonly string[], minutes: number): Promise<boolean> =>
    isRoot ? succeeds("apt-get", words, minutes) : succeeds("sudo", ["-n", "apt-get", ...words], minutes);
  await aptGet(["update"], 5);
  return aptGet(["install", "-y", ...packages], 15);
}

/** What `find` finds, after an installation where it finds nothing. Throws the command to give where that fails too. */
export async function findOrInstall<T>(
  what: string,
  packages: readonly string[],
  find: () => T | undefined,
): Promise<T> {
  const present = find();
  if (present !== undefined) return present;
  console.error(`No ${what} found: trying apt-get install ${packages.join(" ")}`);
  const found = (await aptInstall(...packages)) ? find() : undefined;
  if (found !== undefined) return found;
  throw new Error(`No ${what} found, and it could not be installed. Debian: apt-get install ${packages.join(" ")}.`);
}
