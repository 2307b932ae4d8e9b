// The tasks of `npm run train` on all of their data for about a minute each on two cores without a GPU: what each has to have learnt by
// then. The tests have a form of seconds, README the whole one.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskName } from "../../demo/tasks/table.ts";
import type { Report } from "../../demo/train/report.ts";

interface Minute {
  readonly steps: number;
  /** What the loss of the last step has to be below, or the figure. */
  readonly below: number;
  /** Of its test, by name, where its loss tells nothing. */
  readonly figure?: string;
}

/** Nats a character, of a text: who knows how often each letter comes, and nothing else, needs 3.118. */
const WORDS = 3.1;

/** Mean drawings as far from the mean digit as black sheets are; those of weights that learnt nothing three or four times. */
const BLACK = 1;

const minutes: Readonly<Record<TaskName, Minute>> = {
  cnn: { steps: 600, below: 0.4 },
  lenet: { steps: 150, below: 0.6 },
  resnet8: { steps: 40, below: 1.2 },
  mobilenet: { steps: 120, below: 0.9 },
  "vit-tiny": { steps: 100, below: 1.2 },
  "char-gpt": { steps: 60, below: WORDS },
  "char-lstm": { steps: 50, below: WORDS },
  "char-gru": { steps: 60, below: WORDS },
  autoencoder: { steps: 400, below: 0.16 },
  denoiser: { steps: 400, below: 0.25 },
  vae: { steps: 150, below: 220 },
  gan: { steps: 200, figure: "apart", below: BLACK },
};

/** What came of a task. */
export interface TaskRun {
  readonly task: TaskName;
  readonly steps: number;
  readonly below: number;
  readonly loss: number;
  /** What is held against `below` instead of the loss. */
  readonly figure?: { readonly name: string; readonly value: number };
  readonly seconds: number;
  readonly passed: boolean;
}

/** "loss 0.0163", what was held against `below`. */
export const shownFigure = ({ loss, figure = { name: "loss", value: loss } }: TaskRun): string =>
  `${figure.name} ${figure.value.toPrecision(3)}`;

/** Trains one as its command does, in a process of its own. */
export async function soakTask(task: TaskName, stopped: AbortSignal): Promise<TaskRun> {
  const folder = mkdtempSync(join(tmpdir(), "gradus-task-"));
  const json = join(folder, "report.json");
  const { steps, below, figure } = minutes[task];
  const words = ["--task", task, "--steps", String(steps), "--out", join(folder, "net.safetensors"), "--json", json];
  try {
    const child = spawn(process.execPath, ["--import", "tsx", "demo/train/main.ts", ...words], {
      stdio: ["ignore", "ignore", "inherit"],
      signal: stopped,
    });
    const code = await new Promise<number | null>((resolve) => {
      child.once("error", () => resolve(null));
      child.once("close", resolve);
    });
    if (code !== 0) return { task, steps, below, loss: Number.NaN, seconds: Number.NaN, passed: false };
    const { lossLast: loss, seconds, test } = JSON.parse(readFileSync(json, "utf8")) as Report;
    const value = figure === undefined ? loss : (test[figure] as number);
    const held = figure === undefined ? {} : { figure: { name: figure, value } };
    return { task, steps, below, loss, ...held, seconds: Math.round(seconds), passed: value < below };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
