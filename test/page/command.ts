// A command of package.json as a user starts it: a child process on the software adapter, and what it prints and returns.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `script`; with `interruptAt`, it gets a Ctrl-C once it has printed that text. */
export function runCommand(script: string, words: readonly string[], interruptAt?: string): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", script, ...words], {
      cwd: repository,
      env: { ...process.env, GRADUS_ADAPTER: "software" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const printed = { stdout: "", stderr: "" };
    let interrupted = false;
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (text) => {
        printed[name] += text;
        if (interruptAt === undefined || interrupted || !printed[name].includes(interruptAt)) return;
        interrupted = true;
        child.kill("SIGINT");
      });
    }
    child.once("close", (code) => resolve({ code, ...printed }));
  });
}
