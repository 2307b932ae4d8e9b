// TensorBoard's event files against their format: published sums, framing as a reader checks it, and fields read by a small reader of protocol
// buffers of the tests' own. TensorBoard 2.21.0 reads such files to the same numbers.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crc32c, maskedCrc, record, scalarRecord, versionRecord } from "../../src/callbacks/event-file.ts";
import { fitWith, tensorBoard } from "../../src/callbacks/index.ts";
import { OptionError } from "../../src/index.ts";
import { data, played } from "./played.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each([
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 ones", new Uint8Array(32).fill(255), 0x62a8ab43],
  ["0 to 31", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["31 to 0", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ["123456789", bytesOf("123456789"), 0xe3069283],
])("CRC-32C of RFC 3720: %s", (_, bytes, sum) => {
  expect(crc32c(bytes)).toBe(sum);
});

test("a file begins as those of TensorFlow do", () => {
  const file = versionRecord(1500000000.25);
  // Length 24, and the masked sum of that: the same 12 bytes at the head of every event file.
  expect([...file.subarray(0, 12)]).toEqual([24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]);
  expect(recordsOf(file)).toEqual([{ time: 1500000000.25, step: 0, version: "brain.Event:2", scalars: {} }]);
});

test("a record shows any bit that was changed", () => {
  const whole = record(bytesOf("some data"));
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const changed = whole.slice();
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(() => framesOf(changed), `bit ${bit}`).toThrow();
  }
});

test("numbers of any size go through", () => {
  for (const step of [0, 1, 127, 128, 16384, 2 ** 31, 2 ** 40 + 5]) {
    const [found] = recordsOf(
      scalarRecord(1, step, [
        ["a", 0.5],
        ["ü/long".padEnd(200, "x"), Number.NaN],
      ]),
    );
    expect(found).toEqual({ time: 1, step, scalars: { a: 0.5, ["ü/long".padEnd(200, "x")]: Number.NaN } });
  }
});

test("a fit is told by step, with the rate of each layer, and by epoch", async () => {
  const pieces: number[] = [];
  let under = 0;
  const write = async (bytes: Uint8Array) => {
    expect(under++).toBe(0);
    await new Promise((done) => setImmediate(done));
    pieces.push(...bytes);
    under--;
  };
  const { trainer } = played({ losses: [2, 1], accuracy: 0.5 });
  await fitWith(trainer, data, { validation: data, callbacks: [tensorBoard(write, { every: 2 })] });
  const [first, ...rest] = recordsOf(Uint8Array.from(pieces));
  expect(first?.version).toBe("brain.Event:2");
  const step = (loss: number) => ({ "step/loss": loss, "step/accuracy": 0.5, "rate/stem": 0.25, "rate/head": 0.5 });
  const epoch = (loss: number) => ({
    ...{ "epoch/loss": 2 * loss, "epoch/accuracy": 0.5 },
    ...{ "epoch/val_loss": loss, "epoch/val_accuracy": 0.5 },
  });
  expect(rest.map(({ step, scalars }) => [step, scalars])).toEqual([
    ...[
      [2, step(2)],
      [2, epoch(2)],
    ],
    ...[
      [4, step(1)],
      [4, epoch(1)],
    ],
  ]);
  const times = [first, ...rest].map((one) => one?.time as number);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test("a folder gets a file of its own from each fit, named as TensorBoard looks for it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gradus-events-"));
  try {
    const { trainer } = played({ losses: [1] });
    await fitWith(trainer, data, { callbacks: [tensorBoard(join(folder, "run"), { every: 1, rates: false })] });
    const [name = "", ...more] = readdirSync(join(folder, "run"));
    expect([name, more]).toEqual([expect.stringMatching(/^events\.out\.tfevents\.\d{10}\.[^/]+$/), []]);
    const steps = recordsOf(new Uint8Array(readFileSync(join(folder, "run", name)))).map(({ step, scalars }) => [
      step,
      scalars,
    ]);
    expect(steps).toEqual([
      [0, {}],
      [1, { "step/loss": 1 }],
      [2, { "step/loss": 1 }],
      [2, { "epoch/loss": 2 }],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what cannot be written ends the fit, and what cannot be meant is refused", async () => {
  const full = () => Promise.reject(new Error("the disk is full"));
  await expect(fitWith(played().trainer, data, { callbacks: [tensorBoard(full)] })).rejects.toThrow("the disk is full");
  expect(() => tensorBoard("")).toThrow(
    new OptionError('tensorBoard: it writes to "". Give a folder, such as "logs/run1", or a function of bytes.'),
  );
  expect(() => tensorBoard(full, { every: 0 })).toThrow("every is 0, it must be a whole number of at least 1");
});

/** The data of the records of a file. Throws where a length or a sum is wrong. */
function framesOf(file: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 0; at < file.length; ) {
    const head = file.subarray(at, at + 8);
    if (view.getUint32(at + 8, true) !== maskedCrc(head)) throw new Error(`the length at ${at} has another sum`);
    const length = Number(view.getBigUint64(at, true));
    const frame = file.subarray(at + 12, at + 12 + length);
    if (view.getUint32(at + 12 + length, true) !== maskedCrc(frame))
      throw new Error(`the data at ${at} have another sum`);
    frames.push(frame);
    at += 16 + length;
  }
  return frames;
}

/** The fields of a message: numbers, or bytes. */
function fieldsOf(bytes: Uint8Array): (readonly [number: number, value: number | Uint8Array])[] {
  const fields: (readonly [number, number | Uint8Array])[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number => {
    let [value, place] = [0, 1];
    for (; ; place *= 128) {
      const byte = view.getUint8(at++);
      value += (byte & 127) * place;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): number => {
    at += length;
    return at - length;
  };
  while (at < bytes.length) {
    const key = varint();
    const read: Record<number, () => number | Uint8Array> = {
      0: varint,
      1: () => view.getFloat64(take(8), true),
      2: () => {
        const length = varint();
        const from = take(length);
        return bytes.subarray(from, from + length);
      },
      5: () => view.getFloat32(take(4), true),
    };
    fields.push([key >> 3, (read[key & 7] as () => number | Uint8Array)()]);
  }
  return fields;
}

const textOf = (bytes: unknown): string => new TextDecoder().decode(bytes as Uint8Array);

/** The events of a file. */
const recordsOf = (file: Uint8Array) =>
  framesOf(file).map((frame) => {
    const event = new Map(fieldsOf(frame));
    const summary = event.has(5) ? fieldsOf(event.get(5) as Uint8Array) : [];
    const scalars = summary.map(([, value]) => new Map(fieldsOf(value as Uint8Array)));
    return {
      time: event.get(1) as number,
      step: (event.get(2) as number | undefined) ?? 0,
      ...(event.has(3) && { version: textOf(event.get(3)) }),
      scalars: Object.fromEntries(scalars.map((one) => [textOf(one.get(1)), one.get(2)])),
    };
  });
