// What package.json promises to those who install it: one ESM door with its types, nothing else to install, nothing that
// runs while installing. The built files are tested where they are built.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (file: string) => JSON.parse(readFileSync(file, "utf8"));
const pack = read("package.json");
const lock = read("package-lock.json");

test("it is ESM, without side effects", () => {
  expect(pack.type).toBe("module");
  expect(pack.sideEffects).toBe(false);
  expect(pack.main).toBeUndefined();
});

test("it has one door, whose types come first", () => {
  expect(Object.keys(pack.exports)).toEqual(["."]);
  expect(Object.keys(pack.exports["."])).toEqual(["types", "default"]);
  for (const file of Object.values<string>(pack.exports["."])) expect(file).toMatch(/^\.\/dist\/[a-z]+(\.d\.ts|\.js)$/);
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

test("its lock belongs to it and names no registry", () => {
  expect([lock.name, lock.version]).toEqual([pack.name, pack.version]);
  expect(lock.packages[""].devDependencies).toEqual(pack.devDependencies);
  const hosts = Object.entries<{ resolved?: string }>(lock.packages).filter(
    ([, { resolved }]) => resolved !== undefined,
  );
  expect(hosts).toEqual([]);
  expect(readFileSync("package-lock.json", "utf8")).not.toMatch(/registry/);
});

test("its lock vouches for every package by a checksum", () => {
  const open = Object.entries<{ integrity?: string; link?: boolean }>(lock.packages).filter(
    ([path, { integrity }]) => path !== "" && !/^sha512-/.test(integrity ?? ""),
  );
  expect(open.map(([path]) => path)).toEqual([]);
});
