// What each value of a loss counts in its mean: factor / (values count), or by its weight as `weigh` has made it.

import type { Facts, Round } from "./twin.ts";

/** `values` of a whole batch. */
export function sharesOf(
  { inputs, attributes }: Facts,
  values: number,
  scales: Float64Array | undefined,
  count: number,
  round: Round,
) {
  const [batch] = inputs[0]!.shape as [number];
  const span = values / batch;
  const { factor = 1 } = attributes as { readonly factor?: number };
  const even = round(factor / round(span * count));
  return {
    /** Values of samples that are real. */
    real: Math.min(batch, count) * span,
    scaleOf: (i: number): number => scales?.[Math.floor((i * scales.length) / values)] ?? even,
    weighed: (value: number, scale: number): number =>
      scales === undefined ? value : scale === 0 ? 0 : round(value * scale),
    shareOf: (sum: number): number => (scales === undefined ? round(round(sum * factor) / span) : round(sum * count)),
  };
}
