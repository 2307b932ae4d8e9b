// What the factories of convolutions share: their options, checked, and what their layers ask of images and weights.

import { ShapeError } from "../errors.ts";
import { type Initializer, type InitializerName, initializer } from "../initializer.ts";
import { bias as addBias } from "../op/bias.ts";
import { checkNoActivation, type Scope, type Value, where, wholeNumber } from "../op/layer.ts";
import { type Padding, type Pads, padsOf, pair, windowRefusal } from "../op/window.ts";
import { anything, resolved } from "../option.ts";

/** Options of what goes over images with a window. */
export interface WindowOptions {
  /** Window height and width, or [height, width]. Default 3. */
  readonly kernel?: number | readonly [number, number];
  /** Step of the window, or [vertical, horizontal]. Default 1. */
  readonly stride?: number | readonly [number, number];
  /** Default "valid". */
  readonly padding?: Padding;
  /** From one tap of the window to the next, or [vertical, horizontal]. Default 1. */
  readonly dilation?: number | readonly [number, number];
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
  /** Start of the filter. Default "glorotUniform". */
  readonly initializer?: InitializerName | Initializer;
}

/** How options of an axis are read: one length, or two. */
type Lengths = (place: string, what: string, given: number) => readonly [number, number];

/** What a factory was given, checked: the window, how it slides, the whole number that is called `own`, and the weights that a layer asks for. */
export function convolution(kind: string, options: object, own: "groups" | "depthMultiplier", lengths: Lengths = pair) {
  checkNoActivation(kind, options);
  const table = {
    kernel: [3, anything],
    stride: [1, anything],
    padding: ["valid", anything],
    dilation: [1, anything],
    ...({ [own]: [1, anything] } as object),
    bias: [true],
    initializer: ["glorotUniform"],
  } as const;
  const { padding, bias, ...given } = resolved(kind, options as WindowOptions, table, `${kind}(16, { kernel: 3 })`);
  const initialize = initializer(kind, given.initializer);
  const zeros = initializer(kind, "zeros");
  return {
    window: lengths(kind, "kernel", given.kernel as number),
    slide: {
      stride: lengths(kind, "stride", given.stride as number),
      padding: padsOf(kind, padding, lengths !== pair),
      dilation: lengths(kind, "dilation", given.dilation as number),
    },
    count: wholeNumber(kind, own, (given as Record<string, unknown>)[own] as number),
    weights: {
      filter: (scope: Scope, shape: readonly number[]): Value => scope.parameter("weight", shape, initialize),
      biased: (scope: Scope, x: Value): Value =>
        bias ? scope.op(addBias, { x, b: scope.parameter("bias", x.shape.slice(-1), zeros) }).z : x,
    },
  };
}

/** Channels of an image that a window of such a span fits onto, and that can be divided into groups. */
export function channelsOf(
  kind: string,
  scope: Scope,
  x: Value,
  groups: number,
  span: readonly number[] = [1, 1],
  padding: Pads = "same",
): number {
  const channels = x.shape.at(-1) as number;
  const refusal =
    windowRefusal(x.shape, span, padding) ??
    (channels % groups === 0
      ? undefined
      : `input has ${channels} channels, they cannot be divided into ${groups} groups.`);
  if (refusal !== undefined) throw new ShapeError(`${where(kind, scope)}: ${refusal}`);
  return channels;
}
