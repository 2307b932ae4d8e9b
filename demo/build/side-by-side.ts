// What is alike stands side by side in the built file, all shaders first and then the rooms whose files are alike, in each room every file
// behind the one that makes it shortest: gzip finds again what stood within 32 kB, and the order in which modules happen to import one
// another costs 6.0 kB. A file's order changes nothing else, for none does anything while it is loaded.

import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { transformSync } from "esbuild";
import type { Plugin } from "vite";
import { shorter, shorterNames } from "./shorter-shaders.ts";

/** In the order, of those that were tried, that makes the file shortest. */
const rooms = ["kernels", "op", "model", "optim", "recipe", "io", "data", "network", "plan", "graph"];

/** Files of a folder beside or below `src`, by their paths from there. */
const filesOf = (folder: string, ending: string): string[] =>
  readdirSync(`src/${folder}`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`)
    .sort();

const bytes = (text: string): number => gzipSync(text).length;

/** Texts by name, each behind the one that makes it shortest. */
function alike(texts: ReadonlyMap<string, string>): string[] {
  const alone = new Map([...texts].map(([name, text]) => [name, bytes(text)]));
  const left = new Set(texts.keys());
  const order: string[] = [];
  for (let [next] = left; next !== undefined; ) {
    order.push(next);
    left.delete(next);
    const before = texts.get(next)!;
    let least = 0;
    next = undefined;
    for (const name of left) {
      const more = bytes(before + texts.get(name)!) - alone.get(name)!;
      if (next === undefined || more < least) [next, least] = [name, more];
    }
  }
  return order;
}

const shaders = (): string[] => {
  const short = shorterNames();
  const text = (file: string): string => shorter(short(readFileSync(`src/${file}`, "utf8")));
  return alike(new Map(filesOf("../shaders", ".wgsl").map((file) => [`${file}?raw`, text(file)])));
};

const filesOfRoom = (room: string): string[] => {
  const text = (file: string): string =>
    transformSync(readFileSync(`src/${file}`, "utf8"), { loader: "ts", minify: true }).code;
  return alike(new Map(filesOf(room, ".ts").map((file) => [file, text(file)])));
};

/** Puts files, by their paths from an entry point's folder, in front of all others; of the core, shaders and the rooms that are alike. */
export const sideBySide = (
  entry = "src/index.ts",
  files: readonly string[] = [...shaders(), ...rooms.flatMap(filesOfRoom)],
): Plugin => ({
  name: "side-by-side",
  apply: "build",
  transform(code, id) {
    if (!id.endsWith(`/${entry}`)) return undefined;
    return files.map((file) => `import "./${file}";\n`).join("") + code;
  },
});
