// What a runtime has beside WebGPU: the modules that come with Node and Deno, and the databases of a browser. Entry points ask for it here.

/** Node, and Deno after it; undefined in a page. */
export const runtime = () => (globalThis as unknown as { readonly process?: Partial<Runtime> | undefined }).process;

interface Runtime {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: {
    readonly isTTY?: boolean;
    readonly columns?: number;
    write(text: string): unknown;
  };
  getBuiltinModule(name: string): unknown;
}

/** Whether there are files. */
export const hasFiles = (): boolean => typeof runtime()?.getBuiltinModule === "function";

/** What comes with them, without an import that a browser would not find. */
export const builtin = <Name extends keyof Builtins>(name: Name): Builtins[Name] =>
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
  readonly "node:fs/promises": {
    open(path: string, flags: "w"): Promise<OpenFile>;
    readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
    appendFile(path: string, bytes: Uint8Array): Promise<void>;
    rename(from: string, to: string): Promise<void>;
    mkdir(path: string, options: { readonly recursive: true }): Promise<unknown>;
  };
  readonly "node:path": { join(...parts: string[]): string; dirname(path: string): string };
  readonly "node:os": { homedir(): string; hostname(): string };
}

interface OpenFile {
  writeFile(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The origin's own files, in a browser that has them. */
export const ownFiles = () => (globalThis as { readonly navigator?: Partial<Navigator> }).navigator?.storage;

/** Asks a table of a database of the browser, which is made where there is none, and waits until the transaction is done. */
export async function table<T>(
  database: string,
  name: string,
  mode: IDBTransactionMode,
  ask: (table: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const opening = indexedDB.open(database, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(name);
  const opened = await answer(opening);
  try {
    // Strict: what is done is on the disk.
    const transaction = opened.transaction(name, mode, { durability: "strict" });
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const [found] = await Promise.all([answer(ask(transaction.objectStore(name))), done]);
    return found;
  } finally {
    opened.close();
  }
}

const answer = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
