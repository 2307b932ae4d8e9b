// A model on a device with its weights: it predicts, tells what it is made of, and hands its weights out and in. It needs no
// loss and no optimizer; a trainer has one and moves its weights.

import type { Inputs, StreamNumbers } from "../data/dataset.ts";
import { mergeNormalization, type Normalization } from "../data/normalization.ts";
import { packInputs } from "../data/pack.ts";
import { Uploaded } from "../data/uploaded.ts";
import { OptionError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Summary } from "../graph/summary.ts";
import { checkOptions, checkRange, shown } from "../option.ts";
import type { Placed } from "../plan/layout.ts";
import { type Program, tensorsOf } from "../step/program.ts";
import type { Runner } from "../step/runner.ts";
import type { HostTensor } from "../step/store.ts";
import {
  fittingWeights,
  type NamedNumbers,
  type PlacedNumbers,
  placedNumbers,
  type TransferOptions,
  type Transferred,
} from "./named.ts";
import { tellingOf } from "./tell.ts";
import { createTurns, type Turns } from "./turn.ts";

/** Options of `predict`. */
export interface PredictOptions extends Normalization {
  /** Samples that are computed at once. Default: as many as there are, as far as their activations take little memory. */
  readonly batch?: number;
  /** Which of several outputs. */
  readonly output?: string;
  /**
   * What is made of the output, number by number or along its last axis: "softmax" gives the probabilities of classes that exclude one
   * another, "sigmoid" those of each by itself. The shape stays. Default: the output as it is.
   */
  readonly activation?: "softmax" | "sigmoid";
  /**
   * Whether the number of the largest along the last axis is given in place of that axis, the first of equals: [samples, .., classes]
   * becomes [samples, ..]. NaN where one of them is. Default false.
   */
  readonly argmax?: boolean;
}

export const predictKeys = ["batch", "output", "activation", "argmax", "mean", "std", "scale"];

/** What a network is made of. */
interface NetworkParts {
  readonly gpu: Gpu;
  readonly program: Program;
  readonly runner: Runner;
  readonly normalization: Normalization;
  /** Throws where a trainer does not know what its weights are. */
  readonly demandSound?: () => void;
}

/** Made by `compile`, as `trainer.network`, and by `inference`. */
export class Network {
  /** Which adapter runs, for example "google swiftshader (software)". */
  readonly adapter: string;
  /** Whether a CPU does the work of a GPU. */
  readonly software: boolean;
  /** Of one sample; of the first of several inputs. */
  readonly inputShape: readonly number[];
  /** Of what the model makes of one sample; of the first of several outputs. */
  readonly outputShape: readonly number[];
  /** Numbers in all tensors. */
  readonly parameterCount: number;

  /** Whatever reads or moves the weights takes its turn. @internal */
  readonly turns: Turns;
  /** What it works with, also for who makes its inputs on the device. @internal */
  readonly parts: NetworkParts;

  /** @internal */
  constructor(parts: NetworkParts) {
    const { gpu, program } = parts;
    this.parts = parts;
    this.turns = createTurns(parts.demandSound);
    this.adapter = gpu.adapter;
    this.software = gpu.software;
    this.inputShape = program.streams.inputs[0]?.shape ?? [];
    this.outputShape = program.outputs[0]?.shape.slice(1) ?? [];
    this.parameterCount = program.summary.parameterCount;
  }

  /** What the model is made of, layer by layer; `String(network.summary())` is a table. */
  summary(): Summary {
    return this.parts.program.summary;
  }

  /**
   * The model's output for each sample, [samples, ...]: logits for a classifier. Takes the numbers of x, or samples, whose y
   * is not asked for. It may be called at any time, also while a trainer is at work. Throws DataError and ShapeError where
   * `x` is no list of samples, ShapeError where there are no classes to choose from, OptionError where the model has several outputs and
   * `output` names none of them.
   *
   * @example const { data } = await network.predict(x, { activation: "softmax" });
   */
  async predict(x: StreamNumbers | Inputs | Uploaded, options: PredictOptions = {}): Promise<HostTensor> {
    return this.predictWith(x, options, false);
  }

  /** `averaged`: with the running means of the weights. @internal */
  async predictWith(
    x: StreamNumbers | Inputs | Uploaded,
    options: PredictOptions,
    averaged: boolean,
  ): Promise<HostTensor> {
    this.demandAlive();
    checkOptions("predict", options, predictKeys, "{ batch: 64 }");
    const { batch, output = "", activation, argmax, ...normalization } = options;
    const { program, runner } = this.parts;
    const names = program.outputs.map(({ name }) => name);
    if (!names.includes(output)) {
      throw new OptionError(
        names[0] === ""
          ? `predict: output is ${shown(output)}, the model has one output alone. Leave it out.`
          : `predict: output is ${shown(output)}, the model has ${names.join(", ")}. Name one, for example { output: "${names[0]}" }.`,
      );
    }
    if (batch !== undefined) checkRange("predict", "a whole number of at least 1", { batch });
    const { shape } = program.outputs.find(({ name }) => name === output) as (typeof program.outputs)[number];
    const told = tellingOf("predict", { activation, argmax }, shape.slice(1));
    const how = mergeNormalization(this.parts.normalization, normalization);
    const packed = x instanceof Uploaded ? x : packInputs("predict", x, program.streams, how);
    return told(await this.turns(() => runner.predict(packed, { averaged, batch, output })));
  }

  /** All weights and states by name, as of the steps submitted so far. */
  async weights(): Promise<Map<string, HostTensor>> {
    this.demandAlive();
    return this.turns(() => this.parts.runner.store.readWeights());
  }

  /** Sets weights by tensor name, such as those that `weights()` gives. Throws NameError, ShapeError and DataError before any changes. */
  setWeights(weights: NamedNumbers): void {
    this.demandAlive();
    this.#set("setWeights", weights);
  }

  /**
   * Takes the weights whose names and shapes are this model's from another one, such as a trained body under a new head: what
   * `weights()` gives, or the bytes of a checkpoint. What has no counterpart, or is named by `except`, keeps its values.
   * Throws CheckpointError where nothing fits, NameError where `except` matches nothing, and what `setWeights` throws.
   */
  transfer(source: NamedNumbers | Uint8Array | ArrayBuffer, options: TransferOptions = {}): Transferred {
    this.demandAlive();
    const { weights, result } = fittingWeights(this.#tensors, source, options);
    this.#set("transfer", weights);
    return result;
  }

  /** Weights and states. */
  get #tensors(): readonly Placed[] {
    return tensorsOf(this.parts.program);
  }

  /** Sets numbers that were checked. @internal */
  place(numbers: readonly PlacedNumbers[]): void {
    for (const { placed, values } of numbers) this.parts.runner.setWeight(placed, values);
  }

  #set(place: string, weights: NamedNumbers): void {
    this.place(placedNumbers(place, this.#tensors, weights));
  }

  /** Throws what became of the device, if anything did. @internal */
  demandAlive(): void {
    const failure = this.parts.gpu.failure();
    if (failure !== undefined) throw failure;
  }

  /** Frees everything on the GPU. The device itself is kept if it was given. */
  dispose(): void {
    this.parts.runner.dispose();
  }

  /** As `dispose`, at the end of a block with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
