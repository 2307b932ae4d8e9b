// What an op is: a value that says everything of it that the engine has to know. What comes out, how a gradient goes back, which
// kernel computes it, and what a layer may get wrong. A layer imports the ops that it uses and a node carries its op, so what no
// layer uses is in no bundle; names are for printing.

import type { Entry } from "../option.ts";
import { type DeviceFacts, type Grid, type Holes, threads } from "./kernel.ts";
import { type DType, dims, type Role, type Tensor, type Tensors } from "./tensor.ts";

/** What an op may be told beside its inputs: a number, a word, a switch, or a list of numbers. */
export type Attribute = number | boolean | string | readonly number[];
/** Attributes of an op by name. */
export type Attributes = Readonly<Record<string, Attribute | undefined>>;

/** What a shape rule says of one output. */
export interface TensorSpec {
  /** Lengths of its axes. */
  readonly shape: readonly number[];
  /** Default "f32". */
  readonly dtype?: DType;
  /** The input of which the output is only another view. */
  readonly viewOf?: string;
  /** Ending of the tensor's name, where it is not that of the op. */
  readonly suffix?: string;
  /** Where it lives. Default "activation". */
  readonly role?: Role;
}

/** WGSL of an op that works on each number by itself; such ops are fused into the end of other kernels. */
export interface Elementwise {
  /** An expression over `V`, which is f32 or vec4f, in the names of the inputs, which are repeated to one shape. */
  expression(attributes: Attributes): string;
  /** The op of its way back, where that is one of its own. */
  readonly backward?: Op | undefined;
}

/** What a backward rule may do. */
export interface Way<In extends string = string, A extends Attributes = Attributes> {
  /** Those of the node. */
  readonly attributes: A;
  /** Hands on the gradient of an input; it is made only where somebody wants it. */
  give(input: In, gradient: () => Tensor): void;
  /** Adds a node and returns its outputs by name. */
  emit<From extends string, To extends string>(
    op: Op<From, To>,
    inputs: Tensors<From>,
    attributes?: Attributes,
  ): Tensors<To>;
}

/** Whether a type is one of several words. */
type IsOneOfMany<Word, All = Word> = Word extends unknown ? ([All] extends [Word] ? false : true) : never;

/**
 * What a backward rule has at hand: inputs, outputs, and `d` before an output's name: the gradient that reached it. Of several
 * outputs some may have none.
 */
export type Known<In extends string, Out extends string> = Tensors<In | Out> &
  (true extends IsOneOfMany<Out>
    ? { readonly [Name in Out as `d${Name}`]?: Tensor }
    : { readonly [Name in Out as `d${Name}`]: Tensor });

/** What there is to compute: names of inputs and outputs, shape rule, way back and kernel. Made by `defineOp` and `defineElementwise`. */
export interface Op<In extends string = string, Out extends string = string, A extends Attributes = Attributes> {
  /** In messages and recordings, and the ending of its outputs' names. */
  readonly name: string;
  /** Names of the inputs, in the order in which nodes have them. */
  readonly inputs: readonly In[];
  /** Those that may be left out, the last ones; not in ops that other kernels end in. */
  readonly optional?: readonly NoInfer<In>[];
  /** Those of whole numbers, u32; all others are f32. */
  readonly integers?: readonly NoInfer<In>[];
  /** Those at the end may be left out by the shape rule. */
  readonly outputs: readonly Out[];
  /** What a layer may give beside inputs: its default and its kind, see `resolved`. */
  readonly attributes?: Readonly<Record<string, Entry>>;
  /** Why inputs that a layer gave do not fit, and what to do, in sentences; undefined where they do. The other rules trust their inputs. */
  refuse?(inputs: Tensors<In>, attributes: A): string | undefined;
  /** The shape rule. */
  shape(inputs: Tensors<In>, attributes: A): { readonly [Name in Out]?: TensorSpec };
  /** How gradients go back; left out where there is no way, as in ops that are themselves part of a way back. */
  back?(known: Known<In, Out>, way: Way<In, A>): void;
  /** Multiply-adds of one run; left out where there are none to speak of. */
  work?(tensors: Tensors<In | Out>, attributes: A): number;
  /** Left out for a mere change of view. */
  readonly kernel?: Kernel<NoInfer<In | Out>>;
  /** For an op that works on each number by itself: such ops are fused into the end of other kernels. */
  readonly elementwise?: Elementwise;
  /** An op that this one does as well where it alone reads what that makes, and the attributes that say so. */
  absorbs?(): { readonly op: Op; readonly attributes: Attributes };
  /** Whether the kernel can end in a chain of elementwise ops. */
  readonly takesEpilogue?: boolean;
  /** Whether the kernel, with these attributes, can also leave what stands before a step of its end, where the result is as long as this. */
  keepsInner?(attributes: NoInfer<A>, result: Tensor): boolean;
  /** Whether a sample gets other numbers each time, so that nothing behind it can be kept. */
  moves?(attributes: A): boolean;
  /** The sums that it is, where it is nothing else and they may be made together with those of others. */
  rowSums?(tensors: Tensors<In | Out>): readonly RowSum[] | undefined;
  /** The same by plainer ops, where shapes and attributes ask for no more: the last one gives outputs of the same names. */
  plainly?(tensors: Tensors<In | Out>, way: Pick<Way<In, A>, "attributes" | "emit">): Tensors | undefined;
  /**
   * The same by ops that share it out to more workgroups, where this one would leave a GPU idle: the last one gives outputs of the same
   * names, and operands of what is at the end of this one stand behind its inputs.
   */
  forGpu?(tensors: Tensors<In | Out>, way: Pick<Way<In, A>, "attributes" | "emit">): Tensors | undefined;
  /** Whether the kernel, with these attributes, can also leave the sum over all rows of its second input. */
  sumsColumns?(attributes: A, second: Tensor): boolean;
}

/** A sum over rows: y[i] = x[first + i] + x[first + step + i] + .., so many terms in order. */
export interface RowSum {
  /** What is added up. */
  readonly x: Tensor;
  /** Where the sums go. */
  readonly y: Tensor;
  /** Where in x the first term of y[0] stands. */
  readonly first: number;
  /** Numbers from one term to the next. */
  readonly step: number;
  /** Terms of each sum. */
  readonly terms: number;
}

/** For a backward rule several of whose gradients come from one node: what the first who asks for it makes. */
export const once = <Made>(make: () => Made): (() => Made) => {
  let made: Made | undefined;
  return () => (made ??= make());
};

/** One elementwise step that a kernel applies to its result before storing it. */
export interface EpilogueStep {
  /** An elementwise one. */
  readonly op: Op;
  /** What it was applied with. */
  readonly attributes: Attributes;
  /** Where each input of the op stands among the inputs of the node; undefined for the one that the kernel has in hand. */
  readonly inputs: readonly (number | undefined)[];
  /** Shape of what it gives; the kernel may have the same numbers under another. */
  readonly shape: readonly number[];
  /** Where what it takes stands among the outputs of the node, if others read that too. */
  readonly kept?: number | undefined;
}

/** A node with its tensors at hand. */
export interface Work<Name extends string = string> {
  /** What the node computes. */
  readonly op: Op;
  /** Inputs and outputs by the op's names. */
  readonly tensors: Tensors<Name>;
  /** All inputs of the node: the op's own, then the operands of what is at its end. */
  readonly all: readonly Tensor[];
  /** In the order of the op's names; then what steps at its end keep. */
  readonly outputs: readonly Tensor[];
  /** What the op was applied with. */
  readonly attributes: Attributes;
  /** What is done to each number before it is stored, in order. */
  readonly epilogue: readonly EpilogueStep[];
  /** What a choice may depend on. */
  readonly device: DeviceFacts;
  /** Whether a loss that is not finite halts the updates: in steps that train. */
  readonly halts: boolean;
  /** Whether an output is a gradient that is asked where it is stored. */
  readonly checked: boolean;
  /** Whether a workgroup should make rows whole, for a kernel behind it in its dispatch that reads them. */
  readonly whole?: boolean;
}

/** One way to run a kernel: the decision for one node. */
export interface Choice {
  /** The text, where it is one of the kernel's others. */
  readonly source?: string;
  /** What fills the shader's holes. Default: nothing. */
  readonly holes?: Holes;
  /** Values of the shader's `override` declarations. */
  readonly constants?: Readonly<Record<string, number>>;
  /** The tensor behind each binding. Default: bindings are called as the op calls inputs and outputs. */
  readonly tensors?: Tensors;
  /** A number: so many threads, 64 a workgroup, with what is too long for one axis of the grid folded into the next. */
  readonly grid: Grid | number;
  /**
   * How often it runs, one run after the other, each seeing what those before it wrote: the steps of a recurrence. A binding
   * `var<uniform> tick: vec4u` tells in x which of them it is, from 0. A run may read what others have written of an output by
   * the binding, read_write, by which it writes. Default 1.
   */
  readonly times?: number;
  /** Of its first output, whose rows a workgroup makes whole: so many numbers, behind those of the workgroup before it. */
  readonly lines?: number | undefined;
  /** Who reads of `Kernel.rows` no more than one row: thread i of all, without waiting for others, or workgroup i. */
  readonly by?: "thread" | "workgroup" | undefined;
  /** What the recording prints, for example "[64x784]x[784x256]". Default: shapes of the inputs. */
  readonly note?: string;
}

/** How a kernel is run, in words that all kernels share. */
export interface Tactic {
  /** Results of a thread, rows x columns, both multiples of 4. */
  readonly tile: `${number}x${number}`;
  /** Threads of a workgroup. */
  readonly threads: 4 | 8 | 16 | 64 | 256;
  /** Threads of a workgroup that share the sums of a tile. */
  readonly shares: number;
  /** Into how many parts sums are cut; the graph says so, since the parts are a tensor of the plan. */
  readonly splits: number;
  /**
   * Where operands wait until they are used: in each thread's own registers, of which four neighbours that stand across the columns may
   * load the first operand together, and such that stand down the rows the second, or in memory of the workgroup. By strips each pixel
   * of a line waits for all taps that meet it, and four neighbours may load together what meets pixels.
   */
  readonly staging: "registers" | "quads across" | "quads down" | "workgroup" | "strips" | "quads by strips";
}

/** One of several ways to run a kernel. */
export interface Candidate {
  /** What tells it from the others. */
  readonly tactic: Tactic;
  /** Equal where sums are added in the same order, so that one may stand for the other and no bit changes. */
  readonly order: string;
  /** Variant, constants and grid. */
  readonly choice: Choice;
}

/** How an op is computed: the text of its shader, and how it is chosen for shapes. */
export interface Kernel<Name extends string = string> {
  /** Name of the shader file, the pipeline's label and the word in messages. */
  readonly name: string;
  /** WGSL. Every binding that it declares in group 0 has the name of a tensor of the choice; numbers lie densely, the last axis first. */
  readonly source: string;
  /** Texts that a choice may have in the place of that. */
  readonly others?: readonly string[];
  /** The variant for a node: a pure function of shapes, attributes and what is known of the device. */
  choose(work: Work<Name>): Choice;
  /**
   * Whether it may be a part of a dispatch in which other kernels are. It runs once and knows nothing of the step, `main` has
   * workgroup_id, num_workgroups and local_invocation_index in this order, what it binds is named nowhere else before a bracket, and
   * memory of its workgroup is declared alike by all that may stand beside it. Default false.
   */
  readonly beside?: boolean;
  /** How long rows of the first output are, where a workgroup can make them whole: a kernel of `rows` may follow in the same dispatch. */
  lines?(work: Pick<Work<Name>, "tensors" | "attributes">): number | undefined;
  /** The input of which a thread or a workgroup reads one row alone, and how long that is; it says which by `by`. */
  rows?(work: Pick<Work<Name>, "tensors" | "attributes">): { readonly of: string; readonly length: number } | undefined;
  /** All ways to run it, of which the first is what `choose` gives; left out where there is no other. */
  candidates?(work: Work<Name>): readonly Candidate[];
}

/** Who has a say in how kernels run: one of the kernel's candidates, or undefined for what the kernel chooses by itself. */
export interface Chooser {
  choose(kernel: Kernel, work: Work): Choice | undefined;
}

type Chosen = Required<Choice> & { readonly grid: Grid };

/** What a kernel chose, or somebody for it, with all that it left out. */
export function chosen(kernel: Kernel, work: Work, tuning?: Chooser): Chosen {
  const choice = tuning?.choose(kernel, work) ?? kernel.choose(work);
  const { source = kernel.source, holes = {}, constants = {}, tensors = work.tensors, times = 1 } = choice;
  const { grid, note, lines, by } = choice;
  return {
    source,
    lines,
    by,
    holes,
    constants,
    tensors,
    grid: typeof grid === "number" ? threads(grid) : grid,
    times,
    note: note ?? work.all.map(dims).join(" "),
  };
}

/**
 * An op of your own, for `scope.op`: the names of inputs and outputs, the shape rule, the way back, and a kernel in WGSL. It is what
 * the engine's own ops are made by. A `back` hands on the gradient of each input, by an op of its own or, as here, by the same one.
 *
 * What stands in rows beyond a short batch may be anything, and the gradient that comes for them is 0. A gradient that a kernel
 * makes for a weight is copied by one that asks whether its numbers are finite. `checkGradients` says whether the way back is right.
 *
 * @example
 * const runningSum = defineOp({
 *   name: "runningSum",
 *   inputs: ["x"],
 *   outputs: ["y"],
 *   attributes: { reverse: [false] },
 *   shape: ({ x }) => ({ y: { shape: x.shape } }),
 *   back({ dy }, { attributes: { reverse }, give, emit }) {
 *     give("x", () => emit(runningSum, { x: dy }, { reverse: !reverse }).y);
 *   },
 *   kernel: {
 *     name: "running-sum",
 *     source: wgsl, // declares override ROWS, COLUMNS and REVERSE, and the bindings x and y
 *     choose: ({ tensors: { x }, attributes: { reverse } }) => {
 *       const [rows = 1, columns = 1] = x.shape;
 *       return { constants: { ROWS: rows, COLUMNS: columns, REVERSE: reverse ? 1 : 0 }, grid: rows };
 *     },
 *   },
 * });
 * const layer = { kind: "sums", apply: (scope, x) => scope.op(runningSum, { x }).y };
 */
export const defineOp = /* @__NO_SIDE_EFFECTS__ */ <
  const In extends string,
  const Out extends string,
  A extends Attributes = Attributes,
>(
  op: Op<In, Out, A>,
): Op<In, Out, A> => op;
