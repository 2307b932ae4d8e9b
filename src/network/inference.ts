// A network from a file, for those who only predict.

import { formatOf, mergeNormalization, type Normalization } from "../data/normalization.ts";
import { CheckpointError, listed } from "../errors.ts";
import type { ConnectOptions } from "../gpu/adapter.ts";
import { connect } from "../gpu/device.ts";
import { plainFormat } from "../graph/stream.ts";
import { openCheckpoint } from "../io/checkpoint.ts";
import { ownValue } from "../io/signature.ts";
import { crossEntropy } from "../model/loss.ts";
import type { Model } from "../op/layer.ts";
import { checkOptions } from "../option.ts";
import { buildProgram } from "../step/program.ts";
import { createRunner } from "../step/runner.ts";
import { plainUpdate } from "../step/update.ts";
import { checkModel, type Input, streamsOf } from "./check.ts";
import { Network } from "./network.ts";

/** Options of `inference`. */
export interface InferenceOptions extends ConnectOptions, Normalization {
  /** Shape of one sample. Default: what the checkpoint says; a file of another program does not say it. */
  readonly input?: Input | { readonly [name: string]: Input };
}

/**
 * The network of a checkpoint, or of any safetensors file with weights of these names: it predicts, without loss, optimizer
 * or seed. Throws CheckpointError where the file lacks a weight, OptionError where nothing tells the shape of the input.
 *
 * @example
 * const network = await inference(model, bytes);
 * const { data } = await network.predict(x);
 */
export async function inference(
  model: Model,
  bytes: Uint8Array | ArrayBuffer,
  options: InferenceOptions = {},
): Promise<Network> {
  checkModel("inference", model);
  checkOptions(
    "inference",
    options,
    ["input", "device", "gpu", "powerPreference", "memoryLimit", "mean", "std", "scale"],
    "{ input: [28, 28, 1] }",
  );
  const { signature } = openCheckpoint(bytes, "inference");
  const input = options.input ?? ownValue(signature, "input");
  const inputs = streamsOf("inference", "input", input);
  const normalization = mergeNormalization(options);
  formatOf("inference", inputs, normalization, false);
  const settings = {
    model,
    inputs,
    batch: 1,
    objectives: new Map([["", crossEntropy()]]),
    update: plainUpdate(),
    cacheFrozen: false,
    seed: 0,
    normalization,
  };
  const program = buildProgram({
    ...settings,
    loss: crossEntropy(),
    mode: "predict",
    sampled: false,
    frozen: new Set(),
    format: plainFormat(inputs),
    software: false,
  });
  const gpu = await connect(options);
  try {
    const runner = createRunner(gpu, { ...settings, ruleOf: () => 0 }, program);
    const network = new Network({ gpu, program, runner, normalization });
    const { missing } = network.transfer(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));
    if (missing.length === 0) return network;
    throw new CheckpointError(`inference: the file lacks ${listed(missing)}. Give the model that its weights are of.`);
  } catch (error) {
    gpu.dispose();
    throw error;
  }
}
