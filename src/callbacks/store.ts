// Where checkpoints are kept: a file of Node or Deno, the origin's own files, or IndexedDB. A write is whole or not at all, so whoever
// reads after a crash finds the old bytes or the new ones.

import { say } from "../foreign/options.ts";
import { builtin, hasFiles, ownFiles, table } from "../foreign/runtime.ts";
import { OptionError } from "../index.ts";

/** One checkpoint, which the next takes the place of. */
export interface CheckpointStore {
  /** Keeps the bytes; until it is done, what was there stays. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<unknown>;
  /** The last bytes that were written to the end; undefined where there are none yet. */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/**
 * A file in Node or Deno, whose folder is made. Bytes are written beside it, to `path` and ".new", brought to the disk, and renamed. Throws
 * OptionError where there are no files.
 */
export function file(path: string): CheckpointStore {
  checkPath("file", path);
  if (!hasFiles()) {
    throw new OptionError(`file: there are no files here, but of the origin's own. Give opfs("${path}").`);
  }
  const [files, { dirname }] = [builtin("node:fs/promises"), builtin("node:path")];
  return {
    async write(bytes) {
      await files.mkdir(dirname(path), { recursive: true });
      const beside = await files.open(`${path}.new`, "w");
      try {
        await beside.writeFile(bytes);
        await beside.sync();
      } finally {
        await beside.close();
      }
      await files.rename(`${path}.new`, path);
    },
    async read() {
      try {
        return new Uint8Array(await files.readFile(path));
      } catch (error) {
        if ((error as { readonly code?: unknown }).code === "ENOENT") return undefined;
        throw error;
      }
    },
  };
}

/**
 * A file of the origin's own (OPFS), in pages and workers; folders before a "/" are made. The browser writes beside it and renames when all is
 * there. Throws OptionError where there are no such files.
 */
export function opfs(path: string): CheckpointStore {
  checkPath("opfs", path);
  const storage = ownFiles();
  if (typeof storage?.getDirectory !== "function")
    throw new OptionError(`opfs: there are no files of an origin here. Outside of a browser give file("${path}").`);
  const parts = path.split("/");
  const name = parts.pop() as string;
  async function handleOf(create: boolean) {
    let folder = await storage?.getDirectory();
    for (const part of parts) folder = await folder?.getDirectoryHandle(part, { create });
    return folder?.getFileHandle(name, { create });
  }
  return {
    async write(bytes) {
      const writer = await (await handleOf(true))?.createWritable();
      try {
        await writer?.write(bytes);
      } catch (error) {
        await writer?.abort();
        throw error;
      }
      await writer?.close();
    },
    async read() {
      try {
        const found = await (await handleOf(false))?.getFile();
        // One that was made and not yet written is empty.
        return found === undefined || found.size === 0 ? undefined : new Uint8Array(await found.arrayBuffer());
      } catch (error) {
        if ((error as Error).name === "NotFoundError") return undefined;
        throw error;
      }
    },
  };
}

const DATABASE = "gradus-checkpoints";
const TABLE = "checkpoints";

/**
 * An entry of IndexedDB, in pages and workers: of the table "checkpoints" in the database "gradus-checkpoints". A write is one transaction,
 * and has reached the disk when it is done. Of 200 kills of Chromium two cost the whole database, which `opfs` lost in none. Throws
 * OptionError where there is no IndexedDB.
 */
export function indexedDb(key: string): CheckpointStore {
  checkPath("indexedDb", key);
  if (typeof indexedDB === "undefined")
    throw new OptionError(`indexedDb: there is no IndexedDB here. Outside of a browser give file("${key}").`);
  return {
    write: (bytes) => table(DATABASE, TABLE, "readwrite", (all) => all.put(bytes, key)),
    read: () => table<Uint8Array<ArrayBuffer> | undefined>(DATABASE, TABLE, "readonly", (all) => all.get(key)),
  };
}

function checkPath(place: string, path: unknown): void {
  if (typeof path === "string" && path !== "" && !path.endsWith("/")) return;
  throw new OptionError(`${place}: ${say(path)} is no name of a checkpoint. Give for example "run.safetensors".`);
}
