// The running mean of a tensor's weights: mean + (1 - decay) (p - mean), where 1 - decay is the tensor's share.

import type { Round } from "./twin.ts";

export const average = (mean: Float64Array, weights: Float64Array, share: number, round: Round): Float64Array =>
  mean.map((value, i) => round(value + round(round(share) * round(weights[i]! - value))));
