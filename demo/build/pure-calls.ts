// The built file says which calls a bundler may drop where a page does not use what they give: those of functions that are marked as
// without side effects. The marks of the functions themselves go, for the calls are marked then, and those before `new`, for every
// bundler knows these classes.

import type { Plugin } from "vite";

export const pureCalls = (): Plugin => ({
  name: "pure-calls",
  apply: "build",
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === "chunk") {
        chunk.code = chunk.code.replace(/\/\* @__NO_SIDE_EFFECTS__ \*\/ |\/\* @__PURE__ \*\/ (?=new )/g, "");
      }
    }
  },
});
