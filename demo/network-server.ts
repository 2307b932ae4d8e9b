// A Vite plugin with the networks and drawings that the page of one's own network works with, under networks/, as the loader of data has
// them: by their sums, from a folder or downloaded. A site that is built has copies, with a page of who made them and on which terms.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Plugin } from "vite";
import { dataFile, dataFiles } from "./data.ts";

const wanted =
  /^(?:(?:doodlenet|mobilenet-v1-025)\/(?:model\.json|group.*)|doodlenet\/class_names\.txt|quickdraw\/.*\.bin)$/;

const files = dataFiles.filter(({ path }) => wanted.test(path));

/** Sees to it that all of them are here; throws what the loader says where one is not. */
export async function fetchNetworks(): Promise<void> {
  for (const { path } of files) await dataFile(path);
}

/** Who made what, in the words that their licences ask for. */
const CREDITS = `What lies in this folder was made by others. Each file is a copy, unchanged, checked by its SHA-256 sum.

doodlenet: DoodleNet of ml5.js, MIT License, Copyright (c) 2018 ml5. Trained on Quick, Draw! drawings by Google, CC BY 4.0.
mobilenet-v1-025: MobileNet v1, width 0.25, 224 x 224, by Google, for TensorFlow.js. Apache License 2.0, its text is below.
quickdraw: drawings of Quick, Draw!, by Google, made available under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/).
`;

const MIT = `MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions: The above copyright notice and this permission notice shall be included in all copies or substantial portions of
the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

/** The text of the Apache License 2.0, as TypeScript's package has it. */
const apache = (): Promise<string> =>
  readFile(join(createRequire(import.meta.url).resolve("typescript/package.json"), "../LICENSE"), "utf8");

async function licences(): Promise<string> {
  const lines = files.map(
    ({ path, sha256, licence, address }) => `${path}\n  ${licence}\n  SHA-256 ${sha256}\n  ${address ?? ""}`,
  );
  return [CREDITS, MIT, await apache(), lines.join("\n")].join("\n");
}

export function networkServer(): Plugin {
  return {
    name: "networks",
    configureServer(server) {
      server.middlewares.use("/networks/", (request, response, next) => {
        const path = (request.url ?? "").slice(1).replace(/\?.*$/, "");
        const isText = path === "LICENCES.txt";
        if (!isText && !files.some((file) => file.path === path)) return next();
        response.setHeader("content-type", isText ? "text/plain; charset=utf-8" : "application/octet-stream");
        (isText ? licences() : dataFile(path)).then(
          (content) => response.end(content),
          (error: Error) => {
            response.statusCode = 500;
            response.end(error.message);
          },
        );
      });
    },
    async generateBundle() {
      for (const { path } of files)
        this.emitFile({ type: "asset", fileName: `networks/${path}`, source: await dataFile(path) });
      this.emitFile({ type: "asset", fileName: "networks/LICENCES.txt", source: await licences() });
    },
  };
}
