// Runs in the browser: measures the engines on one workload.

import { type Race, race } from "../../demo/bench/race.ts";
import type { Row } from "../../demo/bench/report.ts";
import { engines } from "./engines.ts";

declare global {
  /** What test/bench/main.ts calls here, and what this page calls there to show where it is. */
  var measure: (task: Race) => Promise<Row[]>;
  var progress: (line: string) => Promise<void>;
}

globalThis.measure = (task) => race(task, engines, (line) => progress(line));
