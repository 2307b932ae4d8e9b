// The loader of networks and data that others published: only what the manifest says is handed on.

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { dataFile, dataFiles, type ManifestFile } from "../../demo/data.ts";

const path = "doodlenet/class_names.txt";
const file = dataFiles.find((one) => one.path === path) as ManifestFile;
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gradus-data-"));
  mkdirSync(join(folder, "doodlenet"));
  vi.stubEnv("GRADUS_DATA", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  rmSync(folder, { recursive: true });
});

test("the manifest names each file once, with its size, checksum and licence", () => {
  expect(new Set(dataFiles.map((one) => one.path)).size).toBe(dataFiles.length);
  for (const one of dataFiles) {
    expect(one.path).toMatch(/^[a-z0-9-]+\/[\w./-]+$/);
    expect(one.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(one.bytes).toBeGreaterThan(0);
    expect(one.licence).not.toBe("");
    if (one.address !== undefined)
      expect(one.address).toMatch(/^https:\/\/raw\.githubusercontent\.com\/[^/]+\/[^/]+\/[0-9a-f]{40}\//);
  }
});

describe("a copy that is there", () => {
  test("must have the bytes of the manifest", async () => {
    writeFileSync(join(folder, path), "short");
    await expect(dataFile(path)).rejects.toThrow(`has 5 bytes, it should have ${file.bytes}`);
    writeFileSync(join(folder, path), new Uint8Array(file.bytes));
    await expect(dataFile(path)).rejects.toThrow("has the checksum");
  });

  test("is found beside the checkout too", async () => {
    const bytes = await dataFile(path);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(file.sha256);
  });

  test("of a file that the manifest does not have is not looked for", async () => {
    writeFileSync(join(folder, "doodlenet/other.txt"), "x");
    await expect(dataFile("doodlenet/other.txt")).rejects.toThrow('data: there is no "doodlenet/other.txt".');
  });
});

describe("a download", () => {
  /** Runs with a server in the place of the address, and no copy anywhere. */
  async function served(body: Uint8Array | undefined, use: () => Promise<void>): Promise<void> {
    const server = createServer((_, response) => {
      response.statusCode = body === undefined ? 404 : 200;
      response.end(body);
    }).listen(0);
    const { port } = server.address() as AddressInfo;
    const { fetch } = globalThis;
    vi.stubGlobal("fetch", () => fetch(`http://127.0.0.1:${port}/`));
    try {
      await use();
    } finally {
      server.close();
    }
  }
  const whole = async () => new Uint8Array(await dataFile(path));
  const download = (onProgress = (_: number) => {}) => dataFile(path, onProgress, [folder]);

  test("is told of, checked and kept", async () => {
    const bytes = await whole();
    await served(bytes, async () => {
      const told: number[] = [];
      expect(await download((done) => told.push(done))).toEqual(bytes);
      expect(told.at(-1)).toBe(file.bytes);
    });
    expect(new Uint8Array(readFileSync(join(folder, path)))).toEqual(bytes);
  });

  test.each([
    ["that fails", undefined, "the server says 404"],
    ["that ends early", new Uint8Array(9), "has 9 bytes"],
    ["that is too long", new Uint8Array(9999), `more than ${file.bytes} bytes come`],
    ["of other bytes", new Uint8Array(file.bytes), "has the checksum"],
  ])("%s leaves nothing and says what to do", async (_, body, text) => {
    await served(body, async () => {
      await expect(download()).rejects.toThrow(text);
    });
    expect(() => readFileSync(join(folder, path))).toThrow("ENOENT");
  });
});
