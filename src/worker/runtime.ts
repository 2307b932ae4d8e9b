// Workers as the runtime has them: those of pages, which Deno has too, and the threads of Node. Only here is asked which runtime
// it is. That a worker is gone no event of a browser tells; a lock that it holds while it lives does.

import { DeviceError } from "../index.ts";

/** As much of a worker as is used: a Worker of pages and Deno, or one of node:worker_threads. */
export interface WorkerLike {
  /** Sends a message to the other side. */
  postMessage(message: unknown, transfer: never): void;
  /** Ends the worker. */
  terminate(): unknown;
}

/** A worker, or from within it the page. */
export interface Peer {
  post(message: unknown, transfer?: readonly unknown[]): void;
  listen(hear: (message: unknown) => void): void;
}

interface Target {
  postMessage(message: unknown, transfer: readonly unknown[]): void;
  addEventListener?(kind: string, listener: (event: MessageEvent & ErrorEvent) => void): void;
  on?(kind: string, listener: (given: unknown) => void): void;
}

interface Threads {
  readonly Worker: new (url: URL) => WorkerLike;
  readonly parentPort: Target | null;
}

/** The threads of Node, where that is what runs. */
function threads(): Threads | undefined {
  const { process } = globalThis as unknown as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.("node:worker_threads") as Threads | undefined;
}

const peer = (target: Target): Peer => ({
  post: (message, transfer = []) => target.postMessage(message, transfer),
  listen(hear) {
    if (target.on !== undefined) target.on("message", hear);
    else target.addEventListener?.("message", ({ data }) => hear(data));
  },
});

/** Begins a module worker. */
export function startWorker(place: string, url: URL | string): WorkerLike {
  if (typeof Worker !== "undefined") return new Worker(url, { type: "module" });
  const { Worker: Thread } = threads() ?? {};
  if (Thread === undefined)
    throw new DeviceError(`${place}: there are no workers here. Train with compile, on this thread.`);
  return new Thread(new URL(url));
}

/** The worker as one to talk to; `ended` hears why it can do no more. */
export function peerOf(worker: WorkerLike, ended: (why: string) => void): Peer {
  const target = worker as unknown as Target;
  if (target.on !== undefined) {
    target.on("error", (error) => ended(`failed: ${String(error)}`));
    target.on("exit", () => ended("has ended"));
  } else {
    target.addEventListener?.("error", (event) => {
      // The error is told here; in the console of Deno it would end the program.
      event.preventDefault();
      ended(event.message ? `failed: ${event.message}` : "could not be loaded");
    });
    target.addEventListener?.("messageerror", () => ended("has sent what cannot be read"));
  }
  return peer(target);
}

/** The page, from within a worker; undefined elsewhere. */
export function parent(): Peer | undefined {
  if ("WorkerGlobalScope" in globalThis) return peer(globalThis as unknown as Target);
  const port = typeof Worker === "undefined" ? threads()?.parentPort : undefined;
  return port ? peer(port) : undefined;
}

/** Takes a lock, and keeps it until the promise of `held` settles. False where there are no locks. */
export function lock(name: string, held: () => Promise<unknown>, signal?: AbortSignal): boolean {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  if (locks === undefined) return false;
  // Refused where a page has no origin, and when the signal is given.
  locks.request(name, signal ? { signal } : {}, held).catch(() => undefined);
  return true;
}
