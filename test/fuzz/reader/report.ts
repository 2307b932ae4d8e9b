// What a soak keeps of wrong files, for each reader: how many it read and refused, what the greediest took, and every fault.

import type { InputResult } from "./input.ts";

interface ReaderReport {
  readonly read: number;
  readonly refused: number;
  /** The file for which most was allocated, in bytes. */
  readonly most: Pick<InputResult, "number" | "bytes" | "allocated">;
}

export interface ReadersReport {
  readonly asked: number;
  /** Numbers from the seed on that were read. */
  readonly done: number;
  readonly byReader: Readonly<Record<string, ReaderReport>>;
  readonly found: readonly InputResult[];
}

export const noReaders = (asked: number): ReadersReport => ({ asked, done: 0, byReader: {}, found: [] });

export const isFault = ({ was }: InputResult): boolean => was !== "read" && was !== "refused";

/** With one more result. */
export function withInput({ byReader, found, ...rest }: ReadersReport, result: InputResult): ReadersReport {
  const { number, reader, was, bytes, allocated } = result;
  const { read, refused, most } = byReader[reader] ?? { read: 0, refused: 0, most: { number, bytes, allocated: 0 } };
  const own = {
    read: read + Number(was === "read"),
    refused: refused + Number(was === "refused"),
    most: allocated > most.allocated ? { number, bytes, allocated } : most,
  };
  return {
    ...{ ...rest, done: rest.done + 1, byReader: { ...byReader, [reader]: own } },
    found: isFault(result) ? [...found, result] : found,
  };
}

/** A fault, and the command that repeats it. */
export const inputFailure = ({ number, reader, was, message = "" }: InputResult): string =>
  `${was}: ${reader}: ${message}\n  npm run soak -- --input ${number}`;

export const readersSummary = ({ asked, done, byReader, found }: ReadersReport): string[] =>
  done === 0
    ? []
    : [
        `${done} of ${asked} wrong files: ${found.length} faults`,
        ...Object.entries(byReader).map(
          ([name, { read, refused, most }]) =>
            `  ${name}: ${read} read, ${refused} refused, at most ${(most.allocated / 1024).toFixed(0)} kB for ${(most.bytes / 1024).toFixed(1)} kB`,
        ),
      ];
