// What stands beside the numbers of a run: its plot, where something has a roofline, and its tables.

import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { groupsOf, plot } from "../../demo/bench/plot.ts";
import { type Numbers, speedPage } from "../../demo/bench/speed.ts";

/** Draws what a file of numbers holds; the paths of what it wrote. Throws where it holds no networks and kernels. */
export function draw(file: string): string[] {
  const numbers = JSON.parse(readFileSync(file, "utf8")) as Numbers;
  if (!file.endsWith(".json") || numbers.rows?.some(({ workload }) => workload === undefined) !== false)
    throw new Error(`--redraw: ${file} is no JSON of networks and kernels. Choose a file that --json wrote.`);
  const [page, image] = [file.replace(/\.json$/, ".md"), file.replace(/\.json$/, ".svg")];
  const groups = groupsOf({ rows: numbers.rows, kernels: numbers.kernels ?? [] });
  writeFileSync(page, speedPage(numbers, basename(image)));
  if (groups.length === 0) return [page];
  writeFileSync(image, plot(groups));
  return [page, image];
}
