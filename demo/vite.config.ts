// The demo's page alone: `vite demo` finds this file, and needs nothing of what the tests need.

import { defineConfig } from "vite";
import { mnistServer } from "./mnist-server.ts";
import { textServer } from "./text-server.ts";

/** Linux without a screen has no browser to open: there the page's address on the terminal must do. */
const screen = process.platform !== "linux" || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);

export default defineConfig({
  // Servers that run beside each other must not share what they prepared.
  cacheDir: "../node_modules/.vite/demo",
  plugins: [mnistServer(), textServer()],
  server: { open: screen },
});
