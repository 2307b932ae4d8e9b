// How a model gets adapters without its layers knowing: it is traced in a scope that remembers which weights were asked for, and that adds
// to what an op makes of one of them. So whatever multiplies by a weight, a dense layer, a projection of attention, a tied head, is
// adapted in the same way; other ops with weights stay as they are.

import {
  type Attributes,
  type Model,
  NameError,
  type Op,
  OptionError,
  ops,
  type Scope,
  type Value,
  type Values,
} from "../index.ts";
import { chosen } from "./names.ts";

/** A weight that was asked for: where, and as it is stored. */
export interface Weight {
  readonly scope: Scope;
  readonly value: Value;
}

/** An op that was asked for with a weight among its inputs. */
export interface Request {
  readonly scope: Scope;
  readonly weight: Weight;
  readonly op: Op;
  readonly inputs: Values;
  readonly attributes: Attributes;
  /** What the op gave. */
  readonly made: Value;
}

/** For ops by name: the input that is a weight, the output, and what it becomes. */
export type Rows = Readonly<
  Record<string, { readonly weight: string; readonly output: string; adapt(request: Request): Value }>
>;

/** The model in which ops of the table are adapted where the pattern names their weight. */
export function adapted<M extends Model>(place: string, model: M, layers: unknown, rows: Rows): M {
  if (typeof model !== "object" || model === null || typeof model.apply !== "function")
    throw new OptionError(
      `${place}: its model is ${String(model)}. Give a layer, for example sequential([dense(10)]).`,
    );
  const isChosen = chosen(place, layers);
  const made: Model = {
    kind: model.kind,
    takesValues: model.takesValues === true,
    apply(scope: Scope, x: Value | Values) {
      const weights = new Map<Value, Weight>();
      const seen = new Set<string>();
      let found = false;
      const y = model.apply(within(scope), x);
      if (found) return y;
      throw new NameError(
        `${place}: ${JSON.stringify(layers)} names no weight that goes into a product, a convolution or a table. There are ${[...seen].join(", ")}.`,
      );

      function within(inner: Scope): Scope {
        return {
          path: inner.path,
          get mode() {
            return inner.mode;
          },
          child: (name) => within(inner.child(name)),
          parameter(name, shape, initializer) {
            const value = inner.parameter(name, shape, initializer);
            if (shape.length > 1) weights.set(value, { scope: inner, value });
            return value;
          },
          state: (...given) => inner.state(...given),
          commit: (...given) => inner.commit(...given),
          draw: (...given) => inner.draw(...given),
          report: (...given) => inner.report(...given),
          ...(inner.made && { made: inner.made }),
          op(op, inputs, attributes = {}) {
            const made = inner.op(op, inputs, attributes);
            const all = inputs as Values;
            // Another view of a weight is that weight.
            const viewed = op.name === ops.reshape.name ? weights.get(all.x as Value) : undefined;
            if (viewed !== undefined) weights.set((made as Values).y as Value, viewed);
            const row = Object.hasOwn(rows, op.name) ? rows[op.name] : undefined;
            const weight = row && weights.get(all[row.weight] as Value);
            if (row === undefined || weight === undefined) return made;
            seen.add(weight.scope.path);
            if (!isChosen(weight.scope.path)) return made;
            found = true;
            const request = { scope: inner, weight, op: op as Op, inputs: all, attributes };
            return { ...made, [row.output]: row.adapt({ ...request, made: (made as Values)[row.output] as Value }) };
          },
        };
      }
    },
  };
  return made as M;
}

/** A value under another shape. */
export const reshaped = (scope: Scope, x: Value, shape: readonly number[]): Value =>
  String(x.shape) === String(shape) ? x : scope.op(ops.reshape, { x }, { shape }).y;
