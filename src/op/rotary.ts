// Rotary positions: numbers of queries and keys are turned by their place, so that scores depend on how far apart they are.

import source from "../../shaders/rotary.wgsl?raw";
import { OptionError } from "../errors.ts";
import { resolved, shown } from "../option.ts";
import type { Layer } from "./layer.ts";
import { defineOp } from "./op.ts";
import { given } from "./request.ts";
import { dims, size } from "./tensor.ts";

/** Options of `rotary`. */
export interface RotaryOptions {
  /** Pair i of a head of length D turns by base^(-2 i / D) radians a place. Default 10000. */
  readonly base?: number;
  /** Whether pairs are neighbours, as in Llama's first code, and not a number of each half, as in GPT-NeoX. Default false. */
  readonly interleaved?: boolean;
}

type Turn = Required<RotaryOptions> & {
  /** Whether it turns back. */
  readonly reverse?: boolean;
};

function checkBase(place: string, name: string, value: unknown): void {
  if (typeof value === "number" && value >= 1 && Number.isFinite(value)) return;
  throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be a finite number of at least 1.`);
}

const options = { base: [10_000, checkBase], interleaved: [false] } as const;

/** From here on an angle would not be exact. */
const MOST_PLACES = 2 ** 20;

/** Turns a place of each pair, in the upper 32 and the lower 12 of 44 bits. */
const speedsOf = (length: number, base: number): string =>
  Array.from({ length: length / 2 }, (_, i) => {
    const turns = Math.round((base ** ((-2 * i) / length) / (2 * Math.PI)) * 2 ** 44);
    return `vec2u(${Math.floor(turns / 4096)}, ${turns % 4096})`;
  }).join(", ");

/** y: each pair of numbers of the last axis of x [B, T, .., D], turned by its place on axis 1. */
export const rotate = defineOp({
  name: "rotary",
  inputs: ["x"],
  outputs: ["y"],
  attributes: options,
  refuse: ({ x }) =>
    x.shape.length >= 3 && (x.shape.at(-1) as number) % 2 === 0 && (x.shape[1] as number) <= MOST_PLACES
      ? undefined
      : `${given(x)} Give [batch, places, .., length of a head], with an even length and at most ${MOST_PLACES} places.`,
  shape: ({ x }, _: Turn) => ({ y: { shape: x.shape } }),
  back({ dy }, { attributes, give, emit }) {
    give("x", () => emit(rotate, { x: dy }, { ...attributes, reverse: attributes.reverse !== true }).y);
  },
  kernel: {
    name: "rotary",
    source,
    choose({ tensors: { x }, attributes }) {
      const { base, interleaved, reverse = false } = attributes as Turn;
      const length = x.shape.at(-1) as number;
      const threads = size(x.shape) / 2;
      return {
        holes: { PAIRS: `${length / 2}u`, SPEEDS: speedsOf(length, base) },
        constants: {
          ...{ THREADS: threads, LENGTH: x.shape[1] as number, HEADS: size(x.shape.slice(2, -1)) },
          ...{ INTERLEAVED: interleaved ? 1 : 0, REVERSE: reverse ? 1 : 0 },
        },
        grid: threads,
        note: `${dims(x)}${reverse ? " back" : ""}`,
      };
    },
  },
});

/**
 * Rotary positions (Su et al. 2021): [B, T, .., D] -> the same, each pair of numbers of the last axis turned by its place on axis 1. It goes
 * into multiHeadAttention, which applies it to queries and keys [B, T, heads, D]. Throws OptionError for options that do not exist,
 * ShapeError where the last length is odd.
 *
 * @example multiHeadAttention({ heads: 8, causal: true, positions: rotary() })
 */
export function rotary(given: RotaryOptions = {}): Layer {
  const attributes = resolved("rotary", given, options, "rotary({ base: 10000 })");
  return { kind: "rotary", apply: (scope, x) => scope.op(rotate, { x }, attributes).y };
}
