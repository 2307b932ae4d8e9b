// What package.json promises to those who install it: ESM doors with their types, nothing else to install, nothing that
// runs while installing. The built files are tested where they are built.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { entries } from "../../demo/build/entries.ts";

const read = (file: string) => JSON.parse(readFileSync(file, "utf8"));
const pack = read("package.json");
const lock = read("package-lock.json");

test("it is ESM, without side effects", () => {
  expect(pack.type).toBe("module");
  expect(pack.sideEffects).toBe(false);
  expect(pack.main).toBeUndefined();
});

test("it has a door, and one for each entry point beside it, whose types come first", () => {
  expect(pack.exports).toEqual({
    ".": { types: "./dist/index.d.ts", default: "./dist/gradus.js" },
    ...Object.fromEntries(
      entries.map((name) => [`./${name}`, { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` }]),
    ),
  });
  expect(Object.values<object>(pack.exports).map((door) => Object.keys(door)[0])).toEqual(
    ["", ...entries].map(() => "types"),
  );
  expect(pack.types).toBe(pack.exports["."].types);
});

test("it installs nothing beside itself", () => {
  for (const kind of ["dependencies", "peerDependencies", "optionalDependencies", "bundleDependencies", "bin"]) {
    expect(pack[kind], kind).toBeUndefined();
    expect(lock.packages[""][kind], kind).toBeUndefined();
  }
});

test("it runs nothing while it is installed", () => {
  const hooks = ["preinstall", "install", "postinstall", "prepare", "preprepare", "postprepare", "prepublish"];
  expect(Object.keys(pack.scripts).filter((name) => hooks.includes(name))).toEqual([]);
});

test("it ships the built files, and no sources of tests", () => {
  expect(pack.files).toEqual(["dist", "README.md", "CHANGELOG.md", "LICENSE"]);
  expect(pack.private).toBeUndefined();
  expect(pack.license).toBe("MIT");
});

test("its lock belongs to it", () => {
  expect([lock.name, lock.version]).toEqual([pack.name, pack.version]);
  expect(lock.packages[""].devDependencies).toEqual(pack.devDependencies);
});

/** The locks of the repository: its own, and that of the benchmark's peers. */
const locks: readonly (readonly [string, { packages: Record<string, Entry> }])[] = [
  ["package-lock.json", lock],
  ["test/bench/package-lock.json", read("test/bench/package-lock.json")],
];

interface Entry {
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

test.each(locks)("%s names the packages of every platform, so that npm ci works on all of them", (_, { packages }) => {
  /** Where npm looks for a package that one at `path` asks for: beside it, then further out. */
  const found = (path: string, name: string): Entry | undefined => {
    for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
      const entry = packages[`${at === "" ? "" : `${at}/`}node_modules/${name}`];
      if (entry !== undefined || at === "") return entry;
    }
  };
  const wanted = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => [path, name] as const),
  );
  const missing = wanted.filter(([path, name]) => !/^sha512-/.test(found(path, name)?.integrity ?? ""));
  expect(missing).toEqual([]);
});

test("its lock has a checker, a compiler and a bundler for Linux, macOS and Windows", () => {
  const names = Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, ""));
  for (const platform of ["linux", "darwin", "win32"]) {
    for (const scope of ["@biomejs/cli-", "@typescript/typescript-", "@rolldown/binding-"]) {
      expect(
        names.filter((name) => name.startsWith(`${scope}${platform}`)).length,
        `${scope}${platform}`,
      ).toBeGreaterThan(1);
    }
  }
});

test.each(locks)("%s names no registry", (file) => {
  const { packages } = read(file);
  expect(Object.values<{ resolved?: string }>(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  expect(readFileSync(file, "utf8")).not.toMatch(/registry|https?:\/\/[^"]*\.tgz/);
});

test("the compiler of the scripts is the current one, whatever older ones stand beside it", () => {
  expect(pack.scripts.check).toContain("node_modules/typescript/bin/tsc");
  expect(readFileSync("demo/build/write-types.ts", "utf8")).toContain("node_modules/typescript/bin/tsc");
});

test("its lock vouches for every package by a checksum", () => {
  const open = Object.entries<{ integrity?: string; link?: boolean }>(lock.packages).filter(
    ([path, { integrity }]) => path !== "" && !/^sha512-/.test(integrity ?? ""),
  );
  expect(open.map(([path]) => path)).toEqual([]);
});
