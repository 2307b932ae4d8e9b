// The memory plan's two laws, over random graphs: tensors alive at once share no bytes, and no node reads from an arena
// that it writes to. Lifetimes are counted here once more, so that plan and test cannot agree on the same mistake.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { absorb } from "../../src/graph/absorb.ts";
import { differentiate } from "../../src/graph/backward.ts";
import { fuse } from "../../src/graph/fuse.ts";
import { addNode, addTensor, type Graph, type Node, storageOf } from "../../src/graph/graph.ts";
import { plainFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import { crossEntropy } from "../../src/index.ts";
import { defineOp } from "../../src/op/op.ts";
import { reshape } from "../../src/op/reshape.ts";
import { size, type Tensor } from "../../src/op/tensor.ts";
import { besideEachOther } from "../../src/plan/beside.ts";
import { lateSums, sumsLast } from "../../src/plan/late.ts";
import { BLOCK, blockWords, layOut } from "../../src/plan/layout.ts";
import { type Lifetime, type Lifetimes, lifetimesOf, lowerBound } from "../../src/plan/lifetime.ts";
import { type Plan, plan } from "../../src/plan/plan.ts";
import { alone } from "../reference/streams.ts";
import { referenceModels, referencePrograms } from "./program.ts";

interface Made {
  readonly graph: Graph;
  readonly parameters: readonly Tensor[];
  readonly kept: ReadonlySet<number>;
  /** Arenas of another program. */
  readonly room: ReadonlyMap<string, number>;
}

/** What fast-check draws for one node: which tensors it reads, how large its outputs are, whether it is a mere view. */
const nodeShape = fc.record({
  reads: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
  writes: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 3 }),
  view: fc.boolean(),
  gradient: fc.boolean(),
});

const any = defineOp({ name: "any", inputs: [], outputs: [], shape: () => ({}) });

const made: fc.Arbitrary<Made> = fc
  .record({
    nodes: fc.array(nodeShape, { minLength: 1, maxLength: 14 }),
    kept: fc.array(fc.nat(), { maxLength: 2 }),
    parameters: fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 3 }),
    room: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 5 }),
  })
  .map(({ nodes, kept, parameters: lengths, room: blocks }) => {
    const graph: Graph = { tensors: [], nodes: [] };
    const data = addTensor(graph, { name: "data.x", shape: [1], dtype: "f32", role: "data" });
    const parameters = lengths.map((length, i) =>
      addTensor(graph, { name: `layer${i}.weight`, shape: [length], dtype: "f32", role: "parameter" }),
    );
    const activations: Tensor[] = [];
    const ungraded = [...parameters];
    for (const { reads, writes, view: isView, gradient } of nodes) {
      const readable = [data, ...parameters, ...activations];
      const pick = (from: readonly Tensor[], at: number): Tensor => from[at % from.length] as Tensor;
      if (isView && activations.length > 0) {
        const source = pick(activations, reads[0] as number);
        const node = { op: reshape, inputs: [source.id], attributes: {}, layer: "" };
        activations.push(...addNode(graph, node, [["y", { shape: [1, size(source.shape)], viewOf: "x" }]]));
        continue;
      }
      const specs = writes.map((length, i) => [`y${i}`, { shape: [length] }] as const);
      const inputs = [...new Set(reads.map((at) => pick(readable, at).id))];
      const outputs = addNode(graph, { op: any, inputs, attributes: {}, layer: "" }, specs);
      activations.push(...outputs.slice(1));
      const [first] = outputs as [Tensor];
      const of = gradient ? ungraded.pop() : undefined;
      if (of === undefined) activations.push(first);
      else graph.tensors[first.id] = { ...first, role: "gradient", shape: of.shape, of: of.id };
    }
    const keeps = activations.length === 0 ? [] : kept.map((at) => activations[at % activations.length] as Tensor);
    const room = new Map(blocks.map((count, i) => [`activations${i}`, 256 * count]));
    return { graph, parameters, kept: new Set(keeps.map((tensor) => tensor.id)), room };
  });

const planOf = ({ graph, parameters, kept, room }: Made): Plan =>
  plan(
    graph,
    layOut(parameters.map(({ name, shape }) => ({ name, shape, layer: name }))),
    parameters.map((tensor) => tensor.id),
    kept,
    room,
  );

/** Each activation that owns bytes, with the nodes at which they must stay as they are. */
function lives({ graph, kept }: Made) {
  const owner = (id: number): Tensor => {
    const tensor = graph.tensors[id] as Tensor;
    return tensor.view === undefined ? tensor : owner(tensor.view);
  };
  const found = new Map<Tensor, { first: number; last: number }>();
  const touch = (id: number, at: number): void => {
    const tensor = owner(id);
    if (tensor.role !== "activation") return;
    found.set(tensor, { first: found.get(tensor)?.first ?? at, last: at });
  };
  for (const [at, node] of graph.nodes.entries()) {
    if (node.op !== reshape) for (const id of [...node.inputs, ...node.outputs]) touch(id, at);
  }
  for (const id of kept) touch(id, graph.nodes.length);
  return [...found].map(([tensor, span]) => ({ tensor, ...span, bytes: Math.ceil(size(tensor.shape) / 64) * 256 }));
}

const check = (property: (made: Made, plan: Plan) => void, numRuns = 80): void =>
  fc.assert(
    fc.property(made, (drawn) => property(drawn, planOf(drawn))),
    { numRuns },
  );

describe("a plan of any graph", () => {
  test("lets no two tensors share bytes while both are alive", () => {
    check((drawn, { sliceOf }) => {
      const all = lives(drawn);
      for (const [i, a] of all.entries()) {
        for (const b of all.slice(0, i)) {
          if (a.first > b.last || b.first > a.last) continue;
          const [left, right] = [sliceOf(a.tensor.id), sliceOf(b.tensor.id)];
          if (left.arena !== right.arena) continue;
          const apart = left.offset + left.bytes <= right.offset || right.offset + right.bytes <= left.offset;
          expect(apart, `tensors ${a.tensor.id} and ${b.tensor.id} in ${left.arena}`).toBe(true);
        }
      }
    });
  });

  test("lets no node read from an arena that it writes to", () => {
    check(({ graph }, { sliceOf }) => {
      for (const node of graph.nodes.filter(({ op }) => op !== reshape)) {
        const reads = node.inputs.map((id) => sliceOf(id).arena);
        const writes = node.outputs.map((id) => sliceOf(id).arena);
        expect(reads.filter((arena) => writes.includes(arena))).toEqual([]);
      }
    });
  });

  test("starts each tensor at a multiple of 256 bytes, inside its arena, with room for all of it", () => {
    check((drawn, { sliceOf, arenas }) => {
      for (const { tensor } of lives(drawn)) {
        const { arena, offset, bytes } = sliceOf(tensor.id);
        expect(offset % 256).toBe(0);
        expect(bytes).toBeGreaterThanOrEqual(4 * size(tensor.shape));
        expect(offset + bytes).toBeLessThanOrEqual(arenas.get(arena) as number);
      }
    });
  });

  test("needs no less than the lower bound and no more than the naive sum", () => {
    check((drawn, { report, arenas }) => {
      const all = lives(drawn);
      const liveAt = drawn.graph.nodes.map((_, at) =>
        all.filter(({ first, last }) => first <= at && at <= last).reduce((sum, { bytes }) => sum + bytes, 0),
      );
      expect(report.lowerBound).toBe(Math.max(...liveAt));
      expect(report.naive).toBe(all.reduce((sum, { bytes }) => sum + bytes, 0));
      expect(report.planned).toBe([...arenas.values()].reduce((a, b) => a + b, 0));
      expect(report.planned).toBeGreaterThanOrEqual(report.lowerBound);
      expect(report.planned).toBeLessThanOrEqual(report.naive);
    });
  });

  test("puts a view where its storage is", () => {
    check(({ graph }, { sliceOf }) => {
      for (const { id, view } of graph.tensors) if (view !== undefined) expect(sliceOf(id)).toEqual(sliceOf(view));
    });
  });

  test("puts a gradient where its parameter is, in an arena of its own", () => {
    check(({ graph }, { sliceOf }) => {
      for (const { id, of } of graph.tensors) {
        if (of === undefined) continue;
        expect(sliceOf(of).arena).toBe("parameters");
        expect(sliceOf(id)).toEqual({ ...sliceOf(of), arena: "gradients" });
      }
    });
  });

  test("is the same each time", () => {
    check((drawn, first) => {
      const again = planOf(drawn);
      expect(again.arenas).toEqual(first.arenas);
      for (const { tensor } of lives(drawn)) expect(again.sliceOf(tensor.id)).toEqual(first.sliceOf(tensor.id));
    }, 20);
  });
});

/**
 * What no plan can do with less than under both laws. The largest tensor has an arena of at least its size; of those alive at a
 * node, that arena can hold only such as law 2 lets be together and with it, and whatever does not fit there needs bytes elsewhere.
 */
function lawfulBound({ lifetimes, accesses }: Lifetimes): number {
  const apart = new Set(accesses.flatMap(({ reads, writes }) => reads.flatMap((a) => writes.map((b) => `${a} ${b}`))));
  const fits = (a: Lifetime, b: Lifetime) => !apart.has(`${a.id} ${b.id}`) && !apart.has(`${b.id} ${a.id}`);
  const largest = lifetimes.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  const least = (chosen: readonly Lifetime[], open: readonly Lifetime[], alive: number): number => {
    const inside = chosen.reduce((sum, { bytes }) => sum + bytes, 0);
    const now = Math.max(largest.bytes, inside) + alive - inside;
    const [next, ...rest] = open;
    if (next === undefined) return now;
    const without = least(chosen, rest, alive);
    return chosen.every((one) => fits(one, next)) ? Math.min(without, least([...chosen, next], rest, alive)) : without;
  };
  const bounds = accesses.map((_, at) => {
    const alive = lifetimes.filter(({ first, last }) => first <= at && at <= last);
    const open = alive.filter((one) => one === largest || fits(one, largest));
    const bytes = alive.reduce((sum, one) => sum + one.bytes, 0);
    return alive.includes(largest) ? bytes : least([], open, bytes);
  });
  return Math.max(...bounds);
}

/** A training step of a reference model, with these tensors frozen. */
function traced(name: keyof typeof referenceModels, frozen: ReadonlySet<string>): Graph {
  const { model, input, batch } = referenceModels[name];
  const inputs = alone(input);
  const options = { inputs, batch, loss: crossEntropy(), format: plainFormat(inputs), mode: "train" } as const;
  const { graph, objective, parameters, parameterIds } = trace(model, options);
  const wanted = parameterIds.filter((_, i) => !frozen.has(parameters[i]?.name as string));
  const short = absorb(graph, new Set());
  differentiate(short, objective!.losses, new Set(wanted));
  return fuse(short, new Set());
}

/** Lifetimes of such a step. */
const trained = (name: keyof typeof referenceModels, frozen: ReadonlySet<string>): Lifetimes =>
  lifetimesOf(sumsLast(traced(name, frozen), new Set()), new Set());

describe.each(["mlp", "cnn", "deep"] as const)("the plan of the reference model %s", (name) => {
  const layers = [...new Set(referencePrograms[name]().parameters.map(({ layer }) => layer))];
  const stem = (count: number) =>
    new Set(layers.slice(0, count).flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]));

  test.each(["evaluate", "predict"] as const)("is within a tenth of the lower bound: %s", (mode) => {
    const { planned, lowerBound } = referencePrograms[name]({ mode }).recording.memory;
    expect(planned).toBeLessThanOrEqual(1.1 * lowerBound);
  });

  test("is within a tenth of the lower bound with any frozen stem and with none, or of what both laws leave", () => {
    for (let count = 0; count < layers.length; count++) {
      const { planned, lowerBound } = referencePrograms[name]({ frozen: stem(count) }).recording.memory;
      const bound = planned <= 1.1 * lowerBound ? lowerBound : lawfulBound(trained(name, stem(count)));
      expect(bound).toBeGreaterThanOrEqual(lowerBound);
      expect(planned, `${count} frozen`).toBeLessThanOrEqual(1.1 * bound);
    }
  });

  test("lets sums wait for a hundredth of the memory that is alive at once, and leaves the order of all else", () => {
    const graph = traced(name, new Set());
    const after = sumsLast(graph, new Set());
    const bytes = (one: Graph): number => lowerBound(lifetimesOf(one, new Set()));
    expect(bytes(after)).toBeLessThanOrEqual(1.01 * bytes(graph));
    const others = ({ nodes }: Graph) => nodes.filter((node) => lateSums(graph, node) === undefined);
    expect(others(after)).toEqual(others(graph));
    expect(new Set(after.nodes)).toEqual(new Set(graph.nodes));
  });

  test("lets kernels run beside each other for a fiftieth of that memory, none that reads what another writes", () => {
    const graph = sumsLast(traced(name, new Set()), new Set());
    const joined = besideEachOther(graph, new Set());
    const bytes = (one: Graph): number => lowerBound(lifetimesOf(one, new Set()));
    expect(bytes(joined)).toBeLessThanOrEqual(1.02 * bytes(graph));
    expect(joined.nodes.some(({ beside }) => beside)).toBe(true);
    // Some come a little forward, behind all that they read.
    const ids = ({ outputs }: Node): string => outputs.join();
    const sorted = (nodes: readonly Node[]): Node[] => [...nodes].sort((a, b) => ids(a).localeCompare(ids(b)));
    expect(sorted(joined.nodes.map(({ beside, after, ...node }) => node))).toEqual(sorted(graph.nodes));
    const made = new Set<number>();
    const all = new Set(joined.nodes.flatMap(({ outputs }) => outputs));
    for (const { inputs, outputs } of joined.nodes) {
      expect(inputs.filter((id) => all.has(storageOf(joined, id)) && !made.has(storageOf(joined, id)))).toEqual([]);
      for (const id of outputs) made.add(id);
    }
    const follows = new Set(joined.nodes.filter(({ after }) => after === true).flatMap(({ inputs }) => inputs));
    for (const { reads, writes } of lifetimesOf(joined, new Set()).accesses)
      expect(reads.filter((id) => writes.includes(id) && !follows.has(id))).toEqual([]);
  });

  test("of other modes and frozen stems fits into the arenas of the whole step, but for a hundredth", () => {
    const first = referencePrograms[name]();
    const others = [
      ...(["evaluate", "predict", "gradients"] as const).map((mode) => ({ mode, first })),
      ...layers.slice(1).map((_, i) => ({ frozen: stem(i + 1), first })),
    ];
    const { arenas, memory } = first.recording;
    for (const options of others) {
      const beyond = [...referencePrograms[name](options).recording.arenas].map(([arena, bytes]) =>
        Math.max(0, bytes - (arenas.get(arena) ?? 0)),
      );
      expect(beyond.reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual(memory.planned / 100);
    }
  });

  test("is the same each time", () => {
    const [one, other] = [referencePrograms[name](), referencePrograms[name]()];
    expect(one.recording.commands).toEqual(other.recording.commands);
    expect(one.recording.arenas).toEqual(other.recording.arenas);
  });
});

describe("the layout of the weights", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 });

  test("starts every tensor on a block, and every block belongs to one tensor", () => {
    fc.assert(
      fc.property(lengths, (all) => {
        const layout = layOut(all.map((length, i) => ({ name: `${i}`, shape: [length], layer: `${i}` })));
        const { tensors, blocks } = layout;
        const words = blockWords(layout, (row) => row % 3);
        expect(words.length).toBe(blocks);
        const owned = new Set<number>();
        for (const [row, { offset, length }] of tensors.entries()) {
          expect(offset % BLOCK).toBe(0);
          for (let block = offset / BLOCK; block * BLOCK < offset + length; block++) {
            const word = words[block] as number;
            const numbers = Math.min(BLOCK, length - (block * BLOCK - offset));
            expect([word >>> 12, (word >>> 8) & 15, (word & 255) + 1]).toEqual([row, row % 3, numbers]);
            owned.add(block);
          }
        }
        expect(owned.size).toBe(blocks);
      }),
    );
  });
});
