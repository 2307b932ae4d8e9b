// A Vite plugin with the documentation under docs/: made once for a site that is built, and at the first visit while developing.

import type { Plugin } from "vite";
import { documentation, type Files, typeOf } from "./pages.ts";

export function docsPages(): Plugin {
  let files: Files | undefined;
  return {
    name: "docs",
    configureServer(server) {
      server.middlewares.use("/docs/", (request, response, next) => {
        files ??= documentation();
        const name = new URL(request.url ?? "", "http://localhost").pathname.slice(1) || "index.html";
        const file = files.get(name);
        if (file === undefined) return next();
        response.setHeader("content-type", typeOf(name));
        response.end(file);
      });
    },
    generateBundle() {
      for (const [name, source] of documentation()) this.emitFile({ type: "asset", fileName: `docs/${name}`, source });
    },
  };
}
