// Shaders in the built file go without comments, blank space and long names of their own: nobody reads them there. The door's
// directives stay lines; a hole keeps the space around it, for what it will hold is not known here.

import { readdirSync, readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { shortLocals } from "./short-locals.ts";
import { renamed, shortNames } from "./short-names.ts";

/** Between < or > and =, space stays: "array<f32> = x" must not become ">=". */
const SPACE_AROUND_SIGNS = / *([!=<>]=|[-,;:(){}[\]+*/%&|]|[<>](?! ?=)|(?<![<>] ?)=) */g;

/** Between dollars its name needs no escape, whatever quotes the text has. */
const HOLE = /\$\{(\w*)\}/g;

/** A shader's text, shorter and with the same meaning. */
export function shorter(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/\/\/.*$/, "").trim());
  return lines
    .filter((line) => line !== "")
    .join("\n")
    .replace(/(?<=^[^#].*)\n(?!#)/gm, " ")
    .split("\n")
    .map((line) => (line.startsWith("#") ? line : withoutSpace(line)))
    .join("\n");
}

const withoutSpace = (line: string): string =>
  line
    .split(/(\$\{\w*\})/)
    .map((piece, i) => (i % 2 === 0 ? piece.replace(SPACE_AROUND_SIGNS, "$1") : piece))
    .join("");

const filesBelow = (folder: string, ending: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => readFileSync(`${folder}/${file}`, "utf8"));

/** Shortens the names in a shader of the package. TypeScript writes some of WGSL too, so that every word of it stays as it is. */
export function shorterNames(): (text: string) => string {
  const texts = filesBelow("shaders", ".wgsl");
  const elsewhere = new Set(
    [...filesBelow("src/kernels", ".ts"), ...filesBelow("src/op", ".ts")].flatMap(
      (text) => text.match(/(["`])(?:(?!\1)[^\\]|\\.)*\1/g)?.flatMap((quoted) => quoted.match(/\w+/g) ?? []) ?? [],
    ),
  );
  const local = shortLocals(texts, elsewhere);
  const names = shortNames(texts.map(local), elsewhere);
  return (text) => renamed(local(text), names);
}

export function shorterShaders(): Plugin {
  const short = shorterNames();
  return {
    name: "shorter-shaders",
    apply: "build",
    enforce: "post",
    transform(code, id) {
      if (!id.endsWith(".wgsl?raw")) return undefined;
      const text = /^export default (".*");?\s*$/s.exec(code)?.[1];
      if (text === undefined) throw new Error(`${id}: its text was not found in what Vite made of it.`);
      return `export default ${JSON.stringify(shorter(short(JSON.parse(text))).replace(HOLE, "$$$1$$"))};`;
    },
  };
}
