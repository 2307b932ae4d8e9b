// Where tensorgrad comes from, which is on no registry: a folder that the command names, or its public repository, fetched once beside the other
// peers. It is built as its own script says: its worker into one text, which stands in the main file.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build, type Plugin } from "vite";

const REPOSITORY = "https://github.com/typebulb/tensorgrad";

/** The folder that was given, or the repository below `beside`. Throws an error of one line where there is neither. */
export function tensorgradFolder(given: string | undefined, beside: string): string {
  const folder = given === undefined ? join(beside, ".tensorgrad") : resolve(given);
  if (given === undefined && !existsSync(folder)) {
    console.error(`bench: fetching ${REPOSITORY}, once`);
    try {
      execFileSync("git", ["clone", "--quiet", "--depth", "1", REPOSITORY, folder], { stdio: "inherit" });
    } catch {
      throw new Error(`tensorgrad: ${REPOSITORY} cannot be fetched. Give a folder that holds it: --tensorgrad DIR.`);
    }
  }
  if (!existsSync(join(folder, "src/index.ts")) || !existsSync(join(folder, "src/worker.ts")))
    throw new Error(
      `--tensorgrad: ${folder} has no src/index.ts and src/worker.ts. Give the folder of its repository.`,
    );
  return folder;
}

/** One file of an entry and all that it imports. */
async function bundled(folder: string, entry: string, define: Record<string, string> = {}): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), "gradus-tensorgrad-"));
  try {
    await build({
      configFile: false,
      root: folder,
      define,
      logLevel: "error",
      build: { outDir, emptyOutDir: false, target: "es2022", lib: { entry, formats: ["es"], fileName: "built" } },
    });
    return readFileSync(join(outDir, "built.js"), "utf8");
  } finally {
    rmSync(outDir, { recursive: true });
  }
}

/** Serves it as /tensorgrad.js. */
export async function serveTensorgrad(folder: string): Promise<Plugin> {
  const worker = await bundled(folder, "src/worker.ts");
  const text = await bundled(folder, "src/index.ts", { __WORKER_SOURCE__: JSON.stringify(worker) });
  return {
    name: "tensorgrad",
    configureServer({ middlewares }) {
      middlewares.use("/tensorgrad.js", (_, response) => {
        response.setHeader("content-type", "text/javascript");
        response.end(text);
      });
    },
  };
}
