// Gradients of micro-batches, added up by their shares: sum = sum + weight g, and weight g at the first one.

import type { Round } from "./twin.ts";

export const accumulate = (
  sum: Float64Array | undefined,
  gradients: Float64Array,
  weight: number,
  round: Round,
): Float64Array => gradients.map((g, i) => round((sum?.[i] ?? 0) + round(round(weight) * g)));
