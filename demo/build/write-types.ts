// The published types: the compiler writes declarations for each file, and one file is made of them for each door.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleTypes } from "./bundle-types.ts";
import { entries } from "./entries.ts";

/** Writes `index.d.ts`, and a file for each entry point beside it, into a folder. */
export function writeTypes(folder: string): void {
  const scratch = mkdtempSync(join(tmpdir(), "gradus-types-"));
  try {
    const compiler = "node_modules/typescript/bin/tsc";
    execFileSync(process.execPath, [compiler, "-p", "tsconfig.build.json", "--outDir", scratch], { stdio: "inherit" });
    const core = join(scratch, "index.d.ts");
    writeFileSync(join(folder, "index.d.ts"), bundleTypes(core));
    for (const name of entries) {
      writeFileSync(join(folder, `${name}.d.ts`), bundleTypes(join(scratch, name, "index.d.ts"), core));
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
