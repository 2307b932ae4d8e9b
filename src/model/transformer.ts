// The block that Transformers are made of.

import { gelu } from "../op/activation.ts";
import { add } from "../op/elementwise.ts";
import { applied, checkLayer, type Layer, type Value, wholeNumber } from "../op/layer.ts";
import { anything, checkRange, resolved } from "../option.ts";
import { type MultiHeadAttentionOptions, multiHeadAttention } from "./attention.ts";
import { dense } from "./dense.ts";
import { dropout } from "./dropout.ts";
import { layerNorm } from "./norm.ts";

/** Options of `transformerBlock`. */
export interface TransformerBlockOptions extends Omit<MultiHeadAttentionOptions, "units"> {
  /** Units between the two dense layers. Default four times the features. */
  readonly hidden?: number;
  /** Whether what is added is normalized before, as in GPT-2, or the sum after, as in Vaswani et al. Default "pre". */
  readonly norm?: "pre" | "post";
  /** The layer between the two dense ones. Default gelu(). */
  readonly activation?: Layer;
  /** What share of each of the two sums' second parts is dropped in training. Default 0. */
  readonly dropout?: number;
}

/**
 * Self-attention and two dense layers, each added to what it was given (Vaswani et al. 2017): [B, T, C] -> [B, T, C]. Parts by path:
 * `norm1`, `attention` with its `query`, `key`, `value` and `output`, `norm2`, `hidden` and `output`. Throws as multiHeadAttention does.
 *
 * @example sequential([embedding(65, 128), positionEmbedding(64), transformerBlock({ heads: 4, causal: true }), dense(65)])
 */
export function transformerBlock(options: TransformerBlockOptions): Layer {
  const kind = "transformerBlock";
  const table = {
    ...{
      heads: [undefined, "a whole number of at least 1"],
      keyHeads: [],
      causal: [false],
      bias: [true],
      positions: [],
    },
    ...{ initializer: ["glorotUniform"], hidden: [], norm: ["pre", ["pre", "post"]] },
    ...{ activation: [undefined, anything], dropout: [0] },
  } as const;
  const given = resolved(kind, options, table, `${kind}({ heads: 4, causal: true })`);
  const { hidden, norm, activation = gelu(), dropout: rate, ...heads } = given;
  checkRange(kind, "at least 0 and below 1", { dropout: rate });
  checkLayer(kind, '"activation"', activation);
  if (hidden !== undefined) wholeNumber(kind, "hidden", hidden);
  const { bias, initializer } = heads;
  const look = multiHeadAttention(heads as MultiHeadAttentionOptions);
  return {
    kind,
    apply(scope, x) {
      const use = (name: string, layer: Layer, value: Value): Value => applied(layer, scope.child(name), value);
      const think = (value: Value): Value => {
        const units = value.shape.at(-1) as number;
        const inner = use("hidden", dense(hidden ?? 4 * units, { bias, initializer }), value);
        return use(
          "output",
          dense(units, { bias, initializer }),
          applied(activation, scope.child("activation"), inner),
        );
      };
      const around = (place: 1 | 2, value: Value, part: (value: Value) => Value): Value => {
        const made = part(norm === "pre" ? use(`norm${place}`, layerNorm(), value) : value);
        const sum = scope.op(add, { x: use(`dropout${place}`, dropout(rate), made), y: value }).z;
        return norm === "pre" ? sum : use(`norm${place}`, layerNorm(), sum);
      };
      return around(
        2,
        around(1, x, (value) => use("attention", look as Layer, value)),
        think,
      );
    },
  };
}
