// The published types: the compiler writes declarations for each file, and one file is made of them.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleTypes } from "./bundle-types.ts";

/** Writes `index.d.ts` into a folder. */
export function writeTypes(folder: string): void {
  const scratch = mkdtempSync(join(tmpdir(), "gradus-types-"));
  try {
    const compiler = "node_modules/typescript/bin/tsc";
    execFileSync(process.execPath, [compiler, "-p", "tsconfig.build.json", "--outDir", scratch], { stdio: "inherit" });
    writeFileSync(join(folder, "index.d.ts"), bundleTypes(join(scratch, "index.d.ts")));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
