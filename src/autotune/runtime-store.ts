// The store that a runtime has: IndexedDB in pages and workers, a file in Node and Deno.

import { builtin, hasFiles, runtime, table } from "../foreign/runtime.ts";
import { OptionError } from "../index.ts";
import type { AutotuneStore } from "./store.ts";

const DATABASE = "gradus-autotune";
const TABLE = "choices";

/** What the user asked for; a path names a file of Node or Deno. */
export function storeOf(store: AutotuneStore | string | undefined): AutotuneStore | undefined {
  if (typeof store !== "string") return store ?? runtimeStore();
  const found = fileStore(store);
  if (found !== undefined) return found;
  throw new OptionError(
    `autotune: store is the path "${store}", and there are no files here. Leave it out for the browser's own storage, or give { get, set }.`,
  );
}

/** The default; undefined where nothing is kept. */
function runtimeStore(): AutotuneStore | undefined {
  if (typeof indexedDB !== "undefined") return databaseStore();
  try {
    const { env = {} } = runtime() ?? {};
    const { join } = builtin("node:path");
    const folder = env.XDG_CACHE_HOME ?? env.LOCALAPPDATA ?? join(builtin("node:os").homedir(), ".cache");
    return fileStore(join(folder, "gradus", "autotune.json"));
  } catch {
    return undefined; // no such runtime, or one that does not allow it
  }
}

/** One JSON for all keys; undefined where there are no files. A file that cannot be read is written anew. */
function fileStore(path: string): AutotuneStore | undefined {
  if (!hasFiles()) return undefined;
  const [files, { dirname }] = [builtin("node:fs"), builtin("node:path")];
  const all = (): Record<string, string> =>
    files.existsSync(path) ? { ...JSON.parse(files.readFileSync(path, "utf8")) } : {};
  return {
    get: (key) => all()[key],
    set(key, value) {
      let before: Record<string, string> = {};
      try {
        before = all();
      } catch {
        // damaged, as `get` has said
      }
      files.mkdirSync(dirname(path), { recursive: true });
      // Whole or not at all: another process may read it now.
      files.writeFileSync(`${path}.new`, JSON.stringify({ ...before, [key]: value }));
      files.renameSync(`${path}.new`, path);
    },
  };
}

const databaseStore = (): AutotuneStore => ({
  get: (key) => table<string | undefined>(DATABASE, TABLE, "readonly", (choices) => choices.get(key)),
  set: (key, value) => table(DATABASE, TABLE, "readwrite", (choices) => choices.put(value, key)),
});
