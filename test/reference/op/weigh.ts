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

/** The same of rows of classes: a label may not count, and in the sum a row counts as often as the weight of its class says. */
export const weighClasses: Twin = ([target, classes, weights], { outputs, attributes }, { count }, round) => {
  const { factor, counted, ignored, soft } = attributes as Readonly<Record<string, number>>;
  const length = outputs[0]!.shape.reduce((a, b) => a * b, 1);
  const real = Math.min(length, (length / outputs[0]!.shape[0]!) * count);
  const counts = (i: number): boolean => i < real && (soft ? true : target![i] !== ignored);
  const weight = (i: number): number => (counts(i) ? (weights?.[Math.floor((i * weights.length) / length)] ?? 1) : 0);
  const share = (i: number): number =>
    counted || soft
      ? counted
        ? Number(counts(i))
        : weight(i)
      : round(weight(i) * classes![Math.min(target![i]!, classes!.length - 1)]!);
  let total = 0;
  for (let i = 0; i < length; i++) total = round(total + share(i));
  const scale = total === 0 ? 0 : round(factor! / total);
  return [Float64Array.from({ length }, (_, i) => round(weight(i) * scale))];
};
