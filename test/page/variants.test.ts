// The packed file on a plain page: every rule, controller, layer and loss in every variant compiles and trains, with the bits of
// the source. What `variants.ts` makes is held against the shaders' texts and the tables, so that nothing is left out.

import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser, Page } from "playwright";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../../demo/browser.ts";
import { inLines } from "../../src/op/kernel.ts";
import type { Op } from "../../src/op/op.ts";
import { type Packed, pack } from "../packed.ts";
import { controllers } from "../reference/controllers.ts";
import { allKernels, allOps } from "../reference/ops.ts";
import { passTexts } from "../reference/passes.ts";
import { rules } from "../reference/rules.ts";
import { type Played, play } from "./trial.ts";
import { controllers as controllerNames, optionVariants, plainLayers, ruleVariants, trials } from "./variants.ts";

let packed: Packed;
let server: Server;
let browser: Browser;
let page: Page;
const seen: Played["kernels"][number][] = [];

beforeAll(async () => {
  packed = await pack();
  const plain = join(packed.folder, "source");
  // The source as it stands: no plugin that shortens shaders, nothing minified.
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      outDir: plain,
      minify: false,
      target: "es2022",
      lib: { entry: "src/index.ts", formats: ["es"], fileName: "source" },
    },
  });
  const files: Readonly<Record<string, string>> = {
    "/packed.js": readFileSync(join(packed.folder, "dist/gradus.js"), "utf8"),
    "/source.js": readFileSync(join(plain, "source.js"), "utf8"),
  };
  const script = `import * as packed from "/packed.js"; import * as source from "/source.js"; globalThis.builds = { packed, source };`;
  server = createServer((request, response) => {
    const file = files[request.url ?? ""];
    response.setHeader("content-type", file === undefined ? "text/html" : "text/javascript");
    response.end(file ?? `<!doctype html><title>Trials</title><script type="module">${script}</script>`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await launchBrowser({ software: true });
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "builds" in globalThis);
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  packed?.dispose();
});

describe("the packed file", () => {
  test.each(trials)("$name: compiles, learns, and has the bits of the source", async (trial) => {
    const [got, wanted] = await Promise.all([
      page.evaluate(play, { build: "packed" as const, trial }),
      page.evaluate(play, { build: "source" as const, trial }),
    ]);
    seen.push(...got.kernels);
    expect(got.errors).toEqual([]);
    expect(got.weights.every(Number.isFinite)).toBe(true);
    expect(Math.min(...got.losses.slice(1))).toBeLessThan(got.losses[0] as number);
    expect(got).toEqual(wanted);
  });
});

describe("what was tried", () => {
  const textOf = (file: string): string => readFileSync(`shaders/${file}`, "utf8");
  const conditionsOf = (text: string): string[] =>
    [...text.matchAll(/#(?:if|elif) \$\{([A-Z0-9_]+)\}/g)].map(([, name]) => name as string);
  const missing = (
    name: string,
    text: string,
    valuesOf: (condition: string) => readonly (boolean | undefined)[],
  ): string[] =>
    [...new Set(conditionsOf(text))].flatMap((condition) =>
      [false, true]
        .filter((value) => !valuesOf(condition).includes(value))
        .map((value) => `${name}: ${condition} ${value}`),
    );

  test("is every kernel, with both values of each of its conditions", () => {
    const texts: Readonly<Record<string, string>> = {
      ...Object.fromEntries(allKernels.map(({ name, source, others = [] }) => [name, inLines(source, ...others)])),
      commit: textOf("commit.wgsl"),
      ...passTexts,
      update: textOf("update.wgsl"),
    };
    const files = readdirSync("shaders").filter((file) => file.endsWith(".wgsl"));
    // A text counts by its first hole or declaration.
    const all = Object.values(texts).join("\n");
    const mark = (file: string): string =>
      textOf(file)
        .split("\n")
        .find((line) => /^(override|@group|fn|#if|\$\{)/.test(line)) ?? "";
    expect(files.filter((file) => !all.includes(mark(file)))).toEqual([]);
    // All products share one text, and what one of them has tried is tried.
    const ofProducts = ["product.wgsl", "product/tile.wgsl", "product/conv2d.wgsl", "strip.wgsl"].flatMap((file) =>
      conditionsOf(textOf(file)),
    );
    const isProduct = (name: string): boolean => conditionsOf(texts[name] ?? "").includes("COLUMN_SUM");
    const isUpdate = (name: string): boolean => name.split("+").every((part) => part in rules);
    const found = Object.entries(texts).flatMap(([name, text]) => {
      const own = seen.filter((kernel) => (name === "update" ? isUpdate(kernel.name) : kernel.name === name));
      if (own.length === 0) return [`${name}: never`];
      const parts = ["update", "norm"].includes(name) ? textOf("parts/arena.wgsl") : "";
      // Some kernels are one text with other expressions in it.
      const akin = name === "update" ? own : seen.filter((one) => texts[one.name] === text);
      return missing(name, text + parts, (condition) =>
        (isProduct(name) && ofProducts.includes(condition) ? seen.filter((one) => isProduct(one.name)) : akin).map(
          ({ conditions }) => conditions[condition],
        ),
      );
    });
    // A recording is of a step on floats as they are, and leaves no statistics. The others' losses, weights and statistics are
    // compared above, and so are the losses of samples.
    const ofBytes = ["gather: BYTES true", "gather: NORM true", "gather: BYTE_TARGET true", "gather-words: BYTES true"];
    const hidden = [...ofBytes, "row-sum: REPORTED true", "row-sum: SCALED true"];
    const told = ["keep: ADDED false", "sample-losses: never"];
    const bytes = trials.filter((trial) => trial.bytes);
    for (const [named, numbers] of [
      [false, false],
      [false, true],
      [true, true],
    ]) {
      const found = bytes.some((one) => (one.named !== undefined) === named && (one.targets !== undefined) === numbers);
      expect(found, `bytes ${named ? "by name" : "alone"}${numbers ? ", to numbers" : ""}`).toBe(true);
    }
    expect(trials.some(({ statistics }) => statistics)).toBe(true);
    expect(found.filter((text) => ![...hidden, ...told].includes(text))).toEqual([]);
  });

  test("is every rule, with both values of each of its conditions, alone and beside others", () => {
    for (const mixed of [false, true]) {
      const own = seen
        .filter(({ name }) => name.includes("+") === mixed)
        .flatMap(({ name, conditions }) => name.split("+").map((rule, i) => ({ rule, conditions, i })))
        .filter(({ rule }) => rule in rules);
      const values = (rule: string | undefined, condition: string) =>
        own
          .filter((one) => rule === undefined || one.rule === rule)
          .map((one) => one.conditions[`${condition}_${one.i}`]);
      const found = Object.entries(rules).flatMap(([rule, texts]) =>
        own.some((one) => one.rule === rule)
          ? missing(rule, texts.join("\n"), (condition) => values(rule, condition))
          : [`${rule}: never`],
      );
      const shared = missing("all rules", textOf("parts/rule.wgsl"), (condition) => values(undefined, condition));
      expect([...found, ...shared], mixed ? "side by side" : "alone").toEqual([]);
    }
  });

  test("is every op that a model can reach", () => {
    const said = `${seen.map(({ note, name }) => `${name} ${note}`).join(" ")} `;
    const isSeen = ({ name, kernel, elementwise }: Op): boolean =>
      kernel === undefined || said.includes(elementwise === undefined ? `${kernel.name} ` : ` +${name} `);
    expect(trials.some(({ perSample }) => perSample)).toBe(true);
    // No layer of the door gives two parameters one gradient, which is copied then: test/gpu/parts/random-layer does.
    expect([...allOps.values()].filter((op) => !isSeen(op)).map(({ name }) => name)).toEqual(["copy", "sampleLosses"]);
  });

  test("is found at the door: rules, their options, layers, and controllers", () => {
    expect(new Set(ruleVariants.map(({ optimizer }) => optimizer.rule.kernel))).toEqual(new Set(Object.keys(rules)));
    expect(ruleVariants.length).toBeGreaterThan(60);
    expect(optionVariants.length).toBeGreaterThan(50);
    expect(plainLayers).toEqual(expect.arrayContaining(["flatten", "gelu", "relu", "sigmoid", "tanh"]));
    expect([...controllerNames].sort()).toEqual(controllers.map(({ name }) => name).sort());
    for (const name of controllerNames) expect(trials.map((trial) => trial.name)).toContain(name);
  });
});
