// Calls between a command and the process that it started in another runtime: lines of JSON on the standard streams, with
// numbers and bytes that JSON itself does not know. Both sides read and write the same lines.

import { createInterface } from "node:readline";

/** Begins each line of ours: whatever else a process prints is for people. */
const MARK = "@gradus ";

/** A call with its `id`, its answer with the same one, or a message that wants none. */
export interface Line {
  readonly id?: number;
  readonly name?: string;
  readonly values?: readonly unknown[];
  readonly answer?: unknown;
  readonly error?: string;
}

export function encode(line: Line): string {
  const text = JSON.stringify(line, (_, value) => {
    if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
    return typeof value === "number" && !Number.isFinite(value) ? { $number: String(value) } : value;
  });
  return `${MARK}${text}\n`;
}

/** A line of ours, or undefined where it is none. */
export function decode(text: string): Line | undefined {
  if (!text.startsWith(MARK)) return undefined;
  return JSON.parse(text.slice(MARK.length), (_, value) => {
    if (typeof value?.$bytes === "string") return new Uint8Array(Buffer.from(value.$bytes, "base64"));
    return typeof value?.$number === "string" ? Number(value.$number) : value;
  });
}

/** Tells the command that started this process. */
export function tell(name: string, ...values: readonly unknown[]): void {
  process.stdout.write(encode({ name, values }));
}

/** In the process that was started: answers calls until the command is gone. */
export function answerCalls(functions: Readonly<Record<string, (...values: never[]) => unknown>>): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (text) => {
    const { id, name = "", values = [] } = decode(text) ?? {};
    try {
      const called = functions[name];
      if (called === undefined) throw new Error(`nobody answers ${name}`);
      process.stdout.write(encode({ id: id as number, answer: await called(...(values as never[])) }));
    } catch (error) {
      process.stdout.write(encode({ id: id as number, error: (error as Error).message }));
    }
  });
  lines.once("close", () => process.exit());
}
