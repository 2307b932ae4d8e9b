// A Vite plugin that serves the files of the manifest under /data/, for pages and for tests in a browser.

import type { Plugin } from "vite";
import { dataFile, dataFiles } from "./data.ts";

export function dataServer(): Plugin {
  return {
    name: "data",
    configureServer(server) {
      server.middlewares.use("/data/", (request, response, next) => {
        const path = decodeURIComponent((request.url ?? "").slice(1).replace(/\?.*$/, ""));
        if (!dataFiles.some((file) => file.path === path)) return next();
        response.setHeader("content-type", "application/octet-stream");
        dataFile(path).then(
          (bytes) => response.end(bytes),
          (error: Error) => {
            response.statusCode = 500;
            response.end(error.message);
          },
        );
      });
    },
  };
}
