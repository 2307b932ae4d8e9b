// Mixed precision: steps whose activations and their gradients lie as f16, with f32 sums, statistics, weights and moments, and a scale of
// the loss that finds itself on the GPU. The step is made as one of f32 is; then each of its commands gets another text.

import { checkOptions } from "../foreign/options.ts";
import { OptionError, type Precision } from "../index.ts";
import type { Command, Core, ProgramOptions } from "./core.ts";
import { formed } from "./form.ts";
import lossScale from "./loss-scale.wgsl?raw";
import { changed } from "./text.ts";

/** Options of `f16`. */
export interface F16Options {
  /** What the loss is multiplied by at the start, a power of two from 1 to 2^24. Default 65536, as PyTorch's GradScaler has it. */
  readonly initScale?: number;
  /** Steps in a row without an overflow after which the scale doubles. Default 2000, likewise. */
  readonly growthInterval?: number;
  /** A power of two from 2^-24 to `initScale`: an overflow at this scale ends training with a NonFiniteError. Default 1. */
  readonly minScale?: number;
}

/** Made by `f16`. */
export interface F16 extends Precision {
  /**
   * The scale of now, and how many steps were left out so far; of a checkpoint that was loaded those before it too. Waits for the steps
   * that are under way. Throws OptionError for a trainer that is not compiled with this.
   */
  read(trainer: { recording(): object }): Promise<{ readonly scale: number; readonly skipped: number }>;
}

/** The scale does not double beyond 2^40. */
const CEILING = 40;

/** What the state of the scale is called, which checkpoints hold: shaders know it by the other name. */
const [ARENA, NAME] = ["lossScale", "loss_scale"];
const state = { arena: ARENA, offset: 0, bytes: 16 };

/**
 * Steps of mixed precision, for `compile({ precision: f16() })`: what flows through the model and back lies as f16 in half of the memory,
 * while sums, statistics, losses, weights, moments and gradients of weights stay f32 (Micikevicius et al. 2018, "Mixed Precision Training").
 * The loss is scaled, so that small gradients are not lost; a step whose gradients overflow is left out, with all states as they were, and
 * halves the scale. Such a step counts as an update for schedules, and `onStats` tells of it by `nonFinite`. Evaluation and prediction are
 * of f32. Where the device has no `shader-f16`, `onWarning` hears of it and training is of f32.
 *
 * Throws OptionError for what is no option, and in `compile` beside copies of a cohort and beside guard(), which mends bad gradients itself.
 *
 * @example
 * const trainer = await compile(model, { input: [28, 28, 1], loss: crossEntropy(), precision: f16() });
 */
export function f16(options: F16Options = {}): F16 {
  const place = "f16";
  checkOptions(place, options, {
    initScale: "a finite number above 0",
    growthInterval: "a whole number of at least 1",
    minScale: "a finite number above 0",
  });
  const { initScale = 65536, growthInterval = 2000, minScale = 1 } = options;
  const start = powerOf(place, { initScale }, 0, 24);
  const floor = powerOf(place, { minScale }, -24, start);
  /** Where the state of a program's trainer is. */
  const stores = new WeakMap<object, object | undefined>();
  const factors = { up: powerText(start, 1), down: powerText(start, -1) };
  return {
    signature: { name: "f16", initScale, growthInterval, minScale },
    kept: [{ name: ARENA, length: 4 }],
    feature: "shader-f16",
    without: "precision: this device has no shader-f16, so training is of f32.",
    open(given, core) {
      refuse(given);
      const { mode, mostBlocks = Number.POSITIVE_INFINITY } = given;
      if (mode !== "train" && mode !== "gradients") return core.buildOne(given);
      const made = core.buildOne({ ...given, formed });
      const commands = made.recording.commands.flatMap((command) =>
        core.remade(command, (kernel) => inHalves(kernel, factors, core), mostBlocks * BLOCK_BYTES),
      );
      const isUpdate = ({ bindings }: Command): boolean =>
        bindings.some(({ arena, access }) => arena === "parameters" && access === "readWrite");
      if (commands.some(isUpdate)) {
        const constants = { FLOOR: floor - start, CEILING: CEILING - start, INTERVAL: growthInterval };
        commands.push(scaleCommand(constants, core));
      }
      const recording = { ...made.recording, commands };
      stores.set(recording, given.store);
      return { ...made, recording };
    },
    async read(trainer) {
      const store = stores.get(trainer.recording()) as KeptStore | undefined;
      if (store === undefined)
        throw new OptionError(
          "f16: read was given a trainer of another precision. Give the one that was compiled with this.",
        );
      const [doublings = 0, , skipped = 0] = (await store.readRaw()).get(ARENA) ?? [];
      return { scale: initScale * 2 ** doublings, skipped };
    },
  };
}

/** As much of a trainer's buffers as is asked. */
interface KeptStore {
  readRaw(): Promise<ReadonlyMap<string, Float32Array>>;
}

/** Bytes of a block of an arena. */
const BLOCK_BYTES = 1024;

function refuse({ copies, update }: ProgramOptions): void {
  if (copies !== undefined)
    throw new OptionError("compile: precision is for one network, and here are copies. Leave one of them out.");
  if (update.controllers.some(({ name }) => name === "guard"))
    throw new OptionError("compile: guard() and f16() both leave out steps with bad gradients. Leave one of them out.");
}

/** The exponent of a power of two. */
function powerOf(place: string, given: Readonly<Record<string, number>>, least: number, most: number): number {
  const [[name = "", value = 0] = []] = Object.entries(given);
  const power = Math.log2(value);
  if (Number.isInteger(power) && power >= least && power <= most) return power;
  throw new OptionError(`${place}: ${name} is ${value}, it must be a power of two from ${2 ** least} to ${2 ** most}.`);
}

/** The scale or what undoes it, exactly: a power of two by its exponent. */
const powerText = (start: number, sign: 1 | -1): string =>
  `bitcast<f32>(u32(${127 + sign * start} ${sign < 0 ? "-" : "+"} i32(${NAME}.x)) << 23u)`;

/** A command that knows how its tensors lie, and scales. */
function inHalves(command: Command, factors: { readonly up: string; readonly down: string }, core: Core): Command {
  const { kernel, source, holes, bindings, step: _, parts: __, ...rest } = command;
  const changes = bindings.flatMap(({ name, arena, access, form }) => {
    const half = form?.half === true;
    const factor =
      access !== "readWrite" ? undefined : form?.scaled ? factors.up : arena === "gradients" ? factors.down : undefined;
    return half || factor !== undefined ? [{ name, half, factor }] : [];
  });
  if (changes.length === 0) return command;
  const code = core.specialise(kernel, source, holes).replace(/\/\/.*$/gm, "");
  const scales = changes.some(({ factor }) => factor !== undefined);
  const declared = scales ? `@group(0) @binding(20) var<uniform> ${NAME}: vec4f;\n` : "";
  return core.commandOf({ ...rest, kernel, source: declared + changed(code, changes), holes: {} }, (name) => {
    if (name === NAME) return state;
    const { arena, offset, bytes } = bindings.find((one) => one.name === name) as Command["bindings"][number];
    return { arena, offset, bytes };
  });
}

const scaleCommand = (constants: Readonly<Record<string, number>>, core: Core): Command =>
  core.commandOf(
    {
      ...{ kernel: "loss-scale", source: lossScale, holes: {}, constants, grid: [1, 1, 1] },
      ...{ when: core.when.apply, note: "", layer: "" },
    },
    (name) => (name === NAME ? state : { arena: name, offset: 0, bytes: 0 }),
  );
