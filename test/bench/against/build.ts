// The two builds that `--against` compares: the working tree's, made now with the same minifier as any other, and the one that
// is there already. Both reach the page as they are, past everything that vite does to a source file.

import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build, type Plugin } from "vite";

export interface Build {
  /** Where it came from: a path, or the commit of the working tree. */
  readonly origin: string;
  readonly bytes: number;
  /** SHA-256 of the file, its first 16 digits. */
  readonly digest: string;
  readonly text: string;
}

/** The built file at a path, or in the folder at a path. Throws an error of one line where there is none. */
export function previousBuild(path: string): Build {
  const isFile = existsSync(path) && statSync(path).isFile();
  const places = isFile ? [path] : [join(path, "gradus.js"), join(path, "dist/gradus.js")];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) {
    throw new Error(`--against: there is no built file at ${path}. Give a gradus.js, or the folder that it is in.`);
  }
  return described(resolve(found), readFileSync(found, "utf8"));
}

/** Builds the working tree into a folder that is gone afterwards. */
export async function presentBuild(repository: string, commit: string): Promise<Build> {
  const folder = mkdtempSync(join(tmpdir(), "gradus-bench-"));
  try {
    await build({ root: repository, build: { outDir: folder }, logLevel: "error" });
    return described(commit, readFileSync(join(folder, "gradus.js"), "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const described = (origin: string, text: string): Build => ({
  origin,
  bytes: Buffer.byteLength(text),
  digest: createHash("sha256").update(text).digest("hex").slice(0, 16),
  text,
});

/** Serves each build as /build/NAME.js. */
export const serveBuilds = (builds: Readonly<Record<string, Build>>): Plugin => ({
  name: "builds",
  configureServer({ middlewares }) {
    middlewares.use("/build", (request, response, next) => {
      const found = builds[request.url?.slice(1).replace(/\.js$/, "") ?? ""];
      if (found === undefined) return next();
      response.setHeader("content-type", "text/javascript");
      response.end(found.text);
    });
  },
});
