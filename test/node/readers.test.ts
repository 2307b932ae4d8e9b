// The short form of the harness for readers: files that are wrong by the form of each are read or refused by a typed error, in a process of
// its own that neither crashes nor hangs, and what is allocated stays a small multiple of the file.

import { expect, test } from "vitest";
import { noReaders, withInput } from "../fuzz/reader/report.ts";
import { readInputs } from "../fuzz/reader/run.ts";

test("500 wrong files are read or refused by every reader", async () => {
  let report = noReaders(500);
  await readInputs(0, 500, (result) => {
    report = withInput(report, result);
  });
  expect(report.found).toEqual([]);
  expect(report.done).toBe(500);
  const all = Object.values(report.byReader);
  expect(all.length).toBe(9);
  // Both ends are met, so neither is missed: every reader refuses, and each kind of file is still read at times.
  for (const [name, { read, refused }] of Object.entries(report.byReader)) {
    expect(refused, name).toBeGreaterThan(10);
    expect(read, name).toBeGreaterThan(0);
  }
}, 240_000);
