// A Vite plugin that serves the text of the tasks under /text/. A site that is built has it packed.

import { createReadStream, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { textFile } from "./text-files.ts";

/** Answers a request for it, and leaves any other to `next`. */
export function answerText({ url }: IncomingMessage, response: ServerResponse, next: () => void): void {
  if (url === "/text/moby-dick.txt") {
    response.setHeader("content-type", "text/plain; charset=utf-8");
    createReadStream(textFile()).pipe(response);
  } else next();
}

export function textServer(): Plugin {
  return {
    name: "text",
    configureServer(server) {
      server.middlewares.use(answerText);
    },
    generateBundle() {
      const source = gzipSync(readFileSync(textFile()));
      this.emitFile({ type: "asset", fileName: "text/moby-dick.txt.gz", source });
    },
  };
}
