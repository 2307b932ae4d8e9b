// Shaders in the built file go without comments and blank space: nobody reads them there. Lines stay, for the door's
// directives are lines; a hole keeps the space around it, for what it will hold is not known here.

import type { Plugin } from "vite";

/** Between < or > and =, space stays: "array<f32> = x" must not become ">=". */
const SPACE_AROUND_SIGNS = / *([-,;:(){}[\]+*/%&|]|[<>](?! ?=)|(?<![<>] ?)=) */g;

/** A shader's text, shorter and with the same meaning. */
export function shorter(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/\/\/.*$/, "").trim());
  return lines
    .filter((line) => line !== "")
    .map((line) => (line.startsWith("#") ? line : withoutSpace(line)))
    .join("\n");
}

const withoutSpace = (line: string): string =>
  line
    .split(/(\$\{\w*\})/)
    .map((piece, i) => (i % 2 === 0 ? piece.replace(SPACE_AROUND_SIGNS, "$1") : piece))
    .join("");

export function shorterShaders(): Plugin {
  return {
    name: "shorter-shaders",
    apply: "build",
    enforce: "post",
    transform(code, id) {
      if (!id.endsWith(".wgsl?raw")) return undefined;
      const text = /^export default (".*");?\s*$/s.exec(code)?.[1];
      if (text === undefined) throw new Error(`${id}: its text was not found in what Vite made of it.`);
      return `export default ${JSON.stringify(shorter(JSON.parse(text)))};`;
    },
  };
}
