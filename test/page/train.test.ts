// `npm run train` as a user meets it: runs the command as a child process on few images and looks at what it prints,
// writes and returns.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { help, options } from "../../demo/train/options.ts";
import { barLine } from "../../src/callbacks/terminal.ts";
import { type Ended, runCommand } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "gradus-train-"));
const inFolder = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const train = (words: readonly string[], interruptAt?: string): Promise<Ended> =>
  runCommand("demo/train/main.ts", words, interruptAt);

/** 80 steps, and a rate for each layer. */
const short = ["--samples", "640", "--epochs", "2", "--batch", "16", "--layer-decay", "0.5"];

describe("a training", () => {
  let run: Ended;
  beforeAll(async () => {
    run = await train([...short, "--out", inFolder("whole.safetensors"), "--json", inFolder("whole.json")]);
  });

  test("says what it does", () => {
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const [adapter, ...rest] = run.stdout.split("\n");
    expect(adapter).toMatch(/^Adapter .*software adapter.*CPU.*slower/);
    expect(rest).toContainEqual(expect.stringMatching(/^epoch 1 of 2, step 1 of 80: loss 2\.\d+, accuracy [\d.]+ %/));
    expect(rest).toContainEqual(
      expect.stringMatching(/^epoch 2 of 2, step 80 of 80: loss \d\.\d+, .* steps\/s, 0:00 left$/),
    );
    expect(run.stdout).toMatch(/Test accuracy \d\d\.\d\d % on 10,000 images/);
    expect(run.stdout).toMatch(/^Time {7}\d+:\d\d on .*software.*, \d+ cores?$/m);
    expect(run.stdout).toMatch(/^Speed {6}[\d.]+ steps\/s$/m);
    expect(run.stdout).toContain("whole.safetensors");
    expect(run.stdout).toContain(`Wrote ${inFolder("whole.png")}\n`);
  });

  test("writes its results as JSON, and meets the engine's promises", () => {
    const report = JSON.parse(readFileSync(inFolder("whole.json"), "utf8"));
    const number = expect.any(Number);
    const layer = {
      name: expect.any(String),
      parameterCount: number,
      state: "active",
      lr: number,
      weightDecay: number,
    };
    expect(report).toEqual({
      adapter: expect.stringContaining("software"),
      date: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      commit: expect.stringMatching(/^[0-9a-f]{7,}(-dirty)?$|^unknown$/),
      processor: expect.stringMatching(/, \d+ cores?$/),
      task: "cnn",
      samples: 640,
      batch: 16,
      seconds: number,
      test: { accuracy: number, loss: number, samples: 10_000 },
      lossFirst: number,
      lossLast: number,
      steps: 80,
      stepsPerSecond: number,
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
    expect(report.test.accuracy).toBeGreaterThan(0.5);
  });

  test("comes to the same bytes a second time, which a Ctrl-C in the test does not lose", async () => {
    const out = inFolder("again.safetensors");
    const { code, stdout } = await train([...short, "--out", out], "Testing");
    expect(code).toBe(130);
    expect(stdout).not.toContain("Test accuracy");
    expect(readFileSync(out).equals(readFileSync(inFolder("whole.safetensors")))).toBe(true);
  });

  test("stopped by Ctrl-C and resumed, comes to the same bytes", async () => {
    const out = inFolder("halves.safetensors");
    const stopped = await train([...short, "--out", out], "step 1 of");
    expect(stopped).toMatchObject({ code: 130, stderr: "" });
    expect(stopped.stdout).toMatch(/Stopped after step \d+ of 80\nSaved .*halves\.safetensors\n/);
    expect(readFileSync(out).equals(readFileSync(inFolder("whole.safetensors")))).toBe(false);

    const again = /To go on: npm run train -- (.*)/.exec(stopped.stdout)?.[1]?.split(" ") ?? [];
    expect(again).toEqual([...short.slice(0, -2), "--out", out, "--resume", out]);
    expect(await train(again, "Testing")).toMatchObject({ code: 130, stderr: "" });
    expect(readFileSync(out).equals(readFileSync(inFolder("whole.safetensors")))).toBe(true);
  });
});

describe("what is learnt is shown", () => {
  test("of a text, in words of its own, on the way and in the end", async () => {
    const words = ["--task", "char-gru", "--samples", "8", "--batch", "4", "--steps", "4", "--out", inFolder("text")];
    const { code, stdout, stderr } = await train([...words, "--json", inFolder("text.json")]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Training char-gru on 8 pieces of 64 characters, 4 steps of 4\n");
    expect(stdout.split("\nThe whale ")).toHaveLength(5);
    expect(stdout).toMatch(/\n\d\.\d{3} nats a character on 512 characters that it never saw; .* needs 3\.\d{3}\n/);
    const { task, test } = JSON.parse(readFileSync(inFolder("text.json"), "utf8"));
    const number = expect.any(Number);
    expect({ task, test }).toEqual({
      task: "char-gru",
      test: { loss: number, accuracy: number, byFrequency: number, samples: 8 },
    });
  });

  test("of two networks that train in turn, as a picture", async () => {
    const words = ["--task", "gan", "--samples", "64", "--batch", "8", "--steps", "12"];
    const whole = await train([...words, "--out", inFolder("gan.safetensors"), "--json", inFolder("gan.json")]);
    expect(whole).toMatchObject({ code: 0, stderr: "" });
    expect(whole.stdout).toMatch(/step 12 of 12: loss \d\.\d+, critic \d\.\d+, artist \d\.\d+, /);
    expect(whole.stdout).toMatch(/sure of \d+\.\d % of 500 drawings, of real digits of \d+\.\d %; it finds \d+ of/);
    expect(whole.stdout).toContain(`Wrote ${inFolder("gan.png")}\n`);
    // Signature, then the header of an image of 12 x 8 pictures, twice as large.
    const picture = readFileSync(inFolder("gan.png"));
    expect([...picture.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([12 * 60 + 4, 8 * 60 + 4]);
  });
});

test("--help prints the options", async () => {
  expect(await train(["--help"])).toEqual({ code: 0, stdout: `${help}\n`, stderr: "" });
});

test.each([
  [["--smaples", "5"], 2, "train: there is no option --smaples. See --help."],
  [["--freeze", "haed", "--out", inFolder("never")], 1, '"haed" matches no layer. Did you mean "head"?'],
])("%j ends with one line and exit code %i", async (words, code, text) => {
  const run = await train(words);
  expect(run.stderr.trimEnd().split("\n")).toEqual([expect.stringContaining(text)]);
  expect(run.code).toBe(code);
});

test.each([
  [["--task", "cmm"], /^--task: knows cnn, .*, not "cmm"\.$/],
  [["--samples", "0"], '--samples: expected a whole number from 1, not "0".'],
  [["--epochs", "2", "--steps", "5"], "--epochs or --steps, not both."],
  [["--epochs", "1.5"], '--epochs: expected a whole number from 1, not "1.5".'],
  [["--lr", "fast"], '--lr: expected a number above 0, not "fast".'],
  [["--layer-decay", "2"], '--layer-decay: expected a number above 0 and at most 1, not "2".'],
  [["--runtime", "bun"], '--runtime: knows chromium, deno, node, not "bun".'],
  [["--seed", "-1"], '--seed: expected a whole number from 0, not "-1".'],
  [["--json"], "--json: its value is missing. See --help."],
  [["--out", folder], `--out: cannot write ${folder} (it is a folder).`],
  [["--resume", inFolder("none")], /^--resume: cannot read .*none \(ENOENT.*\)\.$/],
  [["5"], '"5" is no option. See --help.'],
])("%j is refused", (words, text) => {
  expect(() => options(words)).toThrow(text);
});

test("the bar takes the room that is left and no more", () => {
  const tick = {
    epoch: 2,
    step: 2500,
    loss: 0.1234,
    accuracy: 0.978,
    reports: {},
    stepsPerSecond: 15.42,
    secondsLeft: 95,
  };
  const size = { steps: 5100, stepsPerEpoch: 1700 };
  const facts = " 2500/5100  loss 0.123  acc 97.8 %   15.4 steps/s   1:35 left";
  expect(barLine(tick, size, 79)).toBe(`epoch 2/3 ███░░░░░${facts}`);
  expect(barLine(tick, size, 200)).toBe(`epoch 2/3 ${"█".repeat(14)}${"░".repeat(16)}${facts}`);
  const without = { ...tick, accuracy: Number.NaN, reports: { critic: 1.25 } };
  expect(barLine(without, { steps: 5000, stepsPerEpoch: 1700 }, 80)).toBe(
    `${"█".repeat(8)}${"░".repeat(9)} 2500/5000  loss 0.123  critic 1.250   15.4 steps/s   1:35 left`,
  );
  expect(barLine(tick, size, 40)).toBe(`epoch 2/3 ${facts}`.slice(0, 40));
});
