// The built file says which calls a bundler may drop where a page does not use what they give: those of functions that are marked as
// without side effects. The marks of the functions themselves go, for the calls are marked then, those before `new`, for every bundler
// knows these classes, and those within functions, which are dropped as a whole.

import type { Plugin } from "vite";

const MARK = /\/\* @__NO_SIDE_EFFECTS__ \*\/\s|\/\* @__PURE__ \*\/ /g;

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value;

/** Where functions begin and end that stand in no other. */
function functionsOf(node: Node): readonly Node[] {
  if (/Function/.test(node.type)) return [node];
  return Object.values(node)
    .flat()
    .filter(isNode)
    .flatMap((one) => functionsOf(one));
}

export const pureCalls = (): Plugin => ({
  name: "pure-calls",
  apply: "build",
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      const functions = functionsOf(this.parse(chunk.code));
      chunk.code = chunk.code.replace(MARK, (mark, at: number, code: string) => {
        const isUseful =
          mark.includes("PURE") &&
          !code.startsWith("new ", at + mark.length) &&
          !functions.some(({ start, end }) => start < at && at < end);
        // A mark may part two words.
        return isUseful ? "/*@__PURE__*/" : /\w/.test(code[at - 1] ?? "") ? " " : "";
      });
    }
  },
});
