// The whole walk through the rooms that need no GPU: model -> graph -> backward -> fusion -> plan -> recording.

import { differentiate } from "../graph/backward.ts";
import { layerDepths } from "../graph/depth.ts";
import { fuse } from "../graph/fuse.ts";
import { tensorAt } from "../graph/graph.ts";
import { type DataFormat, type Loss, type Parameter, trace } from "../graph/trace.ts";
import type { DeviceFacts } from "../kernels/kernel.ts";
import type { Layer } from "../model/layer.ts";
import { type Layout, layOut } from "../plan/layout.ts";
import { plan } from "../plan/plan.ts";
import { type Recording, record } from "./record.ts";
import type { UpdateSettings } from "./update.ts";

/** `train` ends in the update, `gradients` before it. */
export type Mode = "train" | "gradients" | "evaluate" | "predict";

export interface ProgramOptions {
  readonly model: Layer;
  /** Shape of one sample. */
  readonly input: readonly number[];
  readonly batch: number;
  readonly loss: Loss;
  readonly update: UpdateSettings;
  readonly format: DataFormat;
  readonly mode: Mode;
  /** Whether some training steps leave statistics. */
  readonly sampled: boolean;
  /** Names of tensors that are frozen. */
  readonly frozen: ReadonlySet<string>;
  readonly software: boolean;
  /** Blocks of an arena that the device lets a shader see at once. Default: all. */
  readonly mostBlocks?: number;
}

export interface Program {
  readonly recording: Recording;
  readonly parameters: readonly Parameter[];
  readonly layout: Layout;
  /** Depth of each layer with weights, by path. */
  readonly depths: ReadonlyMap<string, number>;
  /** Shape of the model's output, with the batch. */
  readonly output: readonly number[];
  /** Whether the step gives tensor `row` a gradient. */
  readonly takesPart: (row: number) => boolean;
}

/** Builds one program. Throws the typed errors of the layers where the model does not fit together. */
export function buildProgram(options: ProgramOptions): Program {
  const { mode, frozen, sampled, mostBlocks = Number.POSITIVE_INFINITY } = options;
  const traced = trace(options.model, { ...options, mode: mode === "gradients" ? "train" : mode });
  const { graph, parameters, parameterIds, loss } = traced;
  const layout = layOut(parameters);
  const owners = new Map(parameterIds.map((id, i) => [id, (parameters[i] as Parameter).layer]));
  const depths = layerDepths(graph, owners);

  const wanted = parameterIds.filter((_, i) => !frozen.has((parameters[i] as Parameter).name));
  const trains = (mode === "train" || mode === "gradients") && loss !== undefined;
  const gradients = trains ? differentiate(graph, loss, new Set(wanted)) : new Map<number, number>();
  const kept = new Set(mode === "predict" ? [traced.prediction] : []);
  const fused = fuse(graph, kept);
  const planned = plan(fused, layout, parameterIds, kept);
  const device: DeviceFacts = { software: options.software };
  const update = { ...options.update, blocks: layout.blocks, rows: parameters.length, sampled, mostBlocks };
  return {
    recording: record(fused, planned, {
      name: mode,
      device,
      ...(mode === "train" && gradients.size > 0 ? { update } : {}),
      ...(mode === "predict" ? { results: { prediction: traced.prediction } } : {}),
    }),
    parameters,
    layout,
    depths,
    output: tensorAt(fused, traced.prediction).shape,
    takesPart: (row) => gradients.has(parameterIds[row] as number),
  };
}
