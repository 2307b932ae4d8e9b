// Calls that are marked as pure, for a bundler to drop where a page does not use what they give, keep their marks in the built file.
// The marks that the bundler itself puts before `new` go: every bundler knows those classes.

import type { Plugin } from "vite";

export const pureCalls = (): Plugin => ({
  name: "pure-calls",
  apply: "build",
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === "chunk") chunk.code = chunk.code.replaceAll("/* @__PURE__ */ new ", "new ");
    }
  },
});
