// Each pair (a, b) of the last axis becomes (a cos - b sin, a sin + b cos) of the angle place base^(-2 i / D), or turns back by it.

import type { Twin } from "../twin.ts";

export const rotary: Twin = ([x], { inputs, attributes }, _step, round) => {
  const { shape } = inputs[0]!;
  const [length, places] = [shape.at(-1)!, shape[1]!];
  const heads = shape.slice(2, -1).reduce((a, b) => a * b, 1);
  const y = new Float64Array(x!.length);
  for (let head = 0; head * length < x!.length; head++) {
    const place = Math.floor(head / heads) % places;
    for (let i = 0; i < length / 2; i++) {
      const angle = place * (attributes.base as number) ** ((-2 * i) / length) * (attributes.reverse === true ? -1 : 1);
      const [cos, sin] = [round(Math.cos(angle)), round(Math.sin(angle))];
      const [at, to] = (attributes.interleaved === true ? [2 * i, 2 * i + 1] : [i, i + length / 2]).map(
        (k) => head * length + k,
      ) as [number, number];
      y[at] = round(round(x![at]! * cos) - round(x![to]! * sin));
      y[to] = round(round(x![to]! * cos) + round(x![at]! * sin));
    }
  }
  return [y];
};
