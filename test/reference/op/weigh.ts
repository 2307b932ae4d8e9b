// scale = factor w / (values total): total is the sum of the weights of real samples, or their number. Where it is 0 so is the scale.

import type { Twin } from "../twin.ts";

export const weigh: Twin = ([weights], { inputs, attributes }, { count }, round) => {
  const { values, factor, counted } = attributes as { values: number; factor: number; counted: boolean };
  const [batch] = inputs[0]!.shape as [number];
  const real = Math.min(weights!.length, (weights!.length / batch) * count);
  const total = counted ? real : weights!.subarray(0, real).reduce((sum, weight) => round(sum + weight), 0);
  const share = total === 0 ? 0 : round(factor / round((values / weights!.length) * total));
  return [weights!.map((weight, i) => (i < real ? round(weight * share) : 0))];
};
