// What follows the backward pass, as commands: norms, controllers and trust ratios where somebody wants them, the update, the
// running mean of the weights, statistics. All of it reads and writes arenas; only the update itself is always there, once.

import {
  type Controller,
  chooseAccumulate,
  chooseAverage,
  chooseControl,
  chooseNorm,
  chooseRowSum,
  type Noise,
  type NormClip,
} from "../kernels/control.ts";
import {
  type BlockOptions,
  chooseUpdate,
  MOST_UNIFORM_ROWS,
  moments,
  type Pass,
  type UpdateRule,
} from "../kernels/update.ts";
import { blockBytes } from "../plan/layout.ts";
import { type Command, commandOf, when } from "./command.ts";

/** An arena that a checkpoint holds as it is. */
export interface RawArena {
  readonly name: string;
  readonly length: number;
}

/** How the weights of a trainer are updated: fixed when it is compiled. */
export interface UpdateSettings {
  /** Side by side in one dispatch; a block's word says which is its own. */
  readonly rules: readonly UpdateRule[];
  /** Layers that the controllers know. */
  readonly layers: number;
  /** Largest absolute value of a gradient. */
  readonly clamp: number | undefined;
  /** Largest norm of gradients. */
  readonly clip: NormClip | undefined;
  readonly controllers: readonly Controller[];
  /** What else is remembered from step to step, from zeros on. */
  readonly kept?: readonly RawArena[] | undefined;
  /** Micro-batches of an update. */
  readonly accumulate: number;
  /** What measures the noise of gradients. */
  readonly noise?: Noise | undefined;
  /** Whether running means of the weights are kept. */
  readonly average: boolean;
  /** Whether momentum comes with the step. */
  readonly momentum: boolean;
}

/** An update with nothing around it. */
export const plainUpdate = (...rules: readonly UpdateRule[]): UpdateSettings => ({
  rules,
  layers: 0,
  clamp: undefined,
  clip: undefined,
  controllers: [],
  accumulate: 1,
  average: false,
  momentum: false,
});

export interface UpdateOptions extends UpdateSettings {
  readonly blocks: number;
  readonly rows: number;
  /** Whether some steps leave statistics. */
  readonly sampled: boolean;
  /** Blocks of an arena that the device lets a shader see at once. */
  readonly mostBlocks: number;
  /** A CPU adapter, for which barriers are dear. */
  readonly software: boolean;
}

/** Whether the table that the update reads is made on the GPU. */
export const isControlled = ({ rules, clip, controllers }: UpdateSettings): boolean =>
  clip !== undefined || controllers.length > 0 || rules.some(({ trust }) => trust !== undefined);

/** Whether the length of each step must be known for the next one. */
export const isMeasured = ({ controllers }: UpdateSettings): boolean =>
  controllers.some(({ part }) => part.needs === "length");

export function updateCommands(options: UpdateOptions): Command[] {
  const { rules, blocks, rows, controllers, clip, noise } = options;
  const controlled = isControlled(options);
  const measured = isMeasured(options);
  const block: BlockOptions = {
    ...options,
    controlled,
    scaled: clip !== undefined,
    gradients: options.accumulate > 1 ? "accumulated" : "gradients",
  };
  const commands: Command[] = [];
  const add = (mask: number, note: string, pass: Pass): void => {
    commands.push(command(pass, mask, note, 0));
  };
  /** A pass over the blocks: one dispatch, or as few as the device allows. */
  const addBlocks = (mask: number, note: string, choose: (part: BlockOptions) => Pass): void => {
    for (let first = 0; first < blocks; first += options.mostBlocks) {
      const count = Math.min(options.mostBlocks, blocks - first);
      commands.push(command(choose({ ...block, blocks: count }), mask, `${note}${count} blocks`, first));
    }
  };
  const isLamb = (rule: UpdateRule): boolean => rule.trust?.kind === "lamb";
  const steered = controllers.some(({ part }) => part.needs === "direction");
  const trust = rules.find((rule) => rule.trust !== undefined)?.trust;
  /** Trust ratios are those of clipped gradients: norms once more. */
  const clipsFirst = clip !== undefined && trust !== undefined;
  const isDirected = (rule: UpdateRule): boolean =>
    (steered && rule.directed === true) || (!clipsFirst && isLamb(rule));
  const sums = { reported: false, moved: measured, scaled: false };
  const { apply, sampled, unsampled } = when;

  if (options.accumulate > 1) addBlocks(0, "", chooseAccumulate);
  if (noise && options.sampled)
    addBlocks(sampled, "", (part) => noise.blocks(chooseAccumulate(part), options.software));
  if (controlled || options.sampled) {
    addBlocks(controlled ? apply : apply | sampled, "", (part) => chooseNorm(part, false, isDirected));
  }
  if (controlled) {
    add(apply, `${rows} rows`, chooseRowSum(rows, sums));
    const what = [clip === undefined ? "" : "clip", ...controllers.map(({ name }) => name)].filter(Boolean);
    add(apply, `${options.layers} layers ${what.join(", ")}`.trim(), chooseControl(options));
    if (clipsFirst) {
      addBlocks(apply, "clipped: ", (part) => chooseNorm(part, true, isLamb));
      add(apply, `${rows} rows`, chooseRowSum(rows, sums));
    }
    if (trust !== undefined) add(apply, `${rows} rows`, trust.choose(rules, rows));
  }
  const names = [...new Set(rules.map(({ name }) => name))].join(", ");
  const table = `${rows} rows${rows > MOST_UNIFORM_ROWS ? " in storage" : ""}`;
  const update = (mask: number, leavesLength: boolean): void =>
    addBlocks(mask, `${names}: ${table}, `, (part) => chooseUpdate(part, leavesLength));
  if (measured || !options.sampled) update(apply, measured);
  else {
    update(apply | unsampled, false);
    update(apply | sampled, true);
  }
  if (options.average) addBlocks(apply, "", chooseAverage);
  if (options.sampled) {
    const variant = { reported: true, moved: true, scaled: controlled };
    const sums = chooseRowSum(rows, variant);
    add(apply | sampled, `${rows} rows, statistics`, sums);
    if (noise) add(apply | sampled, `${rows} rows`, noise.rows(sums));
  }
  return commands;
}

/** Bytes of a block in the arenas that are made of blocks; a part of them is bound from its first block on. */
const strides: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    ["parameters", "gradients", "accumulated", "average", ...moments].map((arena) => [
      arena,
      blockBytes({ dtype: "f32" }),
    ]),
  ),
  blocks: 4,
  moved: 4,
  partials: 20,
  noise: 16,
};

function command({ name, arenas = {}, blocks = 0, ...pass }: Pass, mask: number, note: string, first: number): Command {
  return commandOf({ ...pass, kernel: name, when: mask, note, layer: "" }, (binding) => {
    const arena = arenas[binding] ?? binding;
    const stride = blocks === 0 ? 0 : (strides[arena] ?? 0);
    return { arena, offset: first * stride, bytes: blocks * stride };
  });
}
