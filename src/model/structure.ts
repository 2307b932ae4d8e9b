// Layers made of layers: chains, residual blocks and any other graph.

import { NameError, OptionError, ShapeError } from "../errors.ts";
import { isLayer, type Layer, type Scope, type Value, where } from "./layer.ts";

/** Layers in order: an array, or named groups whose names become part of the paths. */
export type Layers = readonly Layer[] | { readonly [name: string]: Layer | readonly Layer[] };

/**
 * Layers one after the other. Named groups give the paths by which rates and freezing address them: in
 * `sequential({ stem: [conv2d(8), relu()], head: dense(10) })` the weights are `stem.0.weight` and `head.weight`.
 */
export function sequential(layers: Layers): Layer {
  const parts = namedParts(layers);
  if (parts.length === 0) throw new OptionError("sequential: there are no layers. Give at least one.");
  return {
    kind: "sequential",
    apply: (scope, x) => parts.reduce((value, [name, layer]) => layer.apply(scope.child(name), value), x),
  };
}

/** `x + f(x)`: a chain with a bypass (He et al. 2015). The chain must keep the shape. */
export function residual(layers: Layers): Layer {
  const inner = sequential(layers);
  return {
    kind: "residual",
    apply(scope, x) {
      const y = inner.apply(scope, x);
      if (String(y.shape) !== String(x.shape)) {
        throw new ShapeError(
          `${where("residual", scope)}: its layers turn [${x.shape}] into [${y.shape}], but both are added. Make them keep the shape.`,
        );
      }
      return scope.op("add", [y, x]);
    },
  };
}

/** Applies a layer under a name. The same name with the same layer shares its weights. */
export type Use = (name: string, layer: Layer, x: Value) => Value;

/** What a functional model may do beside using layers. */
export interface Functional {
  readonly use: Use;
  /** The sum of two values of one shape. */
  readonly add: (a: Value, b: Value) => Value;
}

/**
 * Any graph with one input and one output.
 *
 * @example
 * functional((x, { use, add }) => {
 *   const h = use("stem", dense(64), x);
 *   return use("head", dense(10), add(use("left", tanh(), h), use("right", relu(), h)));
 * })
 */
export function functional(build: (x: Value, tools: Functional) => Value): Layer {
  return {
    kind: "functional",
    apply(scope, x) {
      const y = build(x, {
        use: (name, layer, value) =>
          checkedLayer("functional", name, layer).apply(scope.child(checkedName(scope, name)), value),
        add(a, b) {
          if (String(a.shape) !== String(b.shape)) {
            throw new ShapeError(
              `${where("add", scope)}: the shapes are [${a.shape}] and [${b.shape}]. Both must be equal.`,
            );
          }
          return scope.op("add", [a, b]);
        },
      });
      if (Array.isArray(y?.shape)) return y;
      throw new OptionError(
        `${where("functional", scope)}: the function returned no value. Return what use() or add() gave.`,
      );
    },
  };
}

function namedParts(layers: Layers): [string, Layer][] {
  if (typeof layers !== "object" || layers === null || isLayer(layers)) {
    throw new OptionError("sequential: its argument is no list of layers. Give [layer, ...] or { name: layer, ... }.");
  }
  const entries = Array.isArray(layers)
    ? layers.map((layer, i): [string, Layer] => [String(i), layer])
    : Object.entries(layers).map(([name, part]): [string, Layer] => [
        name,
        Array.isArray(part) ? sequential(part) : (part as Layer),
      ]);
  for (const [name, layer] of entries) {
    checkedName(undefined, name);
    checkedLayer("sequential", name, layer);
  }
  return entries;
}

function checkedLayer(place: string, name: string, layer: Layer): Layer {
  if (isLayer(layer)) return layer;
  throw new OptionError(`${place}: "${name}" is no layer. Call its factory, for example relu() and not relu.`);
}

/** Names become paths, checkpoint keys and patterns, so they are kept to letters, digits, "_" and "-". */
function checkedName(scope: Scope | undefined, name: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(name)) return name;
  const place = scope === undefined || scope.path === "" ? "model" : `model "${scope.path}"`;
  throw new NameError(`${place}: "${name}" cannot be a layer's name. Use letters, digits, "_" and "-".`);
}
