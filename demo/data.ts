// Networks and data that others published: found in a cache, in a folder beside the checkout, or downloaded; whichever way, the
// bytes are those of the manifest. Not part of the repository.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import manifest from "./data.json" with { type: "json" };

/** A file of the manifest. */
export interface ManifestFile {
  /** Set and name, "resnet20-cifar10/resnet20-12fca82f.th". */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly licence: string;
  /** Where it is published; what was made from something published has none. */
  readonly address?: string;
}

export const dataFiles: readonly ManifestFile[] = manifest;

/** Where files are looked for and kept: GRADUS_DATA if it is set, a cache of the user, and a folder beside the checkout. */
export const dataFolders = (): readonly string[] => [
  ...(process.env.GRADUS_DATA === undefined ? [] : [process.env.GRADUS_DATA]),
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gradus"),
  resolve("../shared/data"), // beside the checkout, in which all commands run
];

/**
 * The bytes of a file of the manifest, from the first of the folders that has it; what is downloaded is kept in the first of all.
 * `onProgress` is told of a download. Throws where the manifest has no such file, where a copy has
 * other bytes, and where none is there and none can be had, with what to do.
 */
export async function dataFile(
  path: string,
  onProgress: (done: number, total: number) => void = () => {},
  folders: readonly string[] = dataFolders(),
): Promise<Uint8Array<ArrayBuffer>> {
  const file = dataFiles.find((one) => one.path === path);
  if (file === undefined) throw new Error(`data: there is no "${path}". demo/data.json lists all files.`);
  for (const folder of folders) {
    const at = join(folder, path);
    if (existsSync(at)) return sound(file, new Uint8Array(await readFile(at)), at);
  }
  return download(file, folders[0] as string, onProgress);
}

async function download(file: ManifestFile, folder: string, onProgress: (done: number, total: number) => void) {
  const { path, address, bytes } = file;
  const advice = `Put it at ${join(folder, path)}, or let GRADUS_DATA name the folder that has it.`;
  if (address === undefined)
    throw new Error(`data: "${path}" is not here, and it is not published by itself. ${advice}`);
  const got = new Uint8Array(bytes);
  let done = 0;
  try {
    const response = await fetch(address);
    if (!response.ok || response.body === null) throw new Error(`the server says ${response.status}`);
    for await (const part of response.body) {
      if (done + part.length > bytes) throw new Error(`more than ${bytes} bytes come`);
      got.set(part, done);
      done += part.length;
      onProgress(done, bytes);
    }
  } catch (cause) {
    throw new Error(`data: "${path}" did not come from ${address}: ${(cause as Error).message}. ${advice}`, { cause });
  }
  sound(file, got.subarray(0, done), address);
  const at = join(folder, path);
  await mkdir(dirname(at), { recursive: true });
  // Whole or not at all: who looks while it is written must not find a part.
  await writeFile(`${at}.part`, got);
  await rename(`${at}.part`, at);
  return got;
}

function sound<Bytes extends Uint8Array>({ path, bytes, sha256 }: ManifestFile, got: Bytes, from: string): Bytes {
  if (got.length !== bytes)
    throw new Error(`data: "${path}" of ${from} has ${got.length} bytes, it should have ${bytes}.`);
  const sum = createHash("sha256").update(got).digest("hex");
  if (sum === sha256) return got;
  throw new Error(
    `data: "${path}" of ${from} has the checksum ${sum.slice(0, 12)}, it should be ${sha256.slice(0, 12)}. Remove it.`,
  );
}
