// The squared error as a loss.

import source from "../../shaders/mean-squared-error.wgsl?raw";
import { threads } from "./kernel.ts";
import { lossOp } from "./loss.ts";
import { partsOfRow } from "./split.ts";

/** The mean of the squared differences of a row. */
export const meanSquaredError = lossOp({
  name: "meanSquaredError",
  kernel: "mean-squared-error",
  source,
  names: ["prediction", "targets", "COLUMNS"],
  parts: partsOfRow,
  shares: (batch, _, parts) => ({ constants: { PARTS: parts }, grid: threads(batch * parts) }),
});
