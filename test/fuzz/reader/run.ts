// Wrong files read in a process of their own, which is watched: a file that makes it crash, run out of memory or fall silent is a fault like
// any other, and the files behind it are read by the next process.

import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBundle } from "../../../demo/bundle.ts";
import type { InputResult } from "./input.ts";

/** Milliseconds of silence after which an input hangs: a file of some kilobytes takes a few. */
const PATIENCE = 60_000;

/** Of V8: all that one input makes fits into what is young, so that it is counted; and what is old stays small. */
const MEMORY = ["--expose-gc", "--min-semi-space-size=64", "--max-semi-space-size=64", "--max-old-space-size=512"];

/** Reads the inputs of these numbers. `told` gets each result; it ends early where `stopped`. */
export async function readInputs(
  from: number,
  count: number,
  told: (result: InputResult) => void,
  stopped?: AbortSignal,
): Promise<void> {
  // A folder of its own, since tests and a soak may run beside each other.
  const folder = mkdtempSync(join(tmpdir(), "gradus-readers-"));
  try {
    const script = await makeBundle({ entry: "test/fuzz/reader/process.ts", kind: "process", folder });
    for (let next = from; next < from + count && !stopped?.aborted; ) {
      const end = await once(script, next, from + count - next, told, stopped);
      if (end.fault !== undefined) told({ ...end.begun, bytes: 0, allocated: 0, ...end.fault });
      next = end.begun.number + 1;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a process tells before it reads. */
export type Begun = Pick<InputResult, "number" | "reader">;

interface Ended {
  /** The last input, or that of the fault. */
  readonly begun: Begun;
  readonly fault?: Pick<InputResult, "was" | "message">;
}

const once = (
  script: string,
  from: number,
  count: number,
  told: (result: InputResult) => void,
  stopped?: AbortSignal,
): Promise<Ended> =>
  new Promise((resolve) => {
    const child = fork(script, [String(from), String(count)], {
      execArgv: MEMORY,
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    let begun: Begun = { number: from, reader: "" };
    let [hung, said] = [false, ""];
    const silence = () =>
      setTimeout(() => {
        hung = true;
        child.kill("SIGKILL");
      }, PATIENCE);
    let timer = silence();
    const stop = () => child.kill();
    stopped?.addEventListener("abort", stop);
    child.stderr?.on("data", (text) => {
      said = `${said}${text}`.slice(-2000);
    });
    child.on("message", (message: InputResult | { begun: Begun }) => {
      clearTimeout(timer);
      timer = silence();
      if ("begun" in message) begun = message.begun;
      else told(message);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      stopped?.removeEventListener("abort", stop);
      if (code === 0 || stopped?.aborted) return resolve({ begun });
      const message = hung ? `no end after ${PATIENCE} ms` : `it ended with ${code ?? signal}: ${said.trim()}`;
      resolve({ begun, fault: { was: hung ? "hung" : "crash", message } });
    });
  });
