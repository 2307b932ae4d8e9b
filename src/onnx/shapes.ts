// The arithmetic of shapes that operators share, whether their numbers are known or not.

import { sizeOf } from "../foreign/strided.ts";
import type { Host } from "./host.ts";

import { axesOf, axisOf, expectCount, inOrder, listOf, type Node, refuse } from "./node.ts";

/** The shape to which both are repeated, as in NumPy. */
export function joint(node: Node, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [one, other] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (one === other || other === 1) return one;
    if (one === 1) return other;
    return refuse(node, `its operands are [${a}] and [${b}]: ${one} and ${other} differ.`);
  });
}

/** The target of a Reshape: 0 keeps a length, -1 takes what is left. */
export function reshapeTarget(node: Node, dims: readonly number[], target: readonly number[]): number[] {
  const keep = node.int("allowzero", 0) === 0;
  const shape = target.map((length, i) => (length === 0 && keep ? (dims[i] ?? 0) : length));
  const known = sizeOf(shape.filter((length) => length !== -1));
  const all = sizeOf(dims);
  const full = shape.map((length) => (length === -1 ? all / known : length));
  if (sizeOf(full) === all && full.every((length) => Number.isInteger(length) && length >= 0)) return full;
  return refuse(node, `it reshapes [${dims}], which is ${all} numbers, to [${target}].`);
}

/** Where a Flatten cuts. */
export function flattened(node: Node, dims: readonly number[]): number[] {
  const given = node.int("axis", 1);
  const axis = given === dims.length ? given : axisOf(node, given, dims.length);
  return [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis))];
}

/** Axes, or other numbers, that stand in an attribute, or of later opsets in an input; undefined where there are none. */
export const axesAsked = (node: Node, input: Host | undefined, name = "axes"): readonly number[] | undefined =>
  input === undefined ? node.ints(name) : listOf(input);

/** Those that are reduced, all if none are told; undefined where nothing is to be done. */
export function reducedAxes(node: Node, rank: number, input: Host | undefined): number[] | undefined {
  const asked = axesAsked(node, input) ?? [];
  if (asked.length > 0) return axesOf(node, asked, rank);
  return node.int("noop_with_empty_axes", 0) === 1 ? undefined : inOrder(rank);
}

/** Numbers of places along an axis, of which those below 0 count from the end. */
export const placesOf = (node: Node, indices: readonly number[], axis: number, length: number): number[] =>
  indices.map((place) => {
    const at = place < 0 ? place + length : place;
    if (at >= 0 && at < length) return at;
    return refuse(node, `it takes number ${place} of axis ${axis}, which has ${length}.`);
  });

export function squeezedAxes(node: Node, dims: readonly number[], input: Host | undefined): number[] {
  const asked = axesAsked(node, input);
  if (asked === undefined) return dims.flatMap((length, axis) => (length === 1 ? [axis] : []));
  const axes = axesOf(node, asked, dims.length);
  const odd = axes.find((axis) => dims[axis] !== 1);
  if (odd !== undefined) refuse(node, `it takes away axis ${odd} of [${dims}], whose length is not 1.`);
  return axes;
}

export function unsqueezedAxes(node: Node, dims: readonly number[], input: Host | undefined): number[] {
  const asked = axesAsked(node, input) ?? refuse(node, "it has no axes.");
  const axes = axesOf(node, asked, dims.length + asked.length).sort((a, b) => a - b);
  return new Set(axes).size === axes.length ? axes : refuse(node, `its axes are [${asked}], one stands twice.`);
}

/** dims with 1 put in at these axes, which are in order. */
export const unsqueezed = (dims: readonly number[], axes: readonly number[]): number[] => {
  const full = [...dims];
  for (const axis of axes) full.splice(axis, 0, 1);
  return full;
};

/** Where each axis begins, how far it goes on and how often. */
export interface Cut {
  readonly begin: number;
  readonly step: number;
  readonly count: number;
}

/** Whether nothing is cut away. */
export const isWhole = (cuts: readonly Cut[], dims: readonly number[]): boolean =>
  cuts.every(({ begin, step, count }, axis) => begin === 0 && step === 1 && count === dims[axis]);

/** A Slice by its attributes, or since opset 10 its inputs. */
export function cutsOf(node: Node, dims: readonly number[], ins: readonly (Host | undefined)[]): Cut[] {
  const [, starts, ends, axes, steps] = ins;
  const from = axesAsked(node, starts, "starts") ?? refuse(node, "it has no starts.");
  const to = expectCount(node, "ends", axesAsked(node, ends, "ends"), from.length);
  const along = axesAsked(node, axes) ?? from.map((_, i) => i);
  const by = axesAsked(node, steps, "") ?? [];
  const cuts = dims.map((count): Cut => ({ begin: 0, step: 1, count }));
  for (const [i, given] of along.entries()) {
    const axis = axisOf(node, given, dims.length);
    const length = dims[axis] as number;
    const step = by[i] ?? 1;
    if (step === 0) refuse(node, `its step along axis ${axis} is 0.`);
    const placed = (place: number): number => {
      const at = place < 0 ? place + length : place;
      return step > 0 ? Math.min(Math.max(at, 0), length) : Math.min(Math.max(at, -1), length - 1);
    };
    const begin = placed(from[i] as number);
    const end = placed(to[i] as number);
    cuts[axis] = { begin, step, count: Math.max(0, Math.ceil((end - begin) / step)) };
  }
  return cuts;
}

/** Lengths of the parts of a Split. */
export function partsOf(node: Node, length: number, input: Host | undefined): number[] {
  const many = node.outputs.length;
  const each = Math.ceil(length / many);
  const sizes =
    axesAsked(node, input, "split") ?? Array.from({ length: many }, (_, i) => Math.min(each, length - i * each));
  if (sizes.length === many && sizes.reduce((a, b) => a + b, 0) === length && sizes.every((one) => one >= 0))
    return [...sizes];
  return refuse(node, `it splits ${length} into [${sizes}] for ${many} outputs.`);
}
