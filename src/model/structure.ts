// Layers made of layers: chains, residual blocks and any other graph.

import { NameError, OptionError, ShapeError } from "../errors.ts";
import { add } from "../op/elementwise.ts";
import {
  applied,
  checkedName,
  checkLayer,
  isLayer,
  type Layer,
  type Scope,
  type Value,
  type Values,
  where,
} from "../op/layer.ts";
import { checkFunction, checkOrder, resolved, shown } from "../option.ts";
import { dropped } from "./dropout.ts";
import { INPUT } from "./graph-of.ts";

/** One layer, or several in order. */
export type Part = Layer | readonly Layer[];

/**
 * Layers in order: a list, or named parts whose names become part of the paths, as a record, a list of pairs
 * `[["stem", layer], ...]` or a Map.
 */
export type Layers =
  | readonly Part[]
  | readonly (readonly [name: string, part: Part])[]
  | ReadonlyMap<string, Part>
  | { readonly [name: string]: Part };

/**
 * Layers one after the other. Named groups give the paths by which rates and freezing address them: in
 * `sequential({ stem: [conv2d(8), relu()], head: dense(10) })` the weights are `stem.0.weight` and `head.weight`.
 * Throws OptionError for what is no layer and for keys that JavaScript would put in another order, NameError for names that
 * cannot stand in a path.
 */
export function sequential(layers: Layers, ...more: []): Layer {
  const parts = namedParts("sequential", layers, more);
  return {
    kind: "sequential",
    parts: parts.map(([name, layer], i) => ({ name, layer, from: parts[i - 1]?.[0] ?? INPUT })),
    apply: chain(parts),
  };
}

/** `x + f(x)`: a chain with a bypass (He et al. 2015). The chain must keep the shape. */
export function residual(layers: Layers, ...more: []): Layer {
  return bypassed("residual", chain(namedParts("residual", layers, more)), (_, y) => y);
}

/** What a chain with a bypass that is left out at random is given. */
export interface StochasticDepthOptions {
  /** The share of samples that only take the bypass; at least 0 and below 1. */
  readonly rate: number;
}

/**
 * `residual(layers)` of which each sample leaves out f(x) with probability `rate`, in training alone (Huang et al. 2016); where it is
 * kept it is divided by 1 - rate, so that prediction takes it as it is. torchvision calls it mode "row", timm drop path.
 *
 * @example stochasticDepth([dense(64), gelu(), dense(16)], { rate: 0.1 })
 */
export function stochasticDepth(layers: Layers, options: StochasticDepthOptions): Layer {
  const place = "stochasticDepth";
  const table = { rate: [undefined, "at least 0 and below 1"] } as const;
  const { rate } = resolved(
    place,
    options,
    table,
    "stochasticDepth([layer, ...], { rate: 0.1 })",
  ) as StochasticDepthOptions;
  return bypassed(place, chain(namedParts(place, layers, [])), (scope, y) =>
    dropped(
      scope,
      y,
      rate,
      y.shape.map((length, axis) => (axis === 0 ? length : 1)),
    ),
  );
}

/** `x + end(f(x))`. */
function bypassed(kind: string, inner: Layer["apply"], end: (scope: Scope, y: Value) => Value): Layer {
  return {
    kind,
    apply(scope, x) {
      const y = inner(scope, x);
      if (String(y.shape) !== String(x.shape)) {
        throw new ShapeError(
          `${where(kind, scope)}: its layers turn [${x.shape}] into [${y.shape}], but both are added. Make them keep the shape.`,
        );
      }
      return scope.op(add, { x: end(scope, y), y: x }).z;
    },
  };
}

/** Applies a layer under a name. The same name with the same layer shares its weights. */
export type Use = <In = Value, Out = Value>(name: string, layer: Layer<In, Out>, x: In) => Out;

/** What a functional model may do beside using layers. */
export interface Functional {
  /** Applies a layer under a name. The same name with the same layer shares its weights. */
  readonly use: Use;
  /** The sum of two values, which are repeated to one shape as by `ops.add`. */
  readonly add: (a: Value, b: Value) => Value;
  /** For ops, parameters, states and random numbers. */
  readonly scope: Scope;
}

/**
 * Any graph: of one value, or of values by name, into one or into several by name. Throws OptionError where the function is none or gives no value.
 *
 * @example
 * functional((x, { use, add }) => {
 *   const h = use("stem", dense(64), x);
 *   return use("head", dense(10), add(use("left", tanh(), h), use("right", relu(), h)));
 * })
 *
 * @example
 * functional(({ image, age }: Record<"image" | "age", Value>, { use, add }) => {
 *   const h = add(use("look", dense(64), image), use("ask", dense(64), age));
 *   return { kind: use("kind", dense(10), h), size: use("size", dense(1), h) };
 * })
 */
export function functional<In = Value, Out extends Value | Values = Value>(
  build: (x: In, tools: Functional) => Out,
): Layer<In, Out> {
  checkFunction("functional", "its argument", build);
  return {
    kind: "functional",
    takesValues: true,
    apply(scope, x) {
      return build(x, {
        use(name, layer, value) {
          const given: unknown = layer;
          checkLayer(where("functional", scope), shown(name), given);
          return applied(layer, scope.child(name), value);
        },
        add: (a, b) => scope.op(add, { x: a, y: b }).z,
        scope,
      });
    },
  };
}

const chain =
  (parts: readonly (readonly [string, Layer])[]): Layer["apply"] =>
  (scope, x) =>
    parts.reduce((value, [name, layer]) => applied(layer, scope.child(name), value), x);

function namedParts(place: string, layers: Layers, more: readonly unknown[]): [string, Layer][] {
  const advice = `Write ${place}([layer, ...]) or ${place}({ name: layer, ... }).`;
  if (more.length > 0)
    throw new OptionError(`${place}: it takes one list of layers, ${more.length + 1} came. ${advice}`);
  const isList = Array.isArray(layers) || layers instanceof Map;
  // The prototype of a record has none itself; that of an instance, or of { __proto__: layer }, has.
  const isRecord =
    typeof layers === "object" &&
    layers !== null &&
    Object.getPrototypeOf(Object.getPrototypeOf(layers) ?? Object.prototype) === null;
  if (isLayer(layers) || !(isList || isRecord)) {
    throw new OptionError(
      `${place}: its argument is ${isLayer(layers) ? "one layer" : shown(layers)}, no list of layers. ${advice}`,
    );
  }
  const entries: (readonly [string, unknown])[] = isList
    ? [...(layers as Iterable<unknown>)].map((part, i) => (isPair(part) ? part : [String(i), part]))
    : Object.entries(layers);
  if (entries.length === 0) throw new OptionError(`${place}: there are no layers. Give at least one.`);
  if (!isList) checkOrder(place, layers);
  const names = new Set<string>();
  return entries.map(([name, part]) => {
    checkedName("", name);
    if (names.has(name)) throw new NameError(`${place}: "${name}" stands twice. Give each part a name of its own.`);
    names.add(name);
    const layer: unknown = Array.isArray(part) ? sequential(part) : part;
    checkLayer(place, `"${name}"`, layer);
    return [name, layer];
  });
}

const isPair = (part: unknown): part is readonly [string, unknown] =>
  Array.isArray(part) && part.length === 2 && typeof part[0] === "string";
