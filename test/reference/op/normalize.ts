// Layer, RMS and group normalization from their formulas, group by group.

import { size } from "../../../src/op/tensor.ts";
import type { Facts, Round, Twin } from "../twin.ts";

/** The places of each group, and the channel of each. */
function groupsOf({ inputs, attributes }: Facts): { places: number[]; channels: number[] }[] {
  const { shape } = inputs[0]!;
  const parts = attributes.groups as number;
  const channels = shape.at(-1)!;
  const samples = attributes.positions === true ? shape[0]! : size(shape.slice(0, -1));
  const each = size(shape) / samples;
  const found = Array.from({ length: samples * parts }, () => ({ places: [] as number[], channels: [] as number[] }));
  for (let i = 0; i < samples * each; i++) {
    const channel = i % channels;
    const group = found[Math.floor(i / each) * parts + Math.floor(channel / (channels / parts))]!;
    group.places.push(i);
    group.channels.push(channel);
  }
  return found;
}

function measured(x: Float64Array, places: readonly number[], { attributes }: Facts, round: Round) {
  const n = places.length;
  const mean = attributes.centered === true ? round(places.reduce((sum, at) => round(sum + x[at]!), 0) / n) : 0;
  const squares = places.reduce((sum, at) => {
    const d = round(x[at]! - mean);
    return round(sum + round(d * d));
  }, 0);
  const inverse = round(1 / round(Math.sqrt(round(round(squares / n) + (attributes.eps as number)))));
  return { xhat: places.map((at) => round(round(x[at]! - mean) * inverse)), inverse };
}

export const normalize: Twin = ([x, gamma, beta], facts, _step, round) => {
  const y = new Float64Array(x!.length);
  for (const { places, channels } of groupsOf(facts)) {
    const { xhat } = measured(x!, places, facts, round);
    for (const [k, at] of places.entries())
      y[at] = round(round(xhat[k]! * (gamma?.[channels[k]!] ?? 1)) + (beta?.[channels[k]!] ?? 0));
  }
  return [y];
};

export const normalizeBackward: Twin = ([x, dy, gamma], facts, _step, round) => {
  const dx = new Float64Array(x!.length);
  for (const { places, channels } of groupsOf(facts)) {
    const { xhat, inverse } = measured(x!, places, facts, round);
    const d = places.map((at, k) => round(dy![at]! * (gamma?.[channels[k]!] ?? 1)));
    const meanOf = (values: readonly number[]): number =>
      round(values.reduce((sum, value) => round(sum + value), 0) / places.length);
    const one = facts.attributes.centered === true ? meanOf(d) : 0;
    const two = meanOf(d.map((value, k) => round(value * xhat[k]!)));
    for (const [k, at] of places.entries()) dx[at] = round(inverse * round(round(d[k]! - one) - round(xhat[k]! * two)));
  }
  return facts.attributes.summed === true ? [dx, ...partsOf([x!, dy!], facts, _step, round)] : [dx];
};

/** Of each part the sums of dy xhat and of dy. */
const partsOf: Twin = ([x, dy], facts, _step, round) => {
  const { shape } = facts.inputs[0]!;
  const channels = shape.at(-1)!;
  const [parts] = facts.outputs[1]!.shape as [number];
  const groups = groupsOf(facts);
  const perSample = facts.attributes.groups as number;
  const samples = groups.length / perSample;
  const positions = size(shape) / (samples * channels);
  const isShared = size(shape) / groups.length >= 2 ** 14;
  const usual = Math.min(64, Math.ceil(Math.sqrt(samples / positions) / (isShared ? 4 : 1)));
  const { height = usual } = facts.attributes as { readonly height?: number };
  const y = new Float64Array(parts * 2 * channels);
  for (const [i, { places, channels: own }] of groups.entries()) {
    const { xhat } = measured(x!, places, facts, round);
    const part = Math.floor(Math.floor(i / perSample) / height);
    for (const [k, at] of places.entries()) {
      const to = 2 * part * channels + own[k]!;
      y[to] = round(y[to]! + round(dy![at]! * xhat[k]!));
      y[to + channels] = round(y[to + channels]! + dy![at]!);
    }
  }
  return [y];
};
