// What stands beside the numbers of a run: its plot, where something has a roofline, and its tables, with those of a scale.json in
// the same folder.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { groupsOf, plot } from "../../demo/bench/plot.ts";
import type { ScaleNumbers } from "../../demo/bench/scale.ts";
import { type Numbers, speedPage } from "../../demo/bench/speed.ts";

const SCALE = "scale.json";

/** Whether a file is of how steps grow: it is drawn with the speed.json beside it. */
export const isScale = (file: string): boolean => basename(file) === SCALE;

const read = <T>(file: string): T => JSON.parse(readFileSync(file, "utf8")) as T;

/** Draws what a file of numbers holds; the paths of what it wrote. Throws where it holds no networks and kernels. */
export function draw(given: string): string[] {
  const file = isScale(given) ? join(dirname(given), "speed.json") : given;
  if (isScale(given) && !existsSync(file)) return [];
  const numbers = read<Numbers>(file);
  if (!file.endsWith(".json") || numbers.rows?.some(({ workload }) => workload === undefined) !== false)
    throw new Error(`--redraw: ${file} is no JSON of networks and kernels. Choose a file that --json wrote.`);
  const [page, image, scale] = [
    file.replace(/\.json$/, ".md"),
    file.replace(/\.json$/, ".svg"),
    join(dirname(file), SCALE),
  ];
  const { rows, kernels = [] } = numbers;
  // Beside networks kernels are in the table alone: a picture of all is as tall as ten pages.
  const networks = groupsOf({ rows, kernels: [] });
  const groups = networks.length > 0 ? networks : groupsOf({ rows, kernels });
  const grown = existsSync(scale) ? read<ScaleNumbers>(scale) : undefined;
  writeFileSync(page, speedPage(numbers, basename(image), grown));
  if (groups.length === 0) return [page];
  writeFileSync(image, plot(groups));
  return [page, image];
}
