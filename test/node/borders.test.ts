// The rules that hold between files: which room may import from which, what files are called, how they begin, and where
// the device may be spoken of. ARCHITECTURE.md says why; here they are kept.

import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, posix } from "node:path";
import { describe, expect, test } from "vitest";
import { entries } from "../../demo/build/entries.ts";

/** Rooms in the order in which data walks through them, each with the rooms that it may import from. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  half: [],
  base: [],
  op: ["base"],
  model: ["base", "op"],
  graph: ["base", "op"],
  plan: ["half", "base", "op", "graph"],
  kernels: ["op"],
  record: ["base", "op", "graph", "plan", "kernels"],
  optim: ["base", "plan", "kernels"],
  data: ["base", "op", "graph"],
  io: ["half", "base", "optim"],
  gpu: ["base", "op", "record"],
  run: ["half", "base", "op", "graph", "plan", "kernels", "record", "data", "gpu"],
  network: ["base", "op", "model", "graph", "plan", "record", "io", "data", "gpu", "run"],
  recipe: ["base", "op", "data", "optim"],
  trainer: [
    "base",
    "op",
    "model",
    "graph",
    "plan",
    "kernels",
    "record",
    "optim",
    "data",
    "io",
    "gpu",
    "run",
    "network",
    "recipe",
  ],
  index: ["base", "op", "model", "plan", "record", "optim", "data", "io", "gpu", "run", "network", "recipe", "trainer"],
  // Of the core's files one holds no more than arithmetic, and may stand in a reader too.
  foreign: ["half", "index"],
  // Entry points know the core by its door alone.
  ...Object.fromEntries(entries.map((name) => [name, ["index", "foreign"]])),
  // What writes files knows their form by what reads them.
  "onnx-out": ["index", "foreign", "onnx"],
};

/** Packages that an entry point may carry. */
const bundled = ["fflate", "jsfive"];

const recordFiles = ["command", "reading", "beside", "commit", "sums", "update", "record", "program"].map(
  (name) => `step/${name}.ts`,
);
const baseFiles = ["errors.ts", "initializer.ts", "option.ts", "pattern.ts", "random.ts", "globals.d.ts"];

/** The room of a file, by its path below src/. */
function roomOf(file: string): string {
  if (file === "index.ts") return "index";
  if (file === "half.ts") return "half";
  if (baseFiles.includes(file)) return "base";
  if (recordFiles.includes(file)) return "record";
  const [folder] = file.split("/") as [string];
  return folder === "step" ? "run" : folder;
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.relative(folder, posix.join(entry.parentPath, entry.name)))
    .sort();

const sources = filesBelow("src");
const shaders = filesBelow("shaders");
const textOf = (file: string): string => readFileSync(`src/${file}`, "utf8");

/** The files of src/ that a file imports or hands on. */
const importsOf = (file: string): string[] =>
  [...textOf(file).matchAll(/\bfrom "(\.[^"]+\.ts)"|\bimport\("(\.[^"]+\.ts)"\)|^import "(\.[^"]+\.ts)"/gm)].map(
    (found) => posix.join(dirname(file), (found[1] ?? found[2] ?? found[3]) as string),
  );

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");

test("there are files to look at", () => {
  expect(sources.length).toBeGreaterThan(30);
  expect(shaders.length).toBeGreaterThan(10);
  expect(sources.flatMap(importsOf).length).toBeGreaterThan(100);
});

describe("the import law", () => {
  const order = Object.keys(rooms);

  test("lists rooms in an order in which each follows those that it imports from", () => {
    for (const [i, room] of order.entries()) {
      for (const from of rooms[room] as readonly string[]) expect(order.indexOf(from)).toBeLessThan(i);
    }
    for (const side of ["optim", "data", "io"]) {
      expect((rooms[side] as readonly string[]).filter((from) => from === "gpu" || from === "run")).toEqual([]);
    }
  });

  test.each(sources)("holds for %s", (file) => {
    const room = roomOf(file);
    expect(order, `${file} is in no room`).toContain(room);
    const strangers = importsOf(file).filter((from) => ![room, ...(rooms[room] as string[])].includes(roomOf(from)));
    expect(strangers).toEqual([]);
  });

  test("grants nothing that nobody needs", () => {
    for (const room of order.filter((name) => ![...entries, "foreign"].includes(name))) {
      const used = new Set(
        sources
          .filter((file) => roomOf(file) === room)
          .flatMap(importsOf)
          .map(roomOf),
      );
      expect(
        (rooms[room] as readonly string[]).filter((from) => !used.has(from)),
        room,
      ).toEqual([]);
    }
  });

  test("lets no two files import one another, on any path", () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      expect(path, `${[...path, file].join(" -> ")}`).not.toContain(file);
      if (done.has(file)) return;
      for (const next of importsOf(file)) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of sources) visit(file, []);
  });

  test("keeps packages out: one preprocessor of shader text, and what entry points bundle", () => {
    const isCore = (file: string): boolean => !entries.includes(roomOf(file));
    const packagesOf = (files: readonly string[]): string[] =>
      files.flatMap((file) => [...textOf(file).matchAll(/\bfrom "([^."][^"]*)"/g)].map(([, name]) => name as string));
    expect([...new Set(packagesOf(sources.filter(isCore)))]).toEqual(["wgsl-preprocessor/wgsl-preprocessor.js"]);
    const others = packagesOf(sources.filter((file) => !isCore(file)));
    expect(others.filter((name) => !bundled.includes(name))).toEqual([]);
  });
});

test("bytes of a tensor, a block or samples are reckoned from the type of their numbers", () => {
  const width = /(size\(.*\)|\b(length|offset|count|perSample|BLOCK))\)* \* 4\b/;
  const rooms = sources.filter((file) => /^(graph|plan|step|network|trainer)\//.test(file));
  expect(
    rooms.flatMap((file) =>
      textOf(file)
        .split("\n")
        .filter((line) => width.test(line)),
    ),
  ).toEqual([]);
});

describe("names of files", () => {
  test.each([...sources, ...shaders])("%s is in lower case with hyphens, and says what it holds", (file) => {
    expect(basename(file)).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*(\.d\.ts|\.ts|\.wgsl)$/);
    for (const part of file.split(/[/.-]/)) expect(part).not.toMatch(/^(utils?|helpers?|common|misc|managers?)$/);
  });
});

describe("the beginning of a file", () => {
  const all = [...sources.map((file) => `src/${file}`), ...shaders.map((file) => `shaders/${file}`)];

  test.each(all)("%s is a comment of one to six lines", (path) => {
    const lines = readFileSync(path, "utf8").split("\n");
    const comment = lines.findIndex((line) => !line.startsWith("//"));
    expect(comment).toBeGreaterThanOrEqual(1);
    expect(comment).toBeLessThanOrEqual(6);
  });
});

describe("the device", () => {
  const places =
    /^(gpu\/|trainer\/|autotune\/meter\.ts$|cohort\/replace\.ts$|image\/writer\.ts$|recover\/(device|twice)\.ts$|step\/(replay|metrics|store|feed|cache|bindings|predict|runner|ticks)\.ts$)/;

  test.each(sources.filter((file) => !places.test(file)))("is not spoken of in the code of %s", (file) => {
    expect(withoutComments(textOf(file)).match(/\w*GPU\w*/g) ?? []).toEqual([]);
  });
});

describe("a runtime", () => {
  const flags = /\bGPU(BufferUsage|ShaderStage|MapMode|ColorWrite|TextureUsage)\b/g;
  const runtime = /\b(navigator|globalThis|userAgent|Deno|process\.\w+)\b/g;

  // Benches run in Node too.
  const benches = filesBelow("demo/bench").map((file) => `demo/bench/${file}`);
  test.each([...sources.map((file) => `src/${file}`), ...benches])(
    "is not taken for granted by %s: flags have numbers of our own",
    (file) => {
      expect(withoutComments(readFileSync(file, "utf8")).match(flags) ?? []).toEqual([]);
    },
  );

  test.each(sources.filter((file) => !/^(gpu\/|(foreign\/runtime|worker\/runtime|recover\/device)\.ts$)/.test(file)))(
    "is not asked for by %s",
    (file) => {
      expect(withoutComments(textOf(file)).match(runtime) ?? []).toEqual([]);
    },
  );
});

/** Texts that become part of a shader, and are none by themselves. */
const isPart = (file: string): boolean => /^(parts|rule|control|product)\//.test(file);

describe("a shader", () => {
  test.each(shaders.filter((file) => !isPart(file)))("%s has one entry point", (file) => {
    const text = withoutComments(readFileSync(`shaders/${file}`, "utf8"));
    expect(text.match(/@(compute|vertex|fragment)/g)).toEqual(["@compute"]);
    expect(text).toMatch(/@compute @workgroup_size\([^)]+\)\nfn main\(/);
  });

  test.each(shaders.filter(isPart))("%s is a part and has none", (file) => {
    expect(readFileSync(`shaders/${file}`, "utf8")).not.toMatch(/@compute/);
  });
});

test.each(sources)("%s draws its random numbers from streams and asks no clock for them", (file) => {
  expect(withoutComments(textOf(file))).not.toMatch(/Math\.random|crypto\.|Date\.now/);
});
