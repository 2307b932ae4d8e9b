// The pages: `npm run demo` finds this file and serves them, `npm run site` builds them. They need nothing of what the tests need.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { mnistServer } from "./mnist-server.ts";
import { networkServer } from "./network-server.ts";
import { commit } from "./origin.ts";
import { docsPages } from "./site/docs/plugin.ts";
import { pageParts } from "./site/parts.ts";
import { textServer } from "./text-server.ts";

/** Linux without a screen has no browser to open: there the page's address on the terminal must do. */
const screen = process.platform !== "linux" || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);

const page = (folder: string): string => fileURLToPath(new URL(`${folder}/index.html`, import.meta.url));

export default defineConfig({
  // Whatever the folder is that a server has them in.
  base: "./",
  // A page that is missing is not the start page.
  appType: "mpa",
  // Servers that run beside each other must not share what they prepared.
  cacheDir: "../node_modules/.vite/demo",
  define: { COMMIT: JSON.stringify(commit()) },
  plugins: [pageParts(), docsPages(), mnistServer(), textServer(), networkServer()],
  server: { open: screen },
  build: {
    target: "es2022",
    rolldownOptions: {
      checks: { bundlerTimings: false }, // packing data takes the time that it takes
      input: Object.fromEntries(
        [".", "yours", "digits", "char-gpt", "autoencoder", "gan", "depth", "speed"].map((folder) => [
          folder === "." ? "start" : folder,
          page(folder),
        ]),
      ),
    },
  },
});
