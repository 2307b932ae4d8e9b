// Deno and Node as places to run a bundle in: starts the process, finds it an adapter, and calls its functions.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { type Adapter, softwareWanted } from "./adapter.ts";
import { decode, encode } from "./channel.ts";
import { ensureVulkan, lavapipe, swiftshader } from "./vulkan.ts";

export type ProcessRuntime = "deno" | "node";

/** What a process tells by itself, by name. */
export type Heard = Readonly<Record<string, (...values: never[]) => void>>;

export interface RuntimeProcess {
  readonly adapter: Adapter;
  /** "Node 20.1.0". */
  readonly version: string;
  /** Rejects where the function throws, or the process ends before it answers. */
  call<T>(name: string, ...values: readonly unknown[]): Promise<T>;
  /** Begins anew, with nothing left of what ran before. */
  renew(): Promise<void>;
  /** Calls under way are rejected. */
  close(): void | Promise<void>;
}

function commandOf(runtime: ProcessRuntime, bundle: string): readonly [string, readonly string[]] {
  if (runtime === "node") return [process.execPath, [bundle]];
  // Its own way to its binary, which works whether or not install scripts were allowed.
  const { runInstall } = createRequire(import.meta.url)("deno/install_api.cjs") as { runInstall(): string };
  return [
    runInstall(),
    ["run", "--allow-all", "--unstable-webgpu", "--no-config", "--node-modules-dir=manual", bundle],
  ];
}

function start(runtime: ProcessRuntime, bundle: string, environment: NodeJS.ProcessEnv, heard: Heard) {
  const [command, words] = commandOf(runtime, bundle);
  // In a group of its own: a Ctrl-C is for the command, which decides what becomes of the process.
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", ...environment };
  const child = spawn(command, words, { stdio: ["pipe", "pipe", "pipe"], env, detached: true });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let said = ""; // what it printed last, which tells why it ended
  let ended: Error | undefined;
  let calls = 0;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (text) => {
      const line = decode(text);
      if (line === undefined) said = `${said}\n${text}`.slice(-1500);
      else if (line.name !== undefined) heard[line.name]?.(...((line.values ?? []) as never[]));
      else {
        const asked = waiting.get(line.id as number);
        waiting.delete(line.id as number);
        if (line.error === undefined) asked?.resolve(line.answer);
        else asked?.reject(new Error(line.error));
      }
    });
  }
  const end = (why: string): void => {
    ended ??= new Error(`${runtime}: the process ended (${why}).${said}`);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  child.once("error", (error) => end(error.message));
  child.once("close", (code, signal) => end(signal ?? `exit code ${code}`));
  child.stdin.on("error", () => undefined); // told by `close`
  const killed = () => child.kill("SIGKILL");
  process.once("exit", killed);
  return {
    call<T>(name: string, ...values: readonly unknown[]): Promise<T> {
      return new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        waiting.set(++calls, { resolve: resolve as (value: unknown) => void, reject });
        child.stdin.write(encode({ id: calls, name, values }));
      });
    },
    close(): void {
      process.off("exit", killed);
      child.kill("SIGKILL");
    },
  };
}

/**
 * Starts `bundle` in a runtime, with the GPU's adapter where one is reachable, else with the software one. The bundle answers
 * `adapterHere` beside its own functions.
 */
export async function openProcess(runtime: ProcessRuntime, bundle: string, heard: Heard): Promise<RuntimeProcess> {
  await ensureVulkan();
  const software = { deno: lavapipe, node: swiftshader }[runtime];
  const chosen = process.platform === "linux" ? [async () => ({}), software] : [async () => ({})];
  for (const choose of softwareWanted() ? chosen.slice(-1) : chosen) {
    const environment = await choose();
    let child = start(runtime, bundle, environment, heard);
    try {
      const { adapter, version } = await child.call<{ adapter: Adapter | null; version: string }>("adapterHere");
      if (adapter !== null) {
        return {
          adapter,
          version,
          call: (name, ...values) => child.call(name, ...values),
          async renew() {
            child.close();
            child = start(runtime, bundle, environment, heard);
          },
          close: () => child.close(),
        };
      }
    } catch (error) {
      child.close();
      throw error;
    }
    child.close();
  }
  throw new Error(`${runtime}: WebGPU found no adapter, not even a software one. Update the graphics driver.`);
}
