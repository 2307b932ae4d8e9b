// A network from a file, for those who only predict.

import { demandOf } from "../data/dataset.ts";
import { mergeNormalization, type Normalization, scalingOf } from "../data/normalization.ts";
import { CheckpointError, listed } from "../errors.ts";
import type { ConnectOptions } from "../gpu/adapter.ts";
import { connect } from "../gpu/device.ts";
import { openCheckpoint } from "../io/checkpoint.ts";
import { ownValue } from "../io/signature.ts";
import { crossEntropy } from "../model/loss.ts";
import type { Layer } from "../op/layer.ts";
import { checkOptions } from "../option.ts";
import { buildProgram } from "../step/program.ts";
import { createRunner } from "../step/runner.ts";
import { plainUpdate } from "../step/update.ts";
import { checkInput, checkModel, FLOATS } from "./check.ts";
import { Network } from "./network.ts";

export interface InferenceOptions extends ConnectOptions, Normalization {
  /** Shape of one sample. Default: what the checkpoint says; a file of another program does not say it. */
  readonly input?: readonly number[];
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
  model: Layer,
  bytes: Uint8Array | ArrayBuffer,
  options: InferenceOptions = {},
): Promise<Network> {
  checkModel("inference", model);
  checkOptions(
    "inference",
    options,
    ["input", "device", "gpu", "powerPreference", "mean", "std", "scale"],
    "{ input: [28, 28, 1] }",
  );
  const { signature } = openCheckpoint(bytes, "inference");
  const input = options.input ?? ownValue(signature, "input");
  checkInput("inference", input);
  const normalization = mergeNormalization(options);
  scalingOf("inference", normalization, false, input.at(-1) as number);
  const settings = {
    model,
    input,
    batch: 1,
    loss: crossEntropy(),
    update: plainUpdate(),
    cacheFrozen: false,
    seed: 0,
    normalization,
  };
  const program = buildProgram({
    ...settings,
    mode: "predict",
    sampled: false,
    frozen: new Set(),
    format: FLOATS,
    software: false,
  });
  const gpu = await connect(options);
  try {
    const demand = demandOf(input, program.output.slice(1), false);
    const runner = createRunner(gpu, { ...settings, ruleOf: () => 0 }, program, demand);
    const network = new Network({ gpu, program, runner, demand, normalization });
    const { missing } = network.transfer(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));
    if (missing.length === 0) return network;
    throw new CheckpointError(`inference: the file lacks ${listed(missing)}. Give the model that its weights are of.`);
  } catch (error) {
    gpu.dispose();
    throw error;
  }
}
