// Runs a graph on the GPU by the engine's own path (plan, record, prepare, submit, read back) and holds every result against
// the twins. Each graph runs twice over memory with other leftovers in it, and must give the same bits.

import { test } from "vitest";
import type { Gpu } from "../../src/gpu/device.ts";
import { BufferUsage } from "../../src/gpu/usage.ts";
import { tensorAt } from "../../src/graph/graph.ts";
import { size } from "../../src/op/tensor.ts";
import { sgd } from "../../src/optim/rule/sgd.ts";
import { layOut } from "../../src/plan/layout.ts";
import { plan } from "../../src/plan/plan.ts";
import { record } from "../../src/step/record.ts";
import type { Replay } from "../../src/step/replay.ts";
import { createStore, readBack } from "../../src/step/store.ts";
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

/**
 * Tests each case as on a CPU and, where a GPU would run another program, as on a GPU. That has other tiles, which add in the same
 * order and give the same bits; an end may be compiled in other ways.
 */
export function testCases(cases: readonly Case[]): void {
  test.for(cases.map((one) => [caseName(one), one] as const))("%s", async ([, one], { task }) => {
    task.meta.told = { op: one.op };
    const built = buildCase(one);
    const [onCpu, onGpu] = [true, false].map((software) => JSON.stringify(recorded(built, software).recording));
    const { found, ...told } = await check(built, true);
    task.meta.told = { op: one.op, adapter: await onDevice(1, async ({ adapter }) => adapter), ...told };
    if (onGpu === onCpu) return;
    const { found: others, ...more } = await check(built, false);
    Object.assign(task.meta.told, worse(told, more));
    if ((one.epilogue ?? []).length > 0) return;
    for (const [id, words] of found) {
      const at = firstDifference(words, others.get(id)!);
      if (at >= 0) throw new Error(`${tensorAt(built.graph, id).name}: number ${at} has other bits with other tiles.`);
    }
  });
}

interface Checked extends Required<Pick<Told, "texts" | "error" | "share">> {
  /** The words of every result. */
  readonly found: ReadonlyMap<number, Words>;
}

const worse = (a: Omit<Checked, "found">, b: Omit<Checked, "found">): Omit<Checked, "found"> => ({
  texts: [...a.texts, ...b.texts],
  error: Math.max(a.error, b.error),
  share: Math.max(a.share, b.share),
});

/** Runs a graph and holds every result against the twins; gives their words, and how far they are from the truth. */
export async function check(built: BuiltCase, software: boolean): Promise<Checked> {
  const { graph, given, results, step } = built;
  const found = await onDevice(1, (gpu, replay) => run(gpu, replay, built, software));
  const expected = interpret(graph, given, step, exact);
  const sequential = interpret(graph, given, step, single);
  const comparisons = [...results].map((id): Comparison => {
    const { name, shape, dtype } = tensorAt(graph, id);
    const node = graph.nodes.findIndex(({ outputs }) => outputs.includes(id));
    const isZero = !expected.get(id)!.some((value) => value !== 0);
    if (node === 0 && dtype === "f32" && isZero)
      throw new Error(`${name}: all numbers must be 0, so that this case proves nothing.`);
    return {
      name: `${name}, node ${node}${software ? "" : ", as on a GPU"}`,
      shape,
      got: dtype === "u32" ? found.get(id)! : new Float32Array(found.get(id)!.buffer),
      expected: expected.get(id)!,
      sequential: dtype === "u32" ? undefined : sequential.get(id)!,
    };
  });
  const wrong = comparisons.map(complaint).filter((text) => text !== undefined);
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  const distances = comparisons.map(distance);
  return {
    found,
    texts: textsOf(built, software),
    error: Math.max(...distances.map(({ error }) => error)),
    share: Math.max(...distances.map(({ share }) => share)),
  };
}

/** What a graph becomes: its weights' places, its plan, its commands. */
function recorded({ graph, results }: BuiltCase, software: boolean) {
  const parameters = graph.tensors.filter(({ role }) => role === "parameter");
  const layout = layOut(parameters.map(({ name, shape }) => ({ name, shape, layer: "" })));
  const ids = parameters.map(({ id }) => id);
  const planned = plan(graph, layout, ids, results);
  return { layout, ids, planned, recording: record(graph, planned, { name: "test", device: { software } }) };
}

/** The texts that were compiled, told apart by what fills their holes. */
const textsOf = (built: BuiltCase, software: boolean): string[] => [
  ...new Set(recorded(built, software).recording.commands.map(({ kernel, holes }) => JSON.stringify([kernel, holes]))),
];

/** The words of every result. */
async function run(gpu: Gpu, replay: Replay, built: BuiltCase, software: boolean): Promise<Map<number, Words>> {
  const { graph, given, bytes, results, step } = built;
  const { layout, ids, planned, recording } = recorded(built, software);

  const store = createStore(gpu, layout, plainUpdate(sgd().rule), () => 0, { paths: [drawn(0).path] });
  const { STORAGE, COPY_SRC, COPY_DST } = BufferUsage;
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
    const { metrics } = await replay.submit(prepared, 1, () => step);
    const found = [...results].map(async (id): Promise<[number, Words]> => {
      const { arena, offset, bytes: length } = planned.sliceOf(id);
      const words = new Uint32Array(await readBack(gpu, store.buffers.get(arena)!, offset, length));
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
