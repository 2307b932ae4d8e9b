// Runs in the browser: measures the adapter itself.

import { measureRoof as measure, type RoofTask } from "../../../demo/bench/roofline/measure.ts";
import type { RoofRow } from "../../../demo/bench/roofline/roof.ts";

declare global {
  /** What test/bench/main.ts calls here for `--only roofline`, and before networks. */
  var measureRoof: (task: RoofTask) => Promise<RoofRow[]>;
}

globalThis.measureRoof = (task) => measure(task, (line) => progress(line));
