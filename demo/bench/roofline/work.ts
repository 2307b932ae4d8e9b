// What each dispatch of a recording has to do at least: operations of its products, bytes that it reads and writes, each once. Read
// off the commands: sizes stand among their constants, ranges in their bindings. A kernel without a row here has no products.

import type { Recording } from "../../../src/index.ts";

export type Command = Recording["commands"][number];

export interface Work {
  readonly kernel: string;
  /** Additions and multiplications of all runs: two for each multiply-add. */
  readonly operations: number;
  /** Of all runs; ranges are multiples of 16, as buffers are laid out. */
  readonly bytes: number;
  /** Runs: dispatches of the command. */
  readonly runs: number;
}

type Constant = (name: string) => number;

const numbersOf = ({ bindings }: Command, name: string): number =>
  (bindings.find((binding) => binding.name === name)?.bytes ?? 0) / 4;

/** C = A B for each group. K is the whole of the sum, in how many parts ever. */
const product = (at: Constant): number => at("M") * at("N") * at("K") * at("GROUPS");

const positions = (at: Constant): number => at("BATCH") * at("OUT_HEIGHT") * at("OUT_WIDTH");

/** Of a convolution and of both its gradients: each position of the result under each tap. */
const underTaps = (at: Constant, count: number): number =>
  count * at("KERNEL_HEIGHT") * at("KERNEL_WIDTH") * at("CHANNELS") * at("FILTERS") * at("GROUPS");
const convolution = (at: Constant): number => underTaps(at, positions(at));

/** The kernel's images are those of dY there. */
const inputGradient = (at: Constant): number => underTaps(at, at("BATCH") * at("HEIGHT") * at("WIDTH"));

/** The same where each channel has taps of its own. */
const depthwise = (at: Constant, command: Command): number => positions(at) * numbersOf(command, "b");
const depthwiseFilter = (at: Constant, command: Command): number =>
  (positions(at) * numbersOf(command, "c")) / at("IMAGES");

/** All scores that somebody looks at, times the length of a head: one of the products of attention. */
function look(at: Constant, { holes }: Command): number {
  const [queries, keys] = [at("QUERIES"), at("KEYS")];
  const heads = holes.OF_KEYS === true ? (at("ROWS") / keys / at("KEY_HEADS")) * at("HEADS") : at("ROWS") / queries;
  const visible = (query: number): number => (at("CAUSAL") === 0 ? keys : Math.min(query + 1, keys));
  const seen = Array.from({ length: queries }, (_, query) => visible(query)).reduce((a, b) => a + b, 0);
  return heads * seen * Number(holes.LANES) * (holes.VECTOR === true ? 4 : 1);
}

/** At all steps the whole recurrent weight for each sample. */
const recurrent = (at: Constant, command: Command): number => at("BATCH") * at("STEPS") * numbersOf(command, "u");

/** Multiply-adds of all runs, by kernel. */
const multiplyAdds: Readonly<Record<string, (at: Constant, command: Command) => number>> = {
  matmul: product,
  conv2d: convolution,
  "conv2d-backward-input": inputGradient,
  "conv2d-backward-filter": convolution,
  "depthwise-conv2d": depthwise,
  "depthwise-conv2d-backward-input": depthwise,
  "depthwise-conv2d-backward-filter": depthwiseFilter,
  attention: (at, command) => 2 * look(at, command),
  "attention-backward": (at, command) => (command.holes.OF_KEYS === true ? 4 : 3) * look(at, command),
  recurrent,
  "recurrent-backward": recurrent,
};

/** Arenas whose numbers are read by the kernels that write them. */
const moved = /^(parameters|moment\d|average|accumulated)$/;

/** Ranges that are bound, each read or written once; those of several kernels in one dispatch once for all, also what one makes for another. */
function boundBytes(parts: readonly Command[]): number {
  const ranges = new Map<string, number>();
  for (const { bindings } of parts) {
    for (const { access, arena, offset, bytes } of bindings) {
      const isWritten = access === "readWrite";
      if (access !== "uniform") ranges.set(`${arena} ${offset}`, isWritten && moved.test(arena) ? 2 * bytes : bytes);
    }
  }
  return [...ranges.values()].reduce((a, b) => a + b, 0);
}

/** A batch as it is written, read from data that are bound whole, without their length. */
const gathered = (command: Command): number => 2 * boundBytes([command]);

/** In the text of `sum-rows`: length and terms of each sum. */
const sumOfRows = /Sum\(\d+u, (\d+)u, \d+u, \d+u, \d+u, (\d+)u/g;

/** Kernels that read less than is bound. */
const ownBytes: Readonly<Record<string, (command: Command) => number>> = {
  gather: gathered,
  "gather-words": gathered,
  embedding: (command) => 4 * (numbersOf(command, "ids") + 2 * numbersOf(command, "y")),
  "sum-rows": ({ holes }) =>
    [...String(holes.SUMS).matchAll(sumOfRows)].reduce(
      (sum, [, length, terms]) => sum + 4 * Number(length) * (Number(terms) + 1),
      0,
    ),
};

/** What it is made of, to the last. */
const kernelsOf = (command: Command): readonly Command[] => command.parts?.flatMap(kernelsOf) ?? [command];

/** What one command has to do. */
export function workOf(command: Command): Work {
  const parts = kernelsOf(command);
  const runs = command.times ?? 1;
  const operations = parts.map((part) => {
    const at: Constant = (name) => part.constants[name] ?? Number.NaN;
    return 2 * (multiplyAdds[part.kernel]?.(at, part) ?? 0);
  });
  const own = parts.map((part) => ownBytes[part.kernel]?.(part));
  const bytes = own.reduce<number>((a, b) => a + (b ?? 0), boundBytes(parts.filter((_, i) => own[i] === undefined)));
  // Each run of a recurrence reads the whole recurrent weight.
  const again = (runs - 1) * 4 * numbersOf(command, "u");
  return { kernel: command.kernel, operations: operations.reduce((a, b) => a + b, 0), bytes: bytes + again, runs };
}

/** Of a step in which everything runs but statistics. */
export const worksOf = ({ commands }: Recording): Work[] => commands.map(workOf);
