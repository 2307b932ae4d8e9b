// docs/onnx.md says what the reader's tables say, and whatever it says is read has node cases of the standard.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { claimed, onnxTable } from "../reference/onnx-table.ts";

test("docs/onnx.md lists the operators that are read", async () => {
  await expect(onnxTable()).toMatchFileSnapshot("../../docs/onnx.md");
});

/** Of which the standard has no case that fits here. */
const untried = ["Gelu", "If", "Mish", "ScatterND"];

test("each operator that is read is tried by a case of the standard", () => {
  const packed = gunzipSync(readFileSync(new URL("../golden/onnx-cases.json.gz", import.meta.url)));
  const tried = new Set((JSON.parse(packed.toString()) as { readonly op: string }[]).map(({ op }) => op));
  expect(claimed().filter((name) => !tried.has(name) && !untried.includes(name))).toEqual([]);
});
