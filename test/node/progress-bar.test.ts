// The console printer: a bar on a terminal, plain lines elsewhere, each with what an epoch told.

import { expect, test } from "vitest";
import { fitWith, progressBar, type TextStream } from "../../src/callbacks/index.ts";
import { OptionError } from "../../src/index.ts";
import { data, type Play, played } from "./played.ts";

/** What a fit of two epochs writes to a stream; speeds are those of the machine. */
async function written(stream: Partial<TextStream>, options: object = {}, play: Play = {}, samples: unknown = data) {
  let text = "";
  const to: TextStream = {
    ...stream,
    write: (piece) => {
      text += piece;
    },
  };
  const { trainer } = played({ losses: [2, 1], accuracy: 0.5, reports: { top5: 1e-5 }, ...play });
  await fitWith(trainer, samples as typeof data, {
    ...{ epochs: 2, validation: data },
    callbacks: [progressBar({ to, ...options })],
  });
  return text.replace(/\d[\d,.]* steps\/s/g, "N steps/s").replace(/ +N steps/g, " N steps");
}

const epoch = (i: number, loss: number) =>
  `epoch ${i} of 2: loss ${(2 * loss).toFixed(4)}, accuracy 50.0 %, top5 0.00001000, val_loss ${loss.toFixed(4)}, val_accuracy 50.0 %, val_top5 0.00001000, N steps/s`;

test("in a log it writes a line for each epoch, and no escape codes", async () => {
  const lines = (await written({})).replaceAll("1.000e-5", "0.00001000");
  expect(lines).toBe(`${epoch(1, 2)}\n${epoch(2, 1)}\n`);
});

test("in a log it writes progress every so many seconds", async () => {
  const lines = (await written({}, { seconds: 0 })).split("\n");
  expect(lines[0]).toMatch(/^epoch 1 of 2, step 1 of 4: loss 2\.0000, top5 0\.0000, accuracy 50\.0 %/);
  expect(lines.filter((line) => /step \d of 4/.test(line))).toHaveLength(4);
  expect(lines.join()).not.toContain("\x1b");
});

test("on a terminal it draws a bar in place, above which lines stay, and takes it away in the end", async () => {
  const text = (await written({ isTTY: true, columns: 200 }, { seconds: 0 })).replaceAll("1.000e-5", "0.00001000");
  expect(text).toContain(`\r\x1b[Kepoch 1/2 ${"█".repeat(7)}${"░".repeat(23)} 1/4  loss 2.000  top5 0.000  acc 50.0 %`);
  expect(text).toContain(`\r\x1b[K${epoch(1, 2)}\n`);
  expect(text).toContain(`epoch 2/2 ${"█".repeat(30)} 4/4`);
  expect(text.endsWith("\r\x1b[K")).toBe(true);
});

test("of a stream it counts steps until it knows how many there are", async () => {
  const batches = { *[Symbol.iterator]() {} };
  const lines = (await written({}, { seconds: 0 }, {}, batches)).split("\n");
  expect(lines[0]).toMatch(/^step 1: loss 2\.0000/);
  expect(lines.find((line) => /step 3 of 4/.test(line))).toMatch(/^epoch 2 of 2, step 3 of 4: loss 1\.0000/);
});

test("what cannot be meant is refused", () => {
  expect(() => progressBar({ seconds: -1 })).toThrow(
    new OptionError("progressBar: seconds is -1, it must be a finite number of at least 0."),
  );
});
