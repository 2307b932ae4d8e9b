// PyTorch on the CPU as an engine: a process for each workload, which is handed the same weights and batches.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { adam } from "../../demo/bench/engine.ts";
import { BATCHES, batchOf, isFrozen, startingWeights, type Workload } from "../../demo/bench/workload.ts";

export interface PytorchTask {
  readonly rounds: number;
  readonly steps: number;
  /** Steps whose losses are told. */
  readonly checked: number;
}

export interface PytorchResult {
  readonly losses: readonly number[];
  /** Milliseconds a step of each block. */
  readonly times: readonly number[];
  readonly version: string;
  readonly threads: number;
}

/** Pythons that may have it: the one that is asked for, that of the system, the first of the path. */
const pythons = [process.env.GRADUS_PYTHON, "/usr/bin/python3", "python3"].filter((path) => path !== undefined);

function started(python: string, words: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, words, { stdio: ["pipe", "pipe", "pipe"] });
    let [output, said] = ["", ""];
    child.stdout.on("data", (text) => {
      output += text;
    });
    child.stderr.on("data", (text) => {
      said = `${said}${text}`.slice(-1000);
    });
    child.stdin.on("error", () => undefined); // told by `close`
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`pytorch: the process ended with code ${code}. ${said}`));
    });
    child.stdin.end(input);
  });
}

/** The first Python that imports torch; undefined where none does. */
export async function findPytorch(): Promise<string | undefined> {
  for (const python of pythons) {
    const version = await started(python, ["-c", "import torch; print(torch.__version__)"], "").catch(() => undefined);
    if (version !== undefined) return python;
  }
  return undefined;
}

const encoded = (data: Float32Array | Uint32Array, shape: readonly number[]) => {
  return { shape, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64") };
};

export async function runPytorch(python: string, workload: Workload, task: PytorchTask): Promise<PytorchResult> {
  const { name, batch, input, tokens, tensors } = workload;
  const labels = tokens === undefined ? [batch] : [batch, ...input];
  const given = {
    ...task,
    ...{ name, adam, tokens: tokens !== undefined },
    tensors: tensors.map((tensor, i) => ({
      ...{ name: tensor.name, frozen: isFrozen(workload, tensor.name) },
      ...encoded(startingWeights(workload, i), tensor.shape),
    })),
    batches: Array.from({ length: BATCHES }, (_, k) => {
      const { x, y } = batchOf(workload, k);
      return { x: encoded(x, [batch, ...input]), y: encoded(y, labels) };
    }),
  };
  const script = fileURLToPath(new URL("./pytorch.py", import.meta.url));
  return JSON.parse(await started(python, [script], JSON.stringify(given))) as PytorchResult;
}
