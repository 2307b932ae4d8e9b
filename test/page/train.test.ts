// `npm run train` as a user meets it: runs the command as a child process on few images and looks at what it prints,
// writes and returns.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { help } from "../../demo/train/options.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gradus-train-"));
const inFolder = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command; with `interruptAt`, it gets a Ctrl-C once its output holds that text. */
function train(words: readonly string[], interruptAt?: string): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", "demo/train/main.ts", ...words], {
      cwd: repository,
      env: { ...process.env, GRADUS_ADAPTER: "software" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr, interrupted] = ["", "", false];
    child.stdout.on("data", (text) => {
      stdout += text;
      if (interruptAt === undefined || interrupted || !stdout.includes(interruptAt)) return;
      interrupted = true;
      child.kill("SIGINT");
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

const short = ["--images", "1280", "--epochs", "2", "--layer-decay", "0.5"];

describe("a training", () => {
  let run: Run;
  beforeAll(async () => {
    run = await train([...short, "--out", inFolder("whole.safetensors"), "--json", inFolder("whole.json")]);
  });

  test("says what it does", () => {
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const [adapter, ...rest] = run.stdout.split("\n");
    expect(adapter).toMatch(/^Adapter .*software adapter.*CPU.*slower/);
    expect(rest).toContainEqual(expect.stringMatching(/^epoch 1 of 2, step 1 of 80: loss 2\.\d+, accuracy [\d.]+ %/));
    expect(rest).toContainEqual(
      expect.stringMatching(/^epoch 2 of 2, step 80 of 80: loss 0\.\d+, .* images\/s, 0:00 left$/),
    );
    expect(run.stdout).toMatch(/Test accuracy \d\d\.\d\d %/);
    expect(run.stdout).toContain("whole.safetensors");
  });

  test("writes its results as JSON, and meets the engine's promises", () => {
    const report = JSON.parse(readFileSync(inFolder("whole.json"), "utf8"));
    const number = expect.any(Number);
    const layer = { name: expect.any(String), parameters: number, state: "active", lr: number, weightDecay: number };
    expect(report).toEqual({
      adapter: expect.stringContaining("software"),
      testAccuracy: number,
      lossFirst: number,
      lossLast: number,
      steps: 80,
      imagesPerSecond: number,
      parameters: number,
      layers: [layer, layer, layer],
      perStep: {
        dispatches: number,
        passes: number,
        submits: number,
        createBuffer: 0,
        createBindGroup: 0,
        createComputePipeline: 0,
        writeBuffer: number,
      },
      memory: { planned: number, naive: number, lowerBound: number },
    });
    const { layers, perStep, memory } = report;
    expect(layers.map(({ lr }: { lr: number }) => lr)).toEqual([0.0025, 0.005, 0.01]);
    expect(perStep.dispatches).toBeGreaterThan(0);
    expect(perStep.dispatches).toBeLessThanOrEqual(25);
    expect(perStep.submits).toBeGreaterThan(0);
    expect(perStep.submits).toBeLessThanOrEqual(1);
    expect(memory.planned).toBeLessThanOrEqual(1.2 * memory.lowerBound);
    expect(memory.planned).toBeLessThan(memory.naive);
    expect(report.lossLast).toBeLessThan(report.lossFirst);
    expect(report.testAccuracy).toBeGreaterThan(0.8);
  });

  test("stopped by Ctrl-C and resumed, comes to the same bytes", async () => {
    const out = inFolder("halves.safetensors");
    const stopped = await train([...short, "--out", out], "step 1 of");
    expect(stopped).toMatchObject({ code: 130, stderr: "" });
    expect(stopped.stdout).toMatch(/Stopped after step \d+ of 80, saved in .*halves\.safetensors/);
    expect(readFileSync(out).equals(readFileSync(inFolder("whole.safetensors")))).toBe(false);

    const again = /To go on: npm run train -- (.*)/.exec(stopped.stdout)?.[1]?.split(" ") ?? [];
    expect(again).toEqual([...short.slice(0, 4), "--out", out, "--resume", out]);
    const resumed = await train(again);
    expect(resumed).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(out).equals(readFileSync(inFolder("whole.safetensors")))).toBe(true);
  });
});

test("the same seed twice gives the same bytes, another seed others", async () => {
  const files = [];
  for (const seed of ["7", "7", "8"]) {
    const out = inFolder(`seed${files.length}.safetensors`);
    expect(await train(["--images", "100", "--epochs", "1", "--seed", seed, "--out", out])).toMatchObject({ code: 0 });
    files.push(readFileSync(out));
  }
  const [first, second, other] = files as [Buffer, Buffer, Buffer];
  expect(first.equals(second)).toBe(true);
  expect(first.equals(other)).toBe(false);
});

test("--help prints the options", async () => {
  expect(await train(["--help"])).toEqual({ code: 0, stdout: `${help}\n`, stderr: "" });
});

test.each([
  [["--imagse", "5"], 2, "there is no option --imagse"],
  [["--images", "0"], 2, "--images: expected a whole number from 1 to 60000"],
  [["--lr", "fast"], 2, '--lr: expected a number above 0, not "fast"'],
  [["--json"], 2, "--json: its value is missing"],
  [["5"], 2, '"5" is no option'],
  [["--resume", inFolder("none")], 2, "--resume: cannot read"],
  [
    ["--images", "100", "--freeze", "haed", "--out", inFolder("never")],
    1,
    '"haed" matches no layer. Did you mean "head"?',
  ],
] as const)("train %j ends with one line and exit code %i", async (words, code, text) => {
  const run = await train(words);
  expect(run.stderr.trimEnd().split("\n")).toEqual([expect.stringContaining(text)]);
  expect(run.code).toBe(code);
});
