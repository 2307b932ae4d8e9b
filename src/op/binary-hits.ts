// Which logits are on the side of a threshold where their target is: hits, and no loss.

import source from "../../shaders/binary-hits.wgsl?raw";
import { hitsOp } from "./hits.ts";
import { threads } from "./kernel.ts";
import { partsOfRow } from "./split.ts";
import { size } from "./tensor.ts";

/** Logits and targets [B, ..]: hits where one is above `logit` and the other above 0.5, or neither. */
export const binaryHits = hitsOp({
  name: "binaryHits",
  kernel: "binary-hits",
  source,
  names: ["prediction", "targets"],
  spanOf: (shape) => size(shape.slice(1)),
  parts: partsOfRow,
  shares: ({ batch, parts, attributes }) => ({
    constants: { BATCH: batch, PARTS: parts, LOGIT: (attributes as { readonly logit?: number }).logit ?? 0 },
    grid: threads(batch * parts),
  }),
});
