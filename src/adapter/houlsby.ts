// Bottlenecks (Houlsby et al. 2019): behind a product stands x + up(activation(down(x))). It stands before the layer's own bias, which
// makes no difference to what can be learned, since down has a bias too.

import { sizeOf } from "../foreign/strided.ts";
import { dense, gelu, type Layer, type Model, OptionError, ops } from "../index.ts";
import { checkKeys, checkWhole } from "./names.ts";
import { adapted, reshaped } from "./scope.ts";

/** Options of `houlsby`. */
export interface HoulsbyOptions {
  /** Dense layers by path, a pattern or several: those behind which a bottleneck stands, such as "**.output". */
  readonly layers: string | readonly string[];
  /** Units of the bottleneck. Default 16. */
  readonly units?: number;
  /** Default gelu(). */
  readonly activation?: Layer;
}

/**
 * The model with a bottleneck behind each of these layers: dense layers `path.adapter.down` and `path.adapter.up`, of which the second is 0 at
 * first, so that nothing changes. All other names stay. With `base: { except: "**.adapter" }` nothing else trains. Throws as lora does.
 *
 * @example houlsby(model, { layers: ["**.attention.output", "block*.output"], units: 16 })
 */
export function houlsby<M extends Model>(model: M, options: HoulsbyOptions): M {
  const place = "houlsby";
  checkKeys(place, options, ["layers", "units", "activation"]);
  const { layers, units = 16, activation = gelu() } = options;
  checkWhole(place, "units", units);
  // A factory that was not called is a function, and functions have an `apply` too.
  if (typeof activation !== "object" || typeof activation?.apply !== "function")
    throw new OptionError(`${place}: activation is ${String(activation)}. Give a layer, for example relu().`);
  const down = dense(units);
  return adapted(place, model, layers, {
    matmul: {
      weight: "b",
      output: "c",
      adapt({ scope, weight, made, attributes }) {
        if (attributes.transposeB === true) return made;
        const own = weight.scope.child("adapter");
        const width = made.shape.at(-1) as number;
        const rows = reshaped(scope, made, [sizeOf(made.shape.slice(0, -1)), width]);
        const inner = activation.apply(own.child("activation"), down.apply(own.child("down"), rows));
        const up = dense(width, { initializer: "zeros" }).apply(own.child("up"), inner);
        return scope.op(ops.add, { x: made, y: reshaped(scope, up, made.shape) }).z;
      },
    },
  });
}
