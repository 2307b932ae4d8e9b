// The store that a runtime has: IndexedDB in pages and workers, a file in Node and Deno. Only here is asked which runtime it is.

import { OptionError } from "../index.ts";
import type { AutotuneStore } from "./store.ts";

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

/** Node, and Deno after it. */
const runtime = () => (globalThis as unknown as { readonly process?: Partial<Runtime> | undefined }).process;

interface Runtime {
  readonly env: Readonly<Record<string, string | undefined>>;
  getBuiltinModule(name: string): unknown;
}

/** What comes with them, without an import that a browser would not find. */
const builtin = <Name extends keyof Builtins>(name: Name): Builtins[Name] =>
  runtime()?.getBuiltinModule?.(name) as Builtins[Name];

/** As much of them as is used. */
interface Builtins {
  readonly "node:fs": {
    existsSync(path: string): boolean;
    readFileSync(path: string, encoding: "utf8"): string;
    writeFileSync(path: string, text: string): void;
    renameSync(from: string, to: string): void;
    mkdirSync(path: string, options: { readonly recursive: true }): unknown;
  };
  readonly "node:path": { join(...parts: string[]): string; dirname(path: string): string };
  readonly "node:os": { homedir(): string };
}

/** One JSON for all keys; undefined where there are no files. A file that cannot be read is written anew. */
function fileStore(path: string): AutotuneStore | undefined {
  if (typeof runtime()?.getBuiltinModule !== "function") return undefined;
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

function databaseStore(): AutotuneStore {
  const answer = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  async function table<T>(mode: IDBTransactionMode, ask: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const opening = indexedDB.open("gradus-autotune", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    const database = await answer(opening);
    try {
      return await answer(ask(database.transaction(TABLE, mode).objectStore(TABLE)));
    } finally {
      database.close();
    }
  }
  return {
    get: (key) => table<string | undefined>("readonly", (choices) => choices.get(key)),
    set: (key, value) => table("readwrite", (choices) => choices.put(value, key)),
  };
}
