// Builds the pages into one folder.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { fetchNetworks } from "../network-server.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

export interface Built {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
}

/** Throws where the folder holds something that is no site: nobody's files are replaced, and where data is missing, with what to do. */
export async function buildSite(out: string): Promise<Built> {
  const folder = resolve(out);
  if (existsSync(folder)) {
    const found = statSync(folder).isDirectory() ? readdirSync(folder) : undefined;
    if (found === undefined) throw new Error(`--out: ${out} is a file. Name a folder.`);
    if (found.length > 0 && !(found.includes("index.html") && found.includes("digits"))) {
      throw new Error(`--out: ${out} holds something else than a site. Name another folder, or empty it.`);
    }
  }
  await fetchNetworks(); // before Vite: its errors are longer than a line
  await build({ root, logLevel: "warn", build: { outDir: folder, emptyOutDir: true, reportCompressedSize: false } });
  const sizes = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  return { folder, files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
