// Norms of a tensor: the sums over its blocks.

import type { Norms } from "./norm.ts";
import type { Round } from "./twin.ts";

export const rowSum = (blocks: readonly Norms[], round: Round): Norms =>
  blocks.reduce((sum, block) => sum.map((value, i) => round(value + block[i]!)) as unknown as Norms, [0, 0, 0, 0, 0]);
