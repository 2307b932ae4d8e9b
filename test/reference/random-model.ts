// Random models for properties that must hold for every graph: values of a few kinds are combined by random layers, some
// of them used again, until all that was made flows into one output.

import type { Functional, Layer } from "../../src/index.ts";
import {
  conv2d,
  crossEntropy,
  dense,
  flatten,
  functional,
  gelu,
  maxPool2d,
  meanSquaredError,
  relu,
  sigmoid,
  tanh,
} from "../../src/index.ts";
import type { Value } from "../../src/op/layer.ts";
import { type Stream, stream, word } from "../../src/random.ts";
import type { ModelCase } from "./traced-model.ts";

const activations: readonly (() => Layer)[] = [relu, gelu, tanh, sigmoid];

export function randomModel(seed: number): ModelCase {
  const isImage = seed % 2 === 0;
  return {
    model: functional((x, tools) => build(x, tools, stream(seed, "model"))),
    input: isImage ? [4, 5, 1 + (seed % 3)] : [3 + (seed % 6)],
    batch: 3,
    loss: seed % 3 === 0 ? meanSquaredError() : crossEntropy(),
  };
}

function build(x: Value, { use, add }: Functional, key: Stream): Value {
  let drawn = 0;
  const below = (end: number): number => word(key, drawn++) % end;
  const shared = new Map<string, Layer>();
  const units = 4 + below(2);
  const filters = 2 + below(3);
  const name = (): string => (below(4) === 0 ? "shared" : `own${drawn}`);

  /** One more value of the same kind as `from`, rows or images. */
  const grown = (from: Value): Value => {
    const choice = below(6);
    if (choice < 2) return use(`a${drawn}`, activations[below(4)]!(), from);
    const isImage = from.shape.length === 4;
    if (isImage && choice === 2) return use(`p${drawn}`, maxPool2d(2, { stride: 1, padding: "same" }), from);
    const path = `${name()}-${from.shape.slice(1).join("x")}`;
    const fresh = isImage
      ? conv2d(filters, { padding: "same", kernel: 1 + below(3), bias: below(3) > 0 })
      : dense(units, { bias: below(3) > 0 });
    const layer = shared.get(path) ?? fresh;
    shared.set(path, layer);
    return use(path, layer, from);
  };

  /** Adds up values of equal shape; the others stay beside. */
  const merged = (values: readonly Value[]): Value[] => {
    const byShape = new Map<string, Value>();
    for (const value of values) {
      const known = byShape.get(String(value.shape));
      byShape.set(
        String(value.shape),
        known === undefined ? value : below(2) === 0 ? add(known, value) : add(value, known),
      );
    }
    return [...byShape.values()];
  };

  let values = [x];
  for (let i = 3 + below(4); i > 0; i--) values.push(grown(values[below(values.length)]!));
  values = merged(values);
  const rows = values.map((value, i) => (value.shape.length === 4 ? use(`f${i}`, flatten(), value) : value));
  for (let i = below(4); i > 0; i--) rows.push(grown(rows[below(rows.length)]!));
  const wide = merged(rows).map((value, i) => use(`head${i}`, dense(3), value));
  return wide.reduce((sum, value) => add(sum, value));
}
