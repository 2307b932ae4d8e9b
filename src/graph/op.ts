// The form of a row of the op table. A row says everything that the graph has to know about an op: what comes out, how a
// gradient goes back through it, and which kernel computes it.

import type { Attributes } from "../model/layer.ts";
import type { Node, Tensor, TensorSpec } from "./graph.ts";

/** What a backward rule may do. */
export interface Backward {
  /** The gradient that reached the node's first output. Absent for a loss, where the backward pass begins. */
  readonly dy: Tensor | undefined;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly node: Node;
  /** Whether anybody wants the gradient of input `position`. Rules emit nothing for the others. */
  wants(position: number): boolean;
  emit(op: string, inputs: readonly Tensor[], attributes?: Attributes): Tensor;
  /** Hands on the gradient of input `position`. */
  give(position: number, gradient: Tensor): void;
}

export interface Op {
  readonly name: string;
  /** Number of input tensors. */
  readonly arity: number;
  /** The shape rule. Layers have checked what a user can get wrong, so a rule may trust its inputs. */
  outputs(inputs: readonly Tensor[], attributes: Attributes): TensorSpec[];
  /** How the gradient goes back; null where there is no way back. */
  readonly backward: ((b: Backward) => void) | null;
  /** Name of the kernel; null for a mere change of view. */
  readonly kernel: string | null;
  /** Set for ops that can be fused into the end of another kernel. */
  readonly elementwise?: Elementwise;
  /** Whether the kernel can end in a chain of elementwise ops. */
  readonly takesEpilogue?: boolean;
}

/** WGSL of an elementwise op, written over `V`, which is f32 or vec4f. */
export interface Elementwise {
  /** An expression in `x` and, with an operand, `y`. */
  readonly expression: string;
  /** Shape of the second operand: like the first, or one value per entry of the last axis. */
  readonly operand?: "same" | "last";
  /** Whether x and y may change places, so that either may be the fused one. */
  readonly commutes?: boolean;
}
