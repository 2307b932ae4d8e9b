// The entry points beside the core: each of these folders of src/ becomes a file of its own, which imports the core as it is
// published and bundles whatever else it needs.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { build, type Plugin } from "vite";
import { pureCalls } from "./pure-calls.ts";
import { sideBySide } from "./side-by-side.ts";

/** Names of the entry points, as `gradus/NAME` and `dist/NAME.js`. */
export const entries: readonly string[] = [
  "pytorch",
  "keras",
  "onnx",
  "onnx-out",
  "text",
  "adapter",
  "autotune",
  "callbacks",
  "worker",
  "cohort",
  "recover",
  "dataset",
  "branches",
  "precision",
  "image",
].filter((name) => existsSync(`src/${name}/index.ts`));

/** What stands first in a file: found by trying, for what is alike is to stand within what gzip looks back at. */
const first: Readonly<Record<string, readonly string[]>> = {
  onnx: (
    "fail names fold host pattern row/resize function report wire row/other row/reduce rows shapes order walk " +
    "file origin dry"
  )
    .split(" ")
    .map((name) => `${name}.ts`),
};

/** What stands for the core until the file is written: a bundler would reckon another path of a relative one. */
const CORE = "gradus";

/** The core stays outside, by its door alone. */
const coreOutside = (): Plugin => ({
  name: "core-outside",
  enforce: "pre",
  async resolveId(source, importer) {
    const found = importer === undefined ? null : await this.resolve(source, importer, { skipSelf: true });
    return found?.id === resolve("src/index.ts") ? { id: CORE, external: true } : found;
  },
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === "chunk") chunk.code = chunk.code.replaceAll(/\bfrom\s*"gradus"/g, 'from"./gradus.js"');
    }
  },
});

/** Builds them, or some of them, into a folder, beside the core. */
export async function buildEntries(folder: string, names: readonly string[] = entries): Promise<void> {
  for (const name of names) {
    await build({
      configFile: false,
      logLevel: "error",
      plugins: [coreOutside(), sideBySide(`src/${name}/index.ts`, first[name] ?? []), pureCalls()],
      build: {
        lib: { entry: `src/${name}/index.ts`, formats: ["es"], fileName: name },
        target: "es2022",
        outDir: folder,
        emptyOutDir: false,
        rolldownOptions: { output: { minify: true, comments: { annotation: true, jsdoc: false, legal: true } } },
      },
    });
  }
}
