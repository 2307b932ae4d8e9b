// The package as it is published: built and packed into a folder of its own, so that tests meet what a user would install.

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { buildEntries } from "../demo/build/entries.ts";
import { writeTypes } from "../demo/build/write-types.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));

export interface Packed {
  /** The packed file. */
  readonly file: string;
  /** Where it lies unpacked. */
  readonly folder: string;
  /** Paths in the package. */
  readonly paths: readonly string[];
  dispose(): void;
}

export async function pack(): Promise<Packed> {
  const scratch = mkdtempSync(join(tmpdir(), "gradus-packed-"));
  const stage = join(scratch, "stage");
  const { files } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  for (const name of ["package.json", ...files].filter((name) => name !== "dist")) {
    cpSync(join(repository, name), join(stage, name), { recursive: true });
  }
  await build({ root: repository, build: { outDir: join(stage, "dist") }, logLevel: "error" });
  await buildEntries(join(stage, "dist"));
  writeTypes(join(stage, "dist"));
  const words = ["pack", "--json", "--ignore-scripts", "--pack-destination", scratch];
  const [made] = JSON.parse(execFileSync("npm", words, { cwd: stage, encoding: "utf8" }));
  const file = join(scratch, made.filename);
  execFileSync("tar", ["-xf", file, "-C", scratch]);
  return {
    file,
    folder: join(scratch, "package"),
    paths: (made.files as { path: string }[]).map(({ path }) => path).sort(),
    dispose: () => rmSync(scratch, { recursive: true }),
  };
}
