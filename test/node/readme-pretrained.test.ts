// The tables and the plot of the study of pre-trained networks are those of its JSON, and README has the first table.
// `npx vitest run --project node test/node/readme-pretrained.test.ts -u` writes README's anew.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { full } from "../../demo/study/pretrained/plan.ts";
import { plot } from "../../demo/study/pretrained/plot.ts";
import { markdown, shortTable } from "../../demo/study/pretrained/report.ts";
import type { Results } from "../../demo/study/pretrained/study.ts";

const kept = (name: string): string => readFileSync(name, "utf8");
const results: Results = JSON.parse(kept("docs/pretrained.json"));
/** From its head to its last row. */
const table = /^\| {2,}\| DoodleNet .*(?:\n\|.*)+/m;

test("the page and the plot are made of docs/pretrained.json, which is of the budget that the command has", () => {
  expect(results.budget).toEqual(full);
  expect(kept("docs/pretrained.md")).toBe(markdown(results, "docs/pretrained.svg"));
  if (results.runs.length > 0) expect(kept("docs/pretrained.svg")).toBe(plot(results));
});

test("README's table is made of it, too", async () => {
  const readme = kept("README.md");
  expect(readme.match(new RegExp(table, "gm"))).toHaveLength(1);
  await expect(readme.replace(table, () => shortTable(results))).toMatchFileSnapshot("../../README.md");
});
