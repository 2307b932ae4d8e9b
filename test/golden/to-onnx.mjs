// What onnxruntime makes of the files that toOnnx writes of the networks in to-onnx.ts, on numbers by the rule, and whether the checker of
// python3-onnx accepts them: to-onnx.json, with the SHA-256 of each file, so that a test knows that what was tried is what is written.
//
//   npm install --ignore-scripts --prefix /tmp/ort onnxruntime-node
//   NODE_PATH=/tmp/ort/node_modules node test/golden/to-onnx.mjs      (Debian's python3-onnx must be there)

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "vite";

const vite = await createServer({
  ...{ configFile: false, logLevel: "error", optimizeDeps: { noDiscovery: true } },
  server: { middlewareMode: true, ws: false },
});
const { toOnnx } = await vite.ssrLoadModule("/src/onnx-out/index.ts");
const { fileInputs, onnxCases, ruleWeights, sampled } = await vite.ssrLoadModule("/test/golden/to-onnx.ts");

const require = createRequire(`${process.env.NODE_PATH ?? "."}/`);
const ort = require("onnxruntime-node");
const folder = mkdtempSync(join(tmpdir(), "to-onnx-"));
const check = `
import sys, onnx
for path in sys.argv[1:]:
    onnx.checker.check_model(path, full_check=True)
print(onnx.__version__)
`;

const files = {};
const paths = [];
for (const [name, one] of Object.entries(onnxCases)) {
  const bytes = await toOnnx(ruleWeights(one), one.model, { input: one.input, ...one.options });
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, bytes);
  paths.push(path);
  const session = await ort.InferenceSession.create(path);
  const feeds = fileInputs(one).map(({ name, shape, values, isWhole }) => [
    name,
    isWhole
      ? new ort.Tensor("int64", BigInt64Array.from(values, BigInt), shape)
      : new ort.Tensor("float32", values, shape),
  ]);
  const made = await session.run(Object.fromEntries(feeds));
  const outputs = session.outputNames.map((name) => [
    name,
    { shape: [...made[name].dims], numbers: sampled(made[name].data) },
  ]);
  files[name] = { sha256: createHash("sha256").update(bytes).digest("hex"), outputs: Object.fromEntries(outputs) };
}
const version = execFileSync("/usr/bin/python3", ["-c", check, ...paths])
  .toString()
  .trim();
const runtime = JSON.parse(readFileSync(join(process.env.NODE_PATH ?? ".", "onnxruntime-node/package.json"), "utf8"));
const golden = { checker: `onnx ${version}`, runtime: `onnxruntime-node ${runtime.version}`, files };
writeFileSync(new URL("./to-onnx.json", import.meta.url), `${JSON.stringify(golden)}\n`);
console.log(paths.length, "files", golden.checker, golden.runtime);
await vite.close();
