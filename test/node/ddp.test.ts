// docs/ddp.md shows code that was run: its lines of Python stand in the script that made the golden files, those of TypeScript in the
// story that reads them, and its command is the script's own.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync("docs/ddp.md", "utf8");
const script = readFileSync("test/golden/ddp.py", "utf8");
const story = readFileSync("test/stories/ddp.test.ts", "utf8");

const blocks = (kind: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${kind}\n(.*?)\`\`\``, "gs"))].flatMap(([, text]) => text!.trimEnd().split("\n"));

test.each([
  ["python", script, 6],
  ["ts", story, 4],
  ["sh", script, 1],
])("its %s is what was run", (kind, source, least) => {
  const lines = blocks(kind);
  expect(lines.length).toBeGreaterThanOrEqual(least);
  expect(lines.filter((line) => !source.includes(line))).toEqual([]);
});
