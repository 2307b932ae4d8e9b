// Where the numbers of each kind of layer lie in PyTorch: names of its tensors, and the order of their axes.

import type { LayerSummary } from "../index.ts";

/** How a tensor of a file becomes one of the model: it has the shape `given`, is seen as `view`, and its axes change places. */
export interface Move {
  readonly given: readonly number[];
  readonly view: readonly number[];
  /** For each axis of the model's tensor, before those that follow one another are joined, the axis of `view`. */
  readonly axes: readonly number[];
}

/** A tensor of the model and where it may come from. */
export interface Wanted {
  readonly name: string;
  readonly shape: readonly number[];
  /** Ways in order, of which the first counts whose names are all there; the numbers of several names are added. */
  readonly sources: readonly (readonly string[])[];
  readonly move: Move;
}

type Shape = readonly number[];

const same = (shape: Shape): Move => ({ given: shape, view: shape, axes: shape.map((_, axis) => axis) });

/** [in, out] of [out, in]. */
const turned = ([inputs, units]: Shape): Move => {
  const given = [units, inputs] as number[];
  return { given, view: given, axes: [1, 0] };
};

/** [.., in, out] of [out, in, ..]: of convolutions along one axis and two, and of transposed ones, whose in and out are the other way round in both. */
const filter = (shape: Shape): Move => {
  const window = shape.slice(0, -2);
  const given = [shape.at(-1), shape.at(-2), ...window] as number[];
  return { given, view: given, axes: [...window.map((_, axis) => axis + 2), 1, 0] };
};

/** [kh, kw, C, m] of [C m, 1, kh, kw]. */
const depthwise = ([height, width, channels, many]: Shape): Move => ({
  given: [(channels as number) * (many as number), 1, height, width] as number[],
  view: [channels, many, height, width] as number[],
  axes: [2, 3, 0, 1],
});

/** [H W C, out] of [out, C H W]: behind a flatten, which here goes through the channels last. */
export const flattened = ([inputs, units]: Shape, [height, width, channels]: Shape): Move => ({
  given: [units, inputs] as number[],
  view: [units, channels, height, width] as number[],
  axes: [2, 3, 1, 0],
});

/** A tensor of a kind of layer: PyTorch's names of it, each way a list that is added, and its move. */
interface Form {
  readonly names: readonly (readonly string[])[];
  readonly move: (shape: Shape) => Move;
}

const form = (move: Form["move"], ...names: (string | readonly string[])[]): Form => ({
  names: names.map((name) => (typeof name === "string" ? [name] : name)),
  move,
});

const gates: Readonly<Record<string, Form>> = {
  weight: form(turned, "weight_ih_l0", "weight_ih"),
  recurrentWeight: form(turned, "weight_hh_l0", "weight_hh"),
};
const norm: Readonly<Record<string, Form>> = { gamma: form(same, "weight"), beta: form(same, "bias") };

/** Tensors whose name or layout differs, by kind of layer and the tensor's own name. */
const forms: Readonly<Record<string, Readonly<Record<string, Form>>>> = {
  dense: { weight: form(turned, "weight") },
  conv1d: { weight: form(filter, "weight") },
  conv2d: { weight: form(filter, "weight") },
  conv2dTranspose: { weight: form(filter, "weight") },
  depthwiseConv2d: { weight: form(depthwise, "weight") },
  batchNorm: {
    ...norm,
    movingMean: form(same, "running_mean"),
    movingVariance: form(same, "running_var"),
  },
  layerNorm: norm,
  groupNorm: norm,
  rmsNorm: norm,
  prelu: { slope: form(same, "weight") },
  lstm: { ...gates, bias: form(same, ["bias_ih_l0", "bias_hh_l0"], ["bias_ih", "bias_hh"]) },
  gru: {
    ...gates,
    bias: form(same, "bias_ih_l0", "bias_ih"),
    recurrentBias: form(same, "bias_hh_l0", "bias_hh"),
  },
};

/** Kinds that keep the order of what they are given, so that they may stand between a flatten and its dense layer. */
const keepsOrder = /^(dropout|relu|leakyRelu|elu|selu|gelu|silu|tanh|sigmoid|softplus|mish|reshape|flatten)/;

/** [H, W, C] that a flatten before this dense layer had, where its inputs are as many; undefined where there is none. */
function imageBefore(layers: readonly LayerSummary[], at: number): Shape | undefined {
  const inputs = layers[at]?.shapes.weight?.[0];
  let isFlat = false;
  for (let i = at - 1; i >= 0; i--) {
    const { kind, outputShape } = layers[i] as LayerSummary;
    if (isFlat && outputShape.length === 3)
      return outputShape.reduce((all, one) => all * one, 1) === inputs ? outputShape : undefined;
    if (kind === "flatten" || (kind === "reshape" && outputShape.length === 1)) isFlat = true;
    else if (!keepsOrder.test(kind)) return undefined;
  }
  return undefined;
}

/** States of a layer that weights of others have too: name and shape. */
function statesOf({ kind, stateCount }: LayerSummary): readonly (readonly [string, Shape])[] {
  const shape = [stateCount / 2];
  return kind === "batchNorm"
    ? [
        ["movingMean", shape],
        ["movingVariance", shape],
      ]
    : [];
}

const joined = (path: string, name: string): string => [path, name].filter((part) => part !== "").join(".");

/** All tensors of a model, as they lie in PyTorch or as they lie here. `images` says [C, H, W] of what was flattened before a dense layer. */
export function wantedTensors(
  layers: readonly LayerSummary[],
  layout: "pytorch" | "gradus",
  images: Readonly<Record<string, readonly [number, number, number] | false>>,
): Wanted[] {
  return layers.flatMap((layer, at) => {
    const own: (readonly [string, Shape])[] = [...Object.entries(layer.shapes), ...statesOf(layer)];
    return own.map(([tensor, shape]): Wanted => {
      const name = joined(layer.name, tensor);
      const found = layout === "pytorch" ? forms[layer.kind]?.[tensor] : undefined;
      const names = found?.names ?? [[tensor]];
      const back = layer.kind in { lstm: 0, gru: 0 } ? directionOf(layer.name, layers) : undefined;
      const sources = [
        ...names.map((way) => way.map((one) => joined(layer.name, one))),
        ...(back === undefined ? [] : names.map((way) => way.map((one) => joined(back.path, `${one}${back.suffix}`)))),
        // A bare parameter has no name below its path.
        ...(tensor === "weight" && layer.name !== "" ? [[layer.name]] : []),
        ...(found === undefined ? [] : [[name]]),
      ];
      const chosen = layout === "pytorch" && layer.kind === "dense" && tensor === "weight" ? images[layer.name] : false;
      const image = chosen === undefined ? imageBefore(layers, at) : chosen && [chosen[1], chosen[2], chosen[0]];
      return { name, shape, sources, move: image ? flattened(shape, image) : (found?.move ?? same)(shape) };
    });
  });
}

/** Of a part of `bidirectional`: where PyTorch's one layer is, and what its names end with. */
function directionOf(path: string, layers: readonly LayerSummary[]) {
  const above = path.slice(0, Math.max(0, path.lastIndexOf(".")));
  const isPart = layers.some(({ name, kind }) => name === above && kind === "bidirectional");
  return isPart ? { path: above, suffix: path.endsWith("backward") ? "_reverse" : "" } : undefined;
}

/** Tensors of attention layers of PyTorch under the names of the dense layers of ours: name -> names of its parts. */
export function attentionNames(
  layers: readonly LayerSummary[],
  names: readonly string[],
): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { name: path } of layers.filter(({ kind }) => kind === "multiHeadAttention")) {
    const known: Readonly<Record<string, readonly string[]>> = {
      in_proj_weight: ["query.weight", "key.weight", "value.weight"],
      in_proj_bias: ["query.bias", "key.bias", "value.bias"],
      q_proj_weight: ["query.weight"],
      k_proj_weight: ["key.weight"],
      v_proj_weight: ["value.weight"],
      "out_proj.weight": ["output.weight"],
      "out_proj.bias": ["output.bias"],
    };
    for (const [own, parts] of Object.entries(known)) {
      if (names.includes(joined(path, own)))
        found.set(
          joined(path, own),
          parts.map((part) => joined(path, part)),
        );
    }
  }
  return found;
}
