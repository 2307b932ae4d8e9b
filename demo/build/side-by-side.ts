// Rooms whose files are alike stand side by side in the built file, those with the shaders' texts first: gzip finds again what stood
// within 32 kB, and the order in which modules happen to import one another costs 2 kB. A file's order changes nothing else, for none
// does anything while it is loaded.

import { readdirSync } from "node:fs";
import type { Plugin } from "vite";

const rooms = ["kernels", "op", "model", "optim", "io", "data"];

const filesOf = (room: string): string[] =>
  readdirSync(`src/${room}`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${room}/${file}`)
    .sort();

/** Puts files of an entry point's folder, by their paths in it, in front of all others; of the core, the rooms that are alike. */
export const sideBySide = (entry = "src/index.ts", files: readonly string[] = rooms.flatMap(filesOf)): Plugin => ({
  name: "side-by-side",
  apply: "build",
  transform(code, id) {
    if (!id.endsWith(`/${entry}`)) return undefined;
    return files.map((file) => `import "./${file}";\n`).join("") + code;
  },
});
