// Layers that normalize each sample by itself.

import { ShapeError } from "../errors.ts";
import { initializer } from "../initializer.ts";
import { bias } from "../op/bias.ts";
import { type Layer, type Scope, type Value, where, wholeNumber } from "../op/layer.ts";
import { type Groups, normalize } from "../op/normalize.ts";
import { resolved } from "../option.ts";

/** Options of `rmsNorm`. */
export interface RmsNormOptions {
  /** What is added to the mean of squares. Default 1e-6, as in Keras and Llama. */
  readonly eps?: number;
}

/** Options of `groupNorm`. */
export interface GroupNormOptions {
  /** What is added to the variance. Default 1e-5, as in PyTorch; Keras has 1e-3. */
  readonly eps?: number;
}

/** Options of `layerNorm`. */
export interface LayerNormOptions extends GroupNormOptions {
  /** Whether there is a factor gamma. Default true. */
  readonly scale?: boolean;
  /** Whether there is an offset beta. Default true. */
  readonly offset?: boolean;
}

const positive = "a normal number of f32 above 0";

/** The op with its weights; an offset alone is a bias behind it. */
function normalized(
  kind: string,
  scope: Scope,
  x: Value,
  groups: Groups,
  { scale, offset }: Required<Pick<LayerNormOptions, "scale" | "offset">>,
): Value {
  const shape = x.shape.slice(-1);
  const gamma = scale ? scope.parameter("gamma", shape, initializer(kind, "ones")) : undefined;
  const beta = offset ? scope.parameter("beta", shape, initializer(kind, "zeros")) : undefined;
  const given = { x, ...(gamma && { gamma, ...(beta && { beta }) }) } as Record<"x" | "gamma" | "beta", Value>;
  const { y } = scope.op(normalize, given, groups);
  return gamma === undefined && beta !== undefined ? scope.op(bias, { x: y, b: beta }).z : y;
}

function checkAxes(kind: string, scope: Scope, { shape }: Value, least: number, form: string): void {
  if (shape.length >= least) return;
  throw new ShapeError(`${where(kind, scope)}: input has shape [${shape}], it must be ${form}. Give it one more axis.`);
}

/**
 * Layer normalization (Ba, Kiros and Hinton 2016) over the last axis: [B, .., C] -> [B, .., C], gamma (x - mean) / sqrt(variance + eps) +
 * beta, with the variance of n. Weights `gamma` and `beta`, both [C], as in Keras; PyTorch calls them `weight` and `bias`. Throws
 * OptionError for options that do not exist or are out of range, ShapeError where there is no axis beside the batch.
 *
 * @example layerNorm({ offset: false })
 */
export function layerNorm(options: LayerNormOptions = {}): Layer {
  const table = { eps: [1e-5, positive], scale: [true], offset: [true] } as const;
  const { eps, ...weights } = resolved("layerNorm", options, table, "layerNorm({ eps: 1e-3 })");
  return {
    kind: "layerNorm",
    apply(scope, x) {
      checkAxes("layerNorm", scope, x, 2, "[batch, .., channels]");
      return normalized("layerNorm", scope, x, { groups: 1, positions: false, centered: true, eps }, weights);
    },
  };
}

/**
 * Root mean square normalization (Zhang and Sennrich 2019) over the last axis: [B, .., C] -> [B, .., C], gamma x / sqrt(mean of squares +
 * eps). Weight `gamma` [C]. Throws as layerNorm does.
 *
 * @example rmsNorm({ eps: 1e-5 })
 */
export function rmsNorm(options: RmsNormOptions = {}): Layer {
  const { eps } = resolved("rmsNorm", options, { eps: [1e-6, positive] } as const, "rmsNorm({ eps: 1e-5 })");
  const groups = { groups: 1, positions: false, centered: false, eps };
  return {
    kind: "rmsNorm",
    apply(scope, x) {
      checkAxes("rmsNorm", scope, x, 2, "[batch, .., channels]");
      return normalized("rmsNorm", scope, x, groups, { scale: true, offset: false });
    },
  };
}

/**
 * Group normalization (Wu and He 2018): [B, .., C] -> [B, .., C], as layer normalization of each sample over all positions and the
 * channels of a group; `groups` part the channels, neighbours together. As many groups as channels are instance normalization. Weights
 * `gamma` and `beta`, both [C]. Throws OptionError for options that do not exist or are out of range, ShapeError where there are no
 * positions or the channels cannot be parted.
 *
 * @example groupNorm(8)
 */
export function groupNorm(groups: number, options: GroupNormOptions = {}): Layer {
  wholeNumber("groupNorm", "groups", groups);
  const { eps } = resolved("groupNorm", options, { eps: [1e-5, positive] } as const, "groupNorm(8, { eps: 1e-3 })");
  return {
    kind: "groupNorm",
    apply(scope, x) {
      checkAxes("groupNorm", scope, x, 3, "[batch, .., channels] with positions between");
      const channels = x.shape.at(-1) as number;
      if (channels % groups !== 0) {
        throw new ShapeError(
          `${where("groupNorm", scope)}: input has ${channels} channels, they cannot be divided into ${groups} groups.`,
        );
      }
      const form = { groups, positions: true, centered: true, eps };
      return normalized("groupNorm", scope, x, form, { scale: true, offset: true });
    },
  };
}
