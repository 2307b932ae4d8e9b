// The packed file as other programs meet it: its types under strict compilers, old and new, with the types of WebGPU and
// without; an installation into an empty folder; an import where there is no WebGPU.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entries } from "../../demo/build/entries.ts";
import * as door from "../../src/index.ts";
import { type Packed, pack } from "../packed.ts";

const folder = mkdtempSync(join(tmpdir(), "gradus-consumer-"));
const installed = join(folder, "node_modules/gradus");
let packed: Packed;

beforeAll(async () => {
  packed = await pack();
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", packed.file], { cwd: folder, stdio: "pipe" });
});

afterAll(() => {
  packed?.dispose();
  rmSync(folder, { recursive: true });
});

/** The examples of README in TypeScript, each a module by itself; what they call `x` and `y` is there already. */
function examples(): Record<string, string> {
  const readme = readFileSync("README.md", "utf8");
  const blocks = [...readme.matchAll(/^```ts\b.*\n([\s\S]*?)^```/gm)].map(([, text]) => text as string);
  if (blocks.length === 0) throw new Error("README.md: it has no example in TypeScript.");
  const given = "declare const x: Float32Array;\ndeclare const y: Uint8Array;\n";
  return Object.fromEntries(blocks.map((text, i) => [`readme-${i}.ts`, `${given}${text}export {};\n`]));
}

const compilers = [
  { version: "5.4", compiler: "typescript-5.4", knowsWebGpu: false },
  { version: "of today", compiler: "typescript", knowsWebGpu: true },
];

describe.each(compilers)("TypeScript $version", ({ compiler, knowsWebGpu }) => {
  /** What the compiler says of these files in a folder of their own. */
  function complaints(name: string, files: Readonly<Record<string, string>>, more: object = {}): string {
    const own = join(folder, `${compiler}-${name}`);
    mkdirSync(join(own, "node_modules"), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(own, file), text);
    const compilerOptions = {
      target: "ES2022",
      module: "ESNext",
      moduleResolution: "bundler",
      lib: ["ES2022", "DOM", "DOM.Iterable"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noPropertyAccessFromIndexSignature: true,
      skipLibCheck: false,
      noEmit: true,
      types: [],
      ...more,
    };
    writeFileSync(join(own, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
    const program = resolve("node_modules", compiler, "bin/tsc");
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, "-p", own], { encoding: "utf8" });
    return status === 0 ? "" : `${stdout}${stderr}`;
  }

  const consumer = (file: string) => ({ [file]: readFileSync(`test/consumer/${file}`, "utf8") });
  const all = () => ({ ...consumer("wide.ts"), ...consumer("wrong.ts"), ...examples() });

  test("takes the types as they are, without those of @webgpu/types", () => {
    expect(complaints("plain", { ...all(), ...(knowsWebGpu ? consumer("device.ts") : {}) })).toBe("");
  });

  test("takes them in a program for Node, and where undefined is as good as nothing", () => {
    const more = { module: "NodeNext", moduleResolution: "NodeNext", exactOptionalPropertyTypes: false };
    expect(complaints("node", all(), more)).toBe("");
  });

  test("takes `using` where a program asks for it, beside types of others that name what it calls", () => {
    const lib = ["ES2022", "DOM", "DOM.Iterable", "ESNext.Disposable"];
    expect(complaints("using", consumer("using.ts"), { lib })).toBe("");
  });

  test("takes a GPUDevice for a device, with @webgpu/types", () => {
    mkdirSync(join(folder, "node_modules/@webgpu"), { recursive: true });
    rmSync(join(folder, "node_modules/@webgpu/types"), { force: true });
    symlinkSync(resolve("node_modules/@webgpu/types"), join(folder, "node_modules/@webgpu/types"));
    const files = { ...all(), ...consumer("device.ts") };
    const found = complaints("webgpu", files, { types: ["@webgpu/types"] });
    // A compiler that knows WebGPU itself (from TypeScript 6 on) finds these types and its own at odds with one another.
    const ours = found.split("\n").filter((line) => !/\/(@webgpu\/types|lib)\/[\w./]*d\.ts\(|^$/.test(line));
    expect(knowsWebGpu ? ours.join("\n") : found).toBe("");
  });
});

const built = ["gradus.js", "index.d.ts", ...entries.flatMap((name) => [`${name}.js`, `${name}.d.ts`])];

describe("the types", () => {
  const text = () => readFileSync(join(installed, "dist/index.d.ts"), "utf8");

  test("are one file that imports nothing and mentions nothing of WebGPU", () => {
    expect(readdirSync(join(installed, "dist")).sort()).toEqual([...built].sort());
    expect(text()).not.toMatch(/^import |\bimport\(|^\/\/\/|@internal/m);
    expect(
      text()
        .replace(/\/\*.*?\*\//gs, "")
        .match(/\bGPU\w+/g) ?? [],
    ).toEqual([]);
  });

  test("declare what the file exports, and the file exports what the source does", async () => {
    const list = /^export \{\n(.*)^\};/ms.exec(text())?.[1] ?? "";
    const values = [...list.matchAll(/^ {2}(\w+),$/gm)].map(([, name]) => name as string);
    const made = await import(join(installed, "dist/gradus.js"));
    expect(values.sort()).toEqual(Object.keys(made).sort());
    expect(Object.keys(made).sort()).toEqual(Object.keys(door).sort());
  });
});

test.each(entries)("gradus/%s has types beside those of the core, and hands out what they declare", (name) => {
  const text = readFileSync(join(installed, `dist/${name}.d.ts`), "utf8");
  expect(text).not.toMatch(/\bimport\(|^\/\/\/|@internal|\bGPU\w+/m);
  expect([...text.matchAll(/\bfrom "([^"]*)"/g)].filter(([, from]) => from !== "./index.js")).toEqual([]);
  const list = /^export \{\n(.*)^\};/ms.exec(text)?.[1] ?? "";
  const values = [...list.matchAll(/^ {2}(\w+),$/gm)].map(([, value]) => value as string);
  writeFileSync(
    join(folder, `${name}.js`),
    `console.log(JSON.stringify(Object.keys(await import("gradus/${name}"))));`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [`${name}.js`], { cwd: folder, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout).sort()).toEqual(values.sort());
});

test("the package is the files, their types and texts for people", () => {
  const texts = ["CHANGELOG.md", "LICENSE", "README.md", "package.json"];
  expect(packed.paths).toEqual([...texts, ...built.map((name) => `dist/${name}`)].sort());
});

test("an import in Node does nothing but hand out names, and without WebGPU an error says so", () => {
  const program = `
    const before = Reflect.ownKeys(globalThis);
    const timers = process.getActiveResourcesInfo();
    const gradus = await import("gradus");
    const added = Reflect.ownKeys(globalThis).filter((key) => !before.includes(key));
    const left = process.getActiveResourcesInfo().length - timers.length;
    const { compile, dense, meanSquaredError, sequential } = gradus;
    const error = await compile(sequential([dense(1)]), { input: [1], loss: meanSquaredError() }).catch((error) => error);
    console.log(JSON.stringify({ added, left, name: error.name, message: error.message }));`;
  writeFileSync(join(folder, "import.js"), program);
  const { stdout, stderr, status } = spawnSync(process.execPath, ["import.js"], { cwd: folder, encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  expect(JSON.parse(stdout)).toEqual({
    added: [],
    left: 0,
    name: "DeviceError",
    message: expect.stringContaining("WebGPU is missing here"),
  });
});

test("where the language has no names for `using`, it is imported all the same", async () => {
  const old = join(folder, "old");
  mkdirSync(old, { recursive: true });
  const text = readFileSync(join(installed, "dist/gradus.js"), "utf8");
  expect(text).toContain("Symbol.dispose");
  writeFileSync(join(old, "gradus.js"), text.replaceAll("Symbol.dispose", "Symbol.thatThereIsNot"));
  writeFileSync(join(old, "package.json"), JSON.stringify({ type: "module" }));
  const { compile, dense, meanSquaredError, sequential } = (await import(join(old, "gradus.js"))) as typeof door;
  const failed = await compile(sequential([dense(1)]), { input: [1], loss: meanSquaredError() }).catch(String);
  expect(failed).toContain("DeviceError: connect: WebGPU is missing here");
});

test("installing it brings nothing else along", () => {
  const names = readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith(".") && name !== "@webgpu");
  expect(names).toEqual(["gradus"]);
});
