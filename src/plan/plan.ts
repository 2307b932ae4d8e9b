// Graph -> Plan: a place in some arena for every tensor.

import { bug } from "../errors.ts";
import { type Graph, storageOf, tensorAt } from "../graph/graph.ts";
import { byteSize, bytesOf, type Form, size } from "../op/tensor.ts";
import { planArenas } from "./arena.ts";
import type { Layout } from "./layout.ts";
import { lifetimesOf, lowerBound } from "./lifetime.ts";

/** A range of an arena, in bytes. Arenas are known by name; `gpu` makes a buffer of each. */
export interface Slice {
  /** Name of the buffer. */
  readonly arena: string;
  /** Where it begins. */
  readonly offset: number;
  /** Its length. */
  readonly bytes: number;
  /** Whether its numbers are f16, where f32 is read. */
  readonly half?: true;
  /** That of the tensor. */
  readonly form?: Form | undefined;
}

/** Where tensors that live on lie. */
const arenaOf = {
  parameter: "parameters",
  gradient: "gradients",
  base: "base",
  state: "states",
  next: "next",
} as const;

/** Bytes of activations. `naive`: if every tensor had its own; `lowerBound`: the most that live at once. */
export interface MemoryReport {
  /** Of all arenas of activations together. */
  readonly planned: number;
  /** The sum over all activations. */
  readonly naive: number;
  /** No plan is below it. */
  readonly lowerBound: number;
}

/** Of a trainer: also what outlives a step. */
export interface TrainerMemory extends MemoryReport {
  /** Bytes of each buffer by its name: "parameters", "gradients", "moment1", "base" and others. */
  readonly stored: Readonly<Record<string, number>>;
}

export interface Plan {
  /** Bytes by arena name, activation arenas only. */
  readonly arenas: ReadonlyMap<string, number>;
  readonly report: MemoryReport;
  /** Where a tensor lives. Views live where their storage does. */
  readonly sliceOf: (tensor: number) => Slice;
  /** The row of the layout that a gradient belongs to; undefined for any other tensor. */
  readonly rowOf: (tensor: number) => number | undefined;
}

/** What lives on without being trained, by id in the order of its layout. */
export interface Residents {
  readonly layout: Layout;
  readonly ids: readonly number[];
}

/**
 * `parameterIds` are the tensors of the layout, in its order; `kept` must survive the last node; `room`: bytes of
 * the activation arenas of another program, which this one shares; `residents`: the base, states.
 */
export function plan(
  graph: Graph,
  layout: Layout,
  parameterIds: readonly number[],
  kept: ReadonlySet<number>,
  room: ReadonlyMap<string, number> = new Map(),
  ...residents: readonly Residents[]
): Plan {
  const lifetimes = lifetimesOf(graph, kept);
  const arenas = planArenas(lifetimes, [...room.values()]);
  const rows = new Map(parameterIds.map((id, row) => [id, row]));
  const offsets = new Map(
    [{ layout, ids: parameterIds }, ...residents].flatMap(({ layout: { tensors, dtype }, ids }) =>
      ids.map((id, i) => [id, { offset: tensors[i]?.offset ?? 0, dtype }] as const),
    ),
  );

  const sliceOf = (id: number): Slice => {
    const tensor = tensorAt(graph, storageOf(graph, id));
    const bytes = Math.ceil(byteSize(tensor) / 16) * 16;
    if (tensor.role === "data" || tensor.role === "metrics") return { arena: tensor.name, offset: 0, bytes: 0 };
    if (tensor.role === "activation") {
      const spot = arenas.spots.get(tensor.id) ?? bug(`"${tensor.name}" has no place`);
      const { form } = tensor;
      return { arena: `activations${spot.arena}`, offset: spot.offset, bytes, ...(form && { form }) };
    }
    const { offset, dtype } = offsets.get(tensor.of ?? tensor.id) ?? bug(`"${tensor.name}" is not in the layout`);
    const [arena, width] = [arenaOf[tensor.role], bytesOf(dtype)];
    if (dtype !== "f16") return { arena, offset: offset * width, bytes };
    return { arena, offset: offset * width, bytes: Math.ceil((size(tensor.shape) * width) / 16) * 16, half: true };
  };

  return {
    arenas: new Map(arenas.arenas.flatMap((bytes, i) => (bytes === 0 ? [] : [[`activations${i}`, bytes]]))),
    report: {
      planned: arenas.arenas.reduce((a, b) => a + b, 0),
      naive: lifetimes.lifetimes.reduce((sum, span) => sum + span.bytes, 0),
      lowerBound: lowerBound(lifetimes),
    },
    sliceOf,
    rowOf(id) {
      const { role, of } = tensorAt(graph, id);
      return role === "gradient" ? rows.get(of ?? id) : undefined;
    },
  };
}
