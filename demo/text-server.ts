// A Vite plugin that serves the text of the tasks under /text/.

import { createReadStream } from "node:fs";
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
  };
}
