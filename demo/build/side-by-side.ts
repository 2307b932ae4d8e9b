// What is alike stands side by side in the built file, all shaders first and then the rooms whose files are alike: gzip finds again what
// stood within 32 kB, and the order in which modules happen to import one another costs 3.9 kB. A file's order changes nothing else, for
// none does anything while it is loaded.

import { readdirSync } from "node:fs";
import type { Plugin } from "vite";

const rooms = ["kernels", "op", "model", "optim", "io", "data", "graph", "plan", "network"];

/** Files of a folder beside or below `src`, by their paths from there. */
const filesOf = (folder: string, ending: string): string[] =>
  readdirSync(`src/${folder}`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`)
    .sort();

const shaders = (): string[] => filesOf("../shaders", ".wgsl").map((file) => `${file}?raw`);

/** Puts files, by their paths from an entry point's folder, in front of all others; of the core, shaders and the rooms that are alike. */
export const sideBySide = (
  entry = "src/index.ts",
  files: readonly string[] = [...shaders(), ...rooms.flatMap((room) => filesOf(room, ".ts"))],
): Plugin => ({
  name: "side-by-side",
  apply: "build",
  transform(code, id) {
    if (!id.endsWith(`/${entry}`)) return undefined;
    return files.map((file) => `import "./${file}";\n`).join("") + code;
  },
});
