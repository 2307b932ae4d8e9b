// A Vite plugin that serves the text of the tasks under /text/. A site that is built has it packed.

import { createReadStream, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { textFile } from "./text-files.ts";

export function textServer(): Plugin {
  return {
    name: "text",
    configureServer(server) {
      server.middlewares.use("/text/moby-dick.txt", (_, response) => {
        response.setHeader("content-type", "text/plain; charset=utf-8");
        createReadStream(textFile()).pipe(response);
      });
    },
    generateBundle() {
      const source = gzipSync(readFileSync(textFile()));
      this.emitFile({ type: "asset", fileName: "text/moby-dick.txt.gz", source });
    },
  };
}
