// Makes the bundle of tests for a process or for a page, with this folder's `vitest` in the place of Vitest's own.

import { fileURLToPath } from "node:url";
import { build } from "vite";

const repository = fileURLToPath(new URL("../..", import.meta.url));

export type Kind = "process" | "page";

/** Builds into a folder below node_modules, where packages are found, and gives the path of the script. */
export async function makeBundle(
  kind: Kind,
  folder = `${repository}node_modules/.gradus/tests-${kind}`,
): Promise<string> {
  await build({
    configFile: false,
    root: repository,
    logLevel: "error",
    resolve: { alias: { vitest: `${repository}test/runtime/vitest.ts` } },
    // Golden files are part of the script: a process has no server to ask.
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "es2022",
      minify: false,
      assetsInlineLimit: () => true,
      reportCompressedSize: false,
      ...(kind === "process" ? { ssr: true } : {}),
      rolldownOptions: {
        input: `${repository}test/runtime/${kind}.ts`,
        ...(kind === "process" ? { external: ["webgpu"] } : {}),
        output: { format: "es", entryFileNames: "tests.mjs", codeSplitting: false },
      },
    },
    ssr: { noExternal: true, external: ["webgpu"] },
  });
  return `${folder}/tests.mjs`;
}

/** The tests and the command that runs them as two scripts, for a machine without packages but webgpu. */
export async function makeKit(folder: string): Promise<void> {
  await makeBundle("process", folder);
  await build({
    configFile: false,
    root: repository,
    logLevel: "error",
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: "es2022",
      minify: false,
      ssr: true,
      rolldownOptions: {
        input: `${repository}test/runtime/main.ts`,
        external: ["vite", "playwright", "puppeteer-core"],
        output: { format: "es", entryFileNames: "run.mjs", codeSplitting: false },
      },
    },
    ssr: { noExternal: true, external: ["vite", "playwright", "puppeteer-core"] },
  });
}
