// Controllers: rules that learn the rates. They run on the GPU before each update and write the layer table that it reads, a
// factor for each layer, from the norms of its gradients and weights; nothing of it passes through the host. Each file of
// controller/ holds one.

import { OptionError } from "../errors.ts";
import type { Controller, ControllerPart } from "../kernels/control.ts";
import { type Entry, resolved } from "../option.ts";
import { patternEntry } from "../pattern.ts";

export type { Controller };

/** What all controllers take. */
export interface Chosen {
  /** Pattern of the layers that it steers. Default: all. */
  readonly layers?: string;
}

/** An option of a controller: its default, its range, and what the shader calls it. */
type Numbered = readonly [otherwise: number, kind: Entry[1], constant: string];

/** A controller from the table of its options. Throws OptionError where one of them is out of its range. */
export function controller<Options extends Chosen>(
  name: string,
  options: Options,
  table: { readonly [Key in Exclude<keyof Options, "layers">]-?: Numbered },
  part: ControllerPart,
): Controller {
  const entries = Object.entries<Numbered>(table);
  const { layers, ...all } = resolved<object, Record<string, Entry>>(name, options, {
    ...table,
    layers: ["**", patternEntry],
  }) as {
    readonly [key: string]: number;
  } & { readonly layers: string };
  const { min = 0, max = min } = all;
  if (min > max) throw new OptionError(`${name}: min is ${min} and max is ${max}. Give min below max.`);
  const constants = Object.fromEntries(entries.map(([key, [, , constant]]) => [constant, all[key] as number]));
  return { name, layers, constants, part };
}

/** Options of controllers whose factors have bounds. */
export interface BoundedOptions extends Chosen {
  /** Bounds of the factor on the rate. Default 1/64 and 64. */
  readonly min?: number;
  /** The upper bound. */
  readonly max?: number;
}
