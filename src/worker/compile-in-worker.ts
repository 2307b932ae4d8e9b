// From a module's address and settings to a trainer that works in a worker. The module is the worker: nothing is made of text, so a
// strict Content-Security-Policy holds, and a bundler finds it as it finds every worker.

import { type AlternatingOptions, DeviceError, GradusError, OptionError } from "../index.ts";
import { packed } from "./crossing.ts";
import { createLink } from "./link.ts";
import { type Hello, listenerNames, type Meeting } from "./messages.ts";
import { lock, peerOf, startWorker, type WorkerLike } from "./runtime.ts";
import { type About, trainerOver, type WorkerTrainer } from "./trainer.ts";

/** The options of `compile` that are plain data, and functions that are told; all others stand in the module. */
export interface WorkerSettings
  extends Partial<
    Omit<
      AlternatingOptions,
      | "loss"
      | "losses"
      | "metrics"
      | "optimizer"
      | "schedule"
      | "momentum"
      | "control"
      | "autotune"
      | "precision"
      | "selfTest"
      | "memoryLimit"
      | "device"
      | "gpu"
    >
  > {
  /** Plain data for the function that the module has given to `serve`. */
  readonly given?: unknown;
  /** How long the module may take to load and to call `serve`. Default 60. */
  readonly seconds?: number;
}

/** Workers begun by this page: their locks are called after it. */
let begun = 0;

/** Milliseconds between two knocks at a worker that is not there yet. */
const KNOCK = 50;

/**
 * Begins a worker with a module that calls `serve`, and compiles its model there: adapter, device and all steps are the worker's, and the
 * page stays free. In the place of an address it takes a Worker that you have begun, as a bundler wants it written:
 * new Worker(new URL("./model.js", import.meta.url), { type: "module" }).
 *
 * Throws OptionError for settings that cannot cross, before anything is posted; DeviceError where there are no workers, the module
 * cannot be loaded or does not call `serve` in time; and what `compile` throws. The worker is ended then.
 *
 * @example
 * const trainer = await compileInWorker(new URL("./model.js", import.meta.url), { input: [784], batch: 64 });
 */
export async function compileInWorker(
  module: URL | string | WorkerLike,
  settings: WorkerSettings = {},
): Promise<WorkerTrainer> {
  const place = "compileInWorker";
  const { seconds = 60, ...rest } = settings;
  if (!(seconds > 0)) throw new OptionError(`${place}: seconds is ${seconds}, it must be greater than 0.`);
  for (const name of ["device", "gpu"]) {
    if (!(name in rest)) continue;
    throw new OptionError(
      `${place}: settings.${name} belongs to this thread. Leave it out: the worker asks for its own.`,
    );
  }
  // Refused here, though it is packed again when it is sent: no worker is begun for what cannot cross.
  const told = Object.entries(rest).filter(
    ([key, value]) => listenerNames.includes(key) && typeof value === "function",
  );
  packed(
    place,
    "settings",
    Object.fromEntries(Object.entries(rest).filter(([key]) => !told.some(([name]) => name === key))),
  );
  const worker = isWorker(module) ? module : startWorker(place, module);
  const name = `gradus ${performance.timeOrigin + performance.now()} ${++begun}`;
  const leaving = new AbortController();
  const { port1, port2 } = new MessageChannel();
  let lost: (error: Error) => void = () => undefined;
  const gone = new Promise<never>((_, reject) => {
    lost = reject;
  });
  gone.catch(() => undefined);
  function close(error: Error): void {
    leaving.abort();
    lost(error);
    link.end(error);
    worker.terminate();
  }
  let advice =
    "Look at its module: what it imports, where it lies, and whether the page's policy lets it in (worker-src).";
  const ended = (why: string): void => close(new DeviceError(`${place}: the worker ${why}. ${advice}`));
  const link = createLink(port1, () => void lock(name, async () => ended("has ended"), leaving.signal));
  const peer = peerOf(worker, ended);
  try {
    await Promise.race([gone, met(peer, { gradus: "open", port: port2, lock: name }, seconds, leaving.signal)]);
    const about = (await link.call("compile", [rest])) as About;
    advice = "Compile anew, and load a checkpoint.";
    let disposed: Promise<void> | undefined;
    return trainerOver(link, about, () => {
      disposed ??= link
        .call("dispose", [])
        .then(
          () => undefined,
          () => undefined,
        )
        .then(() => close(new GradusError("The trainer was disposed of. Compile another one.")));
      return disposed;
    });
  } catch (error) {
    close(error as Error);
    throw error;
  }
}

/** Knocks until the module has called `serve`, or the worker is given up, and hands it the port. */
function met(
  peer: ReturnType<typeof peerOf>,
  open: Extract<Meeting, { readonly port: unknown }>,
  seconds: number,
  leaving: AbortSignal,
) {
  return new Promise<void>((resolve, reject) => {
    let knocks = 0;
    let isMet = false;
    const knock = (): void => {
      peer.post({ gradus: "ping" } satisfies Meeting);
      if (++knocks * KNOCK <= 1000 * seconds) return;
      clearInterval(again);
      const late = `compileInWorker: the module has not called serve within ${seconds} seconds.`;
      reject(new DeviceError(`${late} End it with serve({ model, ... }), or give it more seconds.`));
    };
    const again = setInterval(knock, KNOCK);
    leaving.addEventListener("abort", () => clearInterval(again));
    peer.listen((message) => {
      if (isMet || (message as Hello)?.gradus !== "hello") return;
      isMet = true;
      clearInterval(again);
      peer.post(open, [open.port]);
      resolve();
    });
    knock();
  });
}

const isWorker = (value: unknown): value is WorkerLike => typeof Object(value).postMessage === "function";
