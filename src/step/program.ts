// The whole walk through the rooms that need no GPU: model -> graph -> backward -> fusion -> plan -> recording.

import { ShapeError } from "../errors.ts";
import { absorb } from "../graph/absorb.ts";
import { differentiate } from "../graph/backward.ts";
import { type Base, baseDtype } from "../graph/base.ts";
import { after, before, frontierOf, inputOf } from "../graph/cut.ts";
import { layerDepths } from "../graph/depth.ts";
import { fuse } from "../graph/fuse.ts";
import { type Graph, tensorAt } from "../graph/graph.ts";
import type { Matrix } from "../graph/kept.ts";
import { lower } from "../graph/lower.ts";
import { owned } from "../graph/own.ts";
import { segmentPaths } from "../graph/recompute.ts";
import type { Report } from "../graph/report.ts";
import type { DataFormat, Stream, Streams } from "../graph/stream.ts";
import { type Summary, summaryOf } from "../graph/summary.ts";
import { type Parameter, trace } from "../graph/trace.ts";
import { initialValues } from "../initializer.ts";
import { MOST_UNIFORM_ROWS } from "../kernels/update.ts";
import { type DeviceFacts, fold } from "../op/kernel.ts";
import { type Metric, type Model, type Objective, placeOf } from "../op/layer.ts";
import { reportsAt } from "../op/metrics.ts";
import type { Chooser } from "../op/op.ts";
import { specialise } from "../op/shader.ts";
import type { Tensor } from "../op/tensor.ts";
import { MOST_BUFFERS, planBeside } from "../plan/beside.ts";
import { sumsLast } from "../plan/late.ts";
import { blockBytes, type Layout, layOut, type Placed } from "../plan/layout.ts";
import { plan } from "../plan/plan.ts";
import { lean } from "../plan/segment.ts";
import { remade } from "./beside.ts";
import { commandOf, when } from "./command.ts";
import { commitCommands } from "./commit.ts";
import { type Recording, record } from "./record.ts";
import { type RawArena, type UpdateSettings, updateCommands } from "./update.ts";

/** `train` ends in the update, `gradients` before it; `features` gives what the frozen layers at the input make of a batch. */
export type Mode = "train" | "gradients" | "evaluate" | "predict" | "features";

export interface ProgramOptions extends DeviceFacts {
  readonly model: Model;
  readonly inputs: readonly Stream[];
  readonly batch: number;
  readonly loss: Objective;
  /** What targets of a loss function are, where they are not as outputs are. */
  readonly targets?: readonly Stream[] | undefined;
  /** What is told beside the loss, by name. */
  readonly metrics?: { readonly [name: string]: Metric } | undefined;
  /** Reports that a step has room for. Default: its own. */
  readonly mostReports?: number;
  /** Words of counts that an evaluation has room for. Default: its own. */
  readonly mostCounts?: number;
  /** Whether an evaluation tells the loss of each sample. */
  readonly perSample?: boolean;
  readonly update: UpdateSettings;
  readonly format: DataFormat;
  readonly mode: Mode;
  /** Whether some training steps leave statistics. */
  readonly sampled: boolean;
  /** Whether training begins at the features, where there are any. */
  readonly cached?: boolean;
  /** Layers whose activations are computed again on the way back: a pattern, or "auto" for those that need the least memory. */
  readonly recompute?: string | undefined;
  /**
   * The program that has said where states lie, in which order the device knows the paths of random numbers, and which arenas there
   * are to share; else this one does.
   */
  readonly first?: Pick<Program, "states" | "draws" | "recording">;
  /** Names of tensors that are frozen. */
  readonly frozen: ReadonlySet<string>;
  /** Weights that never train. */
  readonly base?: Base | undefined;
  /** Who has a say in how kernels run. Default: they alone. */
  readonly tuning?: Chooser | undefined;
  /** Blocks of an arena that the device lets a shader see at once. Default: all. */
  readonly mostBlocks?: number;
  /** Many copies of it at once. Default: one. */
  readonly copies?: Copies | undefined;
  /** How steps that train are made. Default: of f32 alone. */
  readonly precision?: Precision | undefined;
  /** Says in which form tensors lie, but for those that are kept, before they have a place. Default: each as its dtype says. */
  readonly formed?: ((graph: Graph, kept: ReadonlySet<number>) => Graph) | undefined;
  /** Where its buffers are, once there is a device. */
  readonly store?: object | undefined;
  readonly gpu?: object | undefined;
}

/** Many copies of a network in the place of one. Made by gradus/cohort. */
export interface Copies {
  /** @internal Seeds of the orders in which copies see samples, where each has its own. */
  readonly orders?: readonly number[] | undefined;
  /** @internal */
  build(options: Omit<ProgramOptions, "copies">, core: typeof lent): Program;
}

/** Steps of less than f32. Made by gradus/precision. */
export interface Precision {
  /** What a checkpoint says of it. @internal */
  readonly signature: unknown;
  /** What it remembers from step to step. @internal */
  readonly kept: readonly RawArena[];
  /** What a device must have. @internal */
  readonly feature: string;
  /** What is said where it has not. @internal */
  readonly without: string;
  /** @internal */
  open(options: Omit<ProgramOptions, "precision">, core: typeof lent): Program;
}

export interface Program {
  readonly recording: Recording;
  /** Weights that train, or may. */
  readonly parameters: readonly Parameter[];
  readonly layout: Layout;
  /** Weights that never train. */
  readonly base: Residence;
  /** What lives on without being a weight. */
  readonly states: Residence;
  /** Paths of its random numbers. */
  readonly draws: readonly string[];
  /** Depth of each layer with weights, by path. */
  readonly depths: ReadonlyMap<string, number>;
  readonly summary: Summary;
  /** What the model gives, each with its shape of a whole batch; one output alone has the empty name. */
  readonly outputs: readonly Output[];
  readonly streams: Streams;
  /** Numbers that are the same in each step, by the names of their data. */
  readonly constants: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  /** Labels of a sample, over all losses, and what is reported beside the loss. */
  readonly labels: number;
  readonly reports: readonly Report[];
  /** What is counted. */
  readonly matrices: readonly Matrix[];
  /** Where a program of features ends, or one that is cached begins. */
  readonly features: Features | undefined;
  /** Whether the step gives tensor `row` a gradient. */
  readonly takesPart: (row: number) => boolean;
}

/** Weights, also those that never train, and states: whatever has numbers from one step to the next. */
export const tensorsOf = ({ layout, base, states }: Program): readonly Placed[] =>
  [layout, base.layout, states.layout].flatMap(({ tensors }) => tensors);

export interface Output {
  readonly name: string;
  readonly shape: readonly number[];
}

/** An arena of what lives on without being trained. */
export interface Residence {
  readonly parameters: readonly Parameter[];
  readonly layout: Layout;
}

/** What frozen layers at the input leave for the rest, [B, ...]. */
export interface Features extends Pick<Tensor, "shape" | "dtype"> {
  /** Name of the data in whose place they stand. */
  readonly input: string;
}

/** The id of a tensor that a program has not. */
const NOWHERE = -1;

/** Holds the weights of a program against those of the first. */
export function checkPlaces(made: Program, first: Program): void {
  for (const [i, parameter] of made.parameters.entries()) checkPlace(parameter, first.parameters[i]);
  for (const [i, parameter] of made.base.parameters.entries()) checkPlace(parameter, first.base.parameters[i]);
}

/** What lives on has one place in all programs: whether a weight is there, and any shape, may depend neither on batch nor on mode. */
function checkPlace({ name, shape, layer }: Parameter, placed: Parameter | undefined): void {
  if (placed?.name === name && String(placed.shape) === String(shape)) return;
  const before = placed === undefined ? "nothing" : `"${placed.name}" as [${placed.shape}]`;
  throw new ShapeError(
    `${placeOf(layer)}: "${name}" is [${shape}] in one program, where another has ${before}. Let it depend neither on batch nor on mode.`,
  );
}

/** Builds one program. Throws the typed errors of the layers where the model does not fit together. */
export const buildProgram = ({ precision, ...options }: ProgramOptions): Program =>
  precision ? precision.open(options, lent) : options.copies ? options.copies.build(options, lent) : buildOne(options);

/** What is lent to who makes a program of many. */
const lent = { buildOne, commandOf, fold, initialValues, reportsAt, remade, specialise, updateCommands, when };

function buildOne(options: Omit<ProgramOptions, "copies">): Program {
  const { mode, frozen, sampled, mostBlocks = Number.POSITIVE_INFINITY, first } = options;
  const traced = trace(options.model, {
    ...options,
    mode: mode === "gradients" ? "train" : mode,
    rateLayers: options.update.layers,
    ...(first && { draws: first.draws }),
  });
  const losses = traced.objective?.losses ?? [];
  const loss = losses.at(-1);
  const matrices = traced.objective?.matrices ?? [];
  /** The weights of a role, which share an arena. */
  const weightsOf = (role: "parameter" | "base") => {
    const isOfRole = (_: unknown, i: number): boolean =>
      tensorAt(traced.graph, traced.parameterIds[i] as number).role === role;
    const parameters = traced.parameters.filter(isOfRole);
    const dtype = role === "base" ? baseDtype(options.base) : "f32";
    return { parameters, ids: traced.parameterIds.filter(isOfRole), layout: layOut(parameters, dtype) };
  };
  const { parameters, ids: parameterIds, layout } = weightsOf("parameter");
  const base = weightsOf("base");
  // A program need not ask for all states: a layer that rests may want none.
  const states = first?.states ?? { parameters: traced.states, layout: layOut(traced.states) };
  for (const state of traced.states)
    checkPlace(
      state,
      states.parameters.find(({ name }) => name === state.name),
    );
  const stateIds = states.parameters.map(
    ({ name }) => traced.stateIds[traced.states.findIndex((one) => one.name === name)] ?? NOWHERE,
  );
  const owners = new Map(traced.parameterIds.map((id, i) => [id, (traced.parameters[i] as Parameter).layer]));
  const graph = absorb(traced.graph, new Set([...traced.outputs, ...traced.commits.values()].map(({ id }) => id)));
  const depths = layerDepths(traced.graph, owners);
  const summary = summaryOf(traced, options.batch);

  const wanted = new Set(parameterIds.filter((_, i) => !frozen.has((parameters[i] as Parameter).name)));
  const trains = (mode === "train" || mode === "gradients") && loss !== undefined;
  const frontier =
    mode === "features" || (options.cached === true && mode === "train")
      ? frontierOf(graph, wanted, new Set([...traced.commits.values()].map(({ id }) => id)))
      : undefined;
  const cut = { train: after, features: before }[mode as string];
  const part = lower(frontier === undefined || cut === undefined ? graph : cut(graph, frontier), "plainly");
  const gradients = trains ? differentiate(part, losses, wanted) : new Map<number, number>();
  const next = mode === "train" ? owned(part, traced.commits, "next") : new Map<number, number>();
  const results =
    mode === "predict"
      ? Object.fromEntries(traced.outputs.map(({ name, id }) => [name, id]))
      : mode === "features" && frontier !== undefined
        ? { features: frontier }
        : {};
  const kept = new Set(Object.values(results));
  const { recompute } = options;
  const paths = recompute === undefined || recompute === "auto" ? recompute : segmentPaths(traced.graph, recompute);
  // Who computes again for memory's sake keeps nothing at the end of a kernel, lets no sum wait, and nothing run beside another.
  const isLean = trains && paths !== undefined;
  const { software, quads = false } = options;
  const device: DeviceFacts = { software, quads };
  const joined = fuse(part, kept, !isLean);
  const { formed = (graph: Graph) => graph } = options;
  const whole = formed(device.software ? joined : lower(joined, "forGpu"), kept);
  const short = isLean ? lean(whole, loss, paths) : sumsLast(whole, kept);
  const residents = [base, { layout: states.layout, ids: stateIds }];
  const room = first?.recording.arenas ?? new Map<string, number>();
  const planOf = (graph: Graph) => plan(graph, layout, parameterIds, kept, room, ...residents);
  const { graph: fused, planned } = isLean
    ? { graph: short, planned: planOf(short) }
    : planBeside(short, kept, room, planOf, MOST_BUFFERS - Number(parameters.length > MOST_UNIFORM_ROWS));
  const update = { ...options.update, blocks: layout.blocks, rows: parameters.length, sampled, mostBlocks, ...device };
  return {
    recording: record(fused, planned, {
      name: mode,
      device,
      tuning: options.tuning,
      halts: mode === "train",
      mostBytes: mostBlocks * blockBytes(layout),
      // A guard wants to know whose gradient it is, so that control asks.
      checked: mode === "train" && !update.controllers.some(({ name }) => name === "guard"),
      ...(mode === "train" && gradients.size > 0 ? { update } : {}),
      commits: commitCommands(
        states.layout,
        stateIds.map((id) => next.has(id)),
        update.accumulate > 1,
      ),
      results,
      tellsMore: matrices.length > 0 || options.perSample === true,
    }),
    parameters,
    layout,
    base,
    states,
    draws: traced.draws,
    depths,
    summary,
    outputs: traced.outputs.map(({ name, id }) => ({ name, shape: tensorAt(traced.graph, id).shape })),
    streams: traced.streams,
    constants: traced.constants,
    labels: traced.objective?.labels ?? 0,
    reports: traced.objective?.reports ?? [],
    matrices,
    features: frontier === undefined ? undefined : { ...tensorAt(part, frontier), input: inputOf(traced.graph) },
    takesPart: (row) => gradients.has(parameterIds[row] as number),
  };
}
