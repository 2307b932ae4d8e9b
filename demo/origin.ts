// Where a measurement comes from: what must stand beside every time, so that it is not taken for that of another machine.

import { execFileSync } from "node:child_process";
import { availableParallelism, cpus } from "node:os";
import { fileURLToPath } from "node:url";

export interface Origin {
  /** ISO 8601, of the end of the measurement. */
  readonly date: string;
  /** Of this repository; "-dirty" where files differ from it. */
  readonly commit: string;
  readonly adapter: string;
  /** The processor's name and the cores that this process may use; a software adapter computes on them. */
  readonly processor: string;
}

export function commit(): string {
  try {
    const git = ["describe", "--always", "--dirty", "--exclude=*"];
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    return execFileSync("git", git, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}

export function originOf(adapter: string): Origin {
  const cores = availableParallelism();
  const processor = `${cpus()[0]?.model.trim() || "unknown processor"}, ${cores} core${cores === 1 ? "" : "s"}`;
  return { date: new Date().toISOString(), commit: commit(), adapter, processor };
}
