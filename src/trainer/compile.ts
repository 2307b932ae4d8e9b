// From a model and options to a trainer: checks, the first program, the layer table, and the device.

import { bug } from "../errors.ts";
import { connect } from "../gpu/device.ts";
import { plainFormat } from "../graph/stream.ts";
import { trace } from "../graph/trace.ts";
import { startingWeights } from "../network/named.ts";
import type { Model } from "../op/layer.ts";
import { chosen } from "../op/op.ts";
import { blockDepths } from "../optim/blocks.ts";
import { createRateTable } from "../optim/rates.ts";
import { commandOf } from "../step/command.ts";
import { buildProgram, checkPlaces, type Program, tensorsOf } from "../step/program.ts";
import { plainUpdate } from "../step/update.ts";
import { type AlternatingOptions, type CompileOptions, checkedSettings } from "./options.ts";
import { checkedState } from "./state.ts";
import { Trainer } from "./trainer.ts";
import { updateSettings } from "./training.ts";

/**
 * Connects to a device, builds the model for it and fills in its initial weights. With `losses` in the place of `loss` it trains
 * several objectives in turn, by `step(batch, { loss, train })`.
 *
 * Throws ShapeError, OptionError and NameError where model and options do not fit together, DeviceError where there is
 * no WebGPU, LimitError where the device is too small.
 *
 * @example
 * const trainer = await compile(sequential({ body: [dense(64), relu()], head: dense(10) }), {
 *   input: [784], batch: 64, loss: crossEntropy(), optimizer: adamw({ lr: 1e-3 }), rates: layerDecay(0.75),
 * });
 */
export async function compile(model: Model, options: CompileOptions | AlternatingOptions): Promise<Trainer> {
  const first = checkedSettings(model, options);
  const { optimizer } = first;
  const programs = new Map<string, Program>();
  let [mostReports, mostCounts] = [0, 0];
  for (const [name, loss] of first.objectives) {
    // The first one says where weights and states lie.
    const [before] = programs.values();
    const made = buildProgram({
      ...{ ...first, loss, update: plainUpdate(optimizer.rule), mode: "train", sampled: false, frozen: new Set() },
      ...{ format: plainFormat(first.inputs), software: false, ...(before && { first: before }) },
    });
    if (before !== undefined) checkPlaces(made, before);
    programs.set(name, made);
    const looking = { ...first, loss, format: plainFormat(first.inputs), mode: "evaluate" } as const;
    const { reports = [], matrices = [] } = trace(model, looking).objective ?? {};
    mostReports = Math.max(mostReports, made.reports.length, reports.length);
    mostCounts = Math.max(mostCounts, ...matrices.map(({ from, words }) => from + words));
  }
  const program = programs.get("") ?? bug("there is no loss");
  let trainer: Trainer | undefined;
  const now = (): number => trainer?.steps ?? 0;
  const base = program.base.parameters.map(({ name }) => name);
  const depths = options.blocks === undefined ? program.depths : blockDepths(program.depths, options.blocks);
  const rates = createRateTable(program.layout.tensors, depths, optimizer, { ...options, base, now });
  const weights = options.weights === undefined ? [] : startingWeights(tensorsOf(program), options.weights);
  const state = options.state && checkedState("compile: state", rates, program.layout.tensors, options.state, true);
  const settings = {
    ...first,
    update: { ...updateSettings(rates, options), kept: first.precision?.kept },
    momentum: options.momentum,
    ...{ mostReports, mostCounts, depths },
  };
  const { precision } = first;
  const gpu = await connect(options, precision?.feature);
  if (precision && !gpu.device.features.has(precision.feature)) {
    gpu.dispose();
    first.warn(precision.without);
    return compile(model, { ...options, precision: undefined });
  }
  try {
    const core = { chosen, commandOf, warn: first.warn };
    const tuning = await options.autotune?.open(gpu, core);
    const tested = options.selfTest?.open(gpu, core, tuning);
    trainer = new Trainer({ ...settings, tuning: tested?.tuning ?? tuning }, programs, rates, gpu);
    trainer.network.place(weights);
    if (state !== undefined) trainer.takeState(state);
    await trainer.prepare(options.onProgress);
    await tested?.run();
    return trainer;
  } catch (error) {
    (trainer ?? gpu).dispose();
    throw error;
  }
}
