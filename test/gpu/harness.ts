// Runs a graph on the GPU by the engine's own path (plan, record, prepare, submit, read back) and holds every result against
// the twins. Each graph runs twice over memory with other leftovers in it, and must give the same bits.

import { test } from "vitest";
import type { Gpu } from "../../src/gpu/device.ts";
import * as Usage from "../../src/gpu/usage.ts";
import { type Node, tensorAt } from "../../src/graph/graph.ts";
import type { Tactic, Work } from "../../src/op/op.ts";
import { size } from "../../src/op/tensor.ts";
import { sgd } from "../../src/optim/rule/sgd.ts";
import { layOut } from "../../src/plan/layout.ts";
import { plan } from "../../src/plan/plan.ts";
import { record } from "../../src/step/record.ts";
import { type Replay, submitSteps } from "../../src/step/replay.ts";
import { createStore } from "../../src/step/store.ts";
import { plainUpdate } from "../../src/step/update.ts";
import type { Told } from "../ops/told.ts";
import { type Comparison, complaint, distance } from "../reference/compare.ts";
import { drawn } from "../reference/draw.ts";
import { interpret } from "../reference/interpret.ts";
import { exact, single } from "../reference/twin.ts";
import { type BuiltCase, buildCase, type Case, caseName } from "./case.ts";
import { onDevice } from "./device.ts";

type Words = Uint32Array<ArrayBuffer>;

/** What stands in memory that nobody has written: NaN, then a large number. */
const LEFTOVERS = [0x7fc00001, 0x4e6e6b28] as const;

/** What is asked of a tactic, of its tile perhaps only how wide it is. */
type Wanted = Partial<Omit<Tactic, "tile">> & { readonly tile?: Tactic["tile"] | RegExp };

/** A way in which the engine would run a graph: on which device, and as if which tactic were chosen for its products. */
interface Form {
  readonly name: string;
  readonly software: boolean;
  readonly tactic?: Wanted;
  /** Whether the device has subgroups. Default false. */
  readonly quads?: boolean;
}

const inQuads = (staging: Tactic["staging"], ...tiles: readonly Tactic["tile"][]): readonly Form[] =>
  tiles.map((tile) => ({ name: `by ${staging} in ${tile}`, software: true, tactic: { tile, staging } }));

const forms: readonly Form[] = [
  { name: "as on a CPU", software: true },
  { name: "as on a GPU", software: false },
  { name: "in large tiles", software: true, tactic: { tile: "8x8", staging: "registers" } },
  ...inQuads("quads across", "8x8"),
  ...inQuads("quads down", "8x8"),
  ...(["strips", "quads by strips"] as const).map((staging) => ({
    name: `by ${staging}`,
    software: true,
    tactic: { staging },
  })),
];

/** For cases that say so: they are many texts, and each takes long to compile. A GPU has its own way to store a large tile. */
const others: readonly Form[] = [
  ...(["registers", "quads across"] as const).map((staging) => ({
    name: `as on a GPU by ${staging} in 8x8`,
    software: false,
    tactic: { tile: "8x8", staging } as const,
  })),
  ...inQuads("quads across", "16x8", "16x4", "24x4", "32x8", "32x4"),
  ...inQuads("quads down", "16x8", "8x12"),
  ...([64, 256] as const).map((threads) => ({
    name: `staged by ${threads} threads`,
    software: false,
    tactic: { staging: "workgroup", threads } as const,
  })),
  ...[4, 8, 16].flatMap((width) =>
    (["strips", "quads by strips"] as const).map((staging) => ({
      name: `by ${staging} for ${width} columns`,
      software: width < 16,
      tactic: { staging, tile: new RegExp(`x${width}$`) },
    })),
  ),
];

/**
 * Tests each case in all forms that make another program of it. Other tiles add in the same order and give the same bits, where as many
 * threads share a sum; an end may be compiled in other ways.
 */
export function testCases(cases: readonly Case[]): void {
  test.for(cases.map((one) => [caseName(one), one] as const))("%s", async ([, one], { task }) => {
    task.meta.told = { op: one.op };
    const built = buildCase(one);
    const judge = judgeOf(built);
    const seen = new Set<string>();
    /** What was found first, by who shares sums. */
    const firsts = new Map<string, ReadonlyMap<number, Words>>();
    const quads = await onDevice(1, async (gpu) => gpu.quads);
    for (const given of one.staged === true ? [...forms, ...others] : forms) {
      if (!quads && given.tactic?.staging?.startsWith("quads")) continue;
      const form = { ...given, quads: quads && given.tactic?.staging !== "strips" };
      const { recording } = recorded(built, form);
      const text = JSON.stringify(recording);
      if (seen.has(text)) continue;
      seen.add(text);
      const { found, told } = await judge(form);
      task.meta.told = worse(task.meta.told, told);
      const sharing = JSON.stringify(
        recording.commands.map(({ holes: { SHARES, SHARED, STRIP } }) => [SHARES, SHARED, STRIP !== undefined]),
      );
      const first = firsts.get(sharing);
      firsts.set(sharing, first ?? found);
      if ((one.epilogue ?? []).length > 0) continue;
      for (const [id, words] of first ?? []) {
        const at = firstDifference(words, found.get(id)!);
        if (at >= 0) throw new Error(`${tensorAt(built.graph, id).name}: number ${at} has other bits ${form.name}.`);
      }
    }
  });
}

const worse = (a: Told, b: Told): Told => ({
  ...a,
  ...b,
  texts: [...(a.texts ?? []), ...(b.texts ?? [])],
  error: Math.max(a.error ?? 0, b.error ?? 0),
  share: Math.max(a.share ?? 0, b.share ?? 0),
});

/** Parts of a sum, added up. */
function inOne({ name, shape, got, expected, sequential }: Comparison, splits: number): Comparison {
  const added = (parts: ArrayLike<number>): Float64Array => {
    const sum = new Float64Array(parts.length / splits);
    for (let i = 0; i < parts.length; i++) sum[i % sum.length]! += parts[i]!;
    return sum;
  };
  const all = { got: added(got), expected: added(expected), sequential: sequential && added(sequential) };
  return { name, shape: shape.slice(1), ...all };
}

/** Runs a graph and holds every result against the twins. */
export const check = async (built: BuiltCase, software: boolean): Promise<void> => {
  await judgeOf(built)({ name: software ? "as on a CPU" : "as on a GPU", software });
};

/** Gives what runs a graph in a form and holds every result against the twins: their words, and how far they are from the truth. */
function judgeOf(built: BuiltCase) {
  const { graph, given, results, step } = built;
  const expected = interpret(graph, given, step, exact);
  const sequential = interpret(graph, given, step, single);
  return async (form: Form): Promise<{ readonly found: ReadonlyMap<number, Words>; readonly told: Told }> => {
    const { found, adapter } = await onDevice(1, async (gpu, replay) => {
      return { found: await run(gpu, replay, built, form), adapter: gpu.adapter };
    });
    const byStrips = recorded(built, form).recording.commands.some(({ holes }) => holes.STRIP !== undefined);
    const comparisons = [...results].map((id): Comparison => {
      const { name, shape, dtype } = tensorAt(graph, id);
      const node = graph.nodes.findIndex(({ outputs }) => outputs.includes(id));
      const isZero = !expected.get(id)!.some((value) => value !== 0);
      if (node === 0 && dtype === "f32" && isZero)
        throw new Error(`${name}: all numbers must be 0, so that this case proves nothing.`);
      const comparison = {
        name: `${name}, node ${node}, ${form.name}`,
        shape,
        got: dtype === "u32" ? found.get(id)! : new Float32Array(found.get(id)!.buffer),
        expected: expected.get(id)!,
        sequential: dtype === "u32" ? undefined : sequential.get(id)!,
      };
      // Parts of a sum end where a strip does, which the twins know nothing of.
      const splits = Number(graph.nodes[node]?.attributes.splits ?? 1);
      return splits > 1 && byStrips ? inOne(comparison, splits) : comparison;
    });
    const wrong = comparisons.map(complaint).filter((text) => text !== undefined);
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    const distances = comparisons.map(distance);
    const told = {
      op: graph.nodes[0]!.op.name,
      adapter,
      texts: textsOf(built, form),
      error: Math.max(...distances.map(({ error }) => error)),
      share: Math.max(...distances.map(({ share }) => share)),
    };
    return { found, told };
  };
}

/** Nodes whose kernels choose what is of that tactic, where they have a choice. */
const chosenBy = (nodes: readonly Node[], wanted: Wanted): Node[] =>
  nodes.map((node) => {
    const { kernel } = node.op;
    const isWanted = (tactic: Tactic): boolean =>
      Object.entries(wanted).every(([key, value]) => {
        const own = tactic[key as keyof Tactic];
        return value instanceof RegExp ? value.test(String(own)) : own === value;
      });
    const choose = (work: Work) =>
      kernel?.candidates?.(work).find(({ tactic }) => isWanted(tactic))?.choice ?? kernel!.choose(work);
    return kernel?.candidates === undefined ? node : { ...node, op: { ...node.op, kernel: { ...kernel, choose } } };
  });

/** What a graph becomes: its weights' places, its plan, its commands. */
function recorded({ graph: { tensors, nodes }, results }: BuiltCase, { software, tactic, quads = false }: Form) {
  const graph = { tensors, nodes: tactic === undefined ? nodes : chosenBy(nodes, tactic) };
  const parameters = graph.tensors.filter(({ role }) => role === "parameter");
  const layout = layOut(parameters.map(({ name, shape }) => ({ name, shape, layer: "" })));
  const ids = parameters.map(({ id }) => id);
  const planned = plan(graph, layout, ids, results);
  return {
    layout,
    ids,
    planned,
    recording: record(graph, planned, { name: "test", device: { software, quads } }),
  };
}

/** The texts that were compiled, told apart by what fills their holes. */
const textsOf = (built: BuiltCase, form: Form): string[] => [
  ...new Set(recorded(built, form).recording.commands.map(({ kernel, holes }) => JSON.stringify([kernel, holes]))),
];

/** The words of every result. */
async function run(gpu: Gpu, replay: Replay, built: BuiltCase, form: Form): Promise<Map<number, Words>> {
  const { graph, given, bytes, results, step } = built;
  const { layout, ids, planned, recording } = recorded(built, form);

  const store = createStore(gpu, layout, plainUpdate(sgd().rule), () => 0, { paths: [drawn(0).path] });
  const { STORAGE, COPY_SRC, COPY_DST } = Usage;
  for (const [name, length] of planned.arenas) {
    store.lend(name, gpu.buffer(name, length, STORAGE | COPY_SRC | COPY_DST));
  }
  for (const { id, name, dtype, role } of graph.tensors) {
    const values = given.get(id);
    if (values === undefined || role !== "data") continue;
    const words = bytes.has(id) ? wordsOf(Uint8Array.from(values)) : stored(values, dtype);
    const buffer = gpu.buffer(name, Math.ceil(words.length / 4) * 16, STORAGE | COPY_DST);
    gpu.device.queue.writeBuffer(buffer, 0, words);
    store.lend(name, buffer);
  }

  const prepared = await replay.prepare(recording, store.buffers);
  const inputs = ids.map((id) => new Float32Array(given.get(id)!));
  // All is queued before any of it is waited for: in Firefox whatever is read back takes a tenth of a second.
  const runs: Promise<Map<number, Words>>[] = [];
  for (const leftover of LEFTOVERS) {
    for (const name of ["parameters", "gradients", ...planned.arenas.keys()]) {
      const buffer = store.buffers.get(name)!;
      gpu.device.queue.writeBuffer(buffer, 0, new Uint32Array(buffer.size / 4).fill(leftover));
    }
    for (const [i, values] of inputs.entries()) store.write("parameters", layout.tensors[i]!, values);
    const { metrics } = await submitSteps(replay, prepared, 1, () => step);
    const found = [...results].map(async (id): Promise<[number, Words]> => {
      const { arena, offset, bytes: length } = planned.sliceOf(id);
      const words = await wordsIn(gpu, store.buffers.get(arena)!, offset, length);
      return [id, words.slice(0, size(tensorAt(graph, id).shape))];
    });
    runs.push(Promise.all([Promise.all(found), metrics]).then(([entries]) => new Map(entries)));
  }
  const [first, second] = (await Promise.all(runs)) as [Map<number, Words>, Map<number, Words>];
  store.dispose();
  for (const [id, words] of first) {
    const at = firstDifference(words, second.get(id)!);
    if (at >= 0) throw new Error(`${tensorAt(graph, id).name}: number ${at} has other bits when it runs again.`);
  }
  return first;
}

/** Copied words, of which the first may be 2^32 - 1, as it stands where a row has none: the engine's own way takes that for a copy that was dropped. */
async function wordsIn(gpu: Gpu, source: GPUBuffer, offset: number, bytes: number): Promise<Words> {
  const target = gpu.buffer("words", bytes, Usage.MAP_READ | Usage.COPY_DST);
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, offset, target, 0, bytes);
  gpu.device.queue.submit([encoder.finish()]);
  const words = new Uint32Array(await gpu.mapped(target)).slice();
  target.destroy();
  return words;
}

function firstDifference(a: Words, b: Words): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i;
  return -1;
}

const stored = (values: Float64Array, dtype: "f32" | "u32"): Words =>
  dtype === "u32" ? new Uint32Array(values) : new Uint32Array(new Float32Array(values).buffer);

/** Bytes as words, the last one filled up with 255. */
function wordsOf(bytes: Uint8Array): Words {
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(255);
  whole.set(bytes);
  return new Uint32Array(whole.buffer);
}
