// One training step after another on the GPU, with a number set to something bad right behind one of its commands, and what the
// twins say of the same step with the same number set.

import * as Usage from "../../src/gpu/usage.ts";
import { fuse } from "../../src/graph/fuse.ts";
import { type Graph, type Node, tensorAt } from "../../src/graph/graph.ts";
import type { Controller } from "../../src/kernels/control.ts";
import { MOST_GRADIENT } from "../../src/op/check.ts";
import { size } from "../../src/op/tensor.ts";
import type { Optimizer } from "../../src/optim/optimizer.ts";
import { besideEachOther } from "../../src/plan/beside.ts";
import { lateSums } from "../../src/plan/late.ts";
import { plan } from "../../src/plan/plan.ts";
import type { Command } from "../../src/step/command.ts";
import { record } from "../../src/step/record.ts";
import { type Prepared, type StepValues, submitSteps } from "../../src/step/replay.ts";
import { createStore } from "../../src/step/store.ts";
import { plainUpdate, type UpdateSettings } from "../../src/step/update.ts";
import { interpret, type Poke, type Values } from "../reference/interpret.ts";
import { type ModelCase, tracedModel } from "../reference/traced-model.ts";
import { single } from "../reference/twin.ts";
import { onDevice } from "./device.ts";

export interface Setting extends Partial<Pick<UpdateSettings, "clip" | "clamp" | "accumulate" | "average">> {
  readonly controllers?: readonly Controller[];
  /** How many layers, from the first, the guard steers. Default all. */
  readonly guarded?: number;
}

/** Bits by arena and row, "moment1 3"; all that a step must not change where it is bad. */
type Arenas = ReadonlyMap<string, string>;

export interface Injection {
  readonly name: string;
  readonly twin: Verdict;
  /** What the disturbed step left, and after the mark was wiped off a sound one. */
  readonly found: {
    readonly arenas: Arenas;
    /** Those of them that hold numbers that are not finite. */
    readonly odd: readonly string[];
    readonly next: Arenas;
    readonly badStep: number;
    readonly badRow: number;
  };
  /** What stood there before, what the same step leaves undisturbed, and a sound one after none. */
  readonly before: Arenas;
  readonly sound: Arenas;
  readonly after: Arenas;
}

interface Verdict {
  readonly halts: boolean;
  readonly badRow: number;
  /** Rows whose layers rest. */
  readonly rests: readonly number[];
  /** Rows whose gradients are as they were. */
  readonly same: readonly number[];
  /** Whether the loss and all gradients are. */
  readonly isSame: boolean;
}

const VALUES = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e38];

const POKE = `
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<storage, read> what: array<u32>;
@compute @workgroup_size(1)
fn main() { data[what[0]] = what[1]; }
`;

/** The nodes that compute, with the command that each is part of: what is beside another, and late sums in a row, are one. */
function placesOf(graph: Graph): { readonly node: Node; readonly command: number }[] {
  const places: { readonly node: Node; readonly command: number }[] = [];
  let command = -1;
  let wasLate = false;
  for (const node of graph.nodes) {
    const isLate = lateSums(graph, node) !== undefined;
    if (!isLate && node.op.kernel === undefined) continue;
    if (node.beside !== true && (!isLate || !wasLate)) command++;
    wasLate = isLate;
    places.push({ node, command });
  }
  return places;
}

/** Runs every injection into a model's step and hands each to `look`. */
export async function openInjection(
  model: ModelCase,
  optimizer: Optimizer,
  { guarded = Number.POSITIVE_INFINITY, ...setting }: Setting,
  look: (one: Injection) => void,
): Promise<void> {
  const traced = tracedModel(model);
  const { layout, parameterIds, gradients } = traced;
  const names = [...new Set(layout.tensors.map(({ name }) => name.slice(0, name.lastIndexOf("."))))];
  const layerOf = layout.tensors.map(({ name }) => names.indexOf(name.slice(0, name.lastIndexOf("."))));
  const settings: UpdateSettings = { ...plainUpdate(optimizer.rule), layers: names.length, ...setting };
  const guards = settings.controllers.some(({ name }) => name === "guard");
  const isGuarded = (row: number): boolean => guards && layerOf[row]! < guarded;
  const controlled = settings.controllers.length > 0 || settings.clip !== undefined;
  const rows = layout.tensors.length;

  const joined = besideEachOther(fuse(traced.graph, new Set()), new Set());
  // What another goes on with in its dispatch cannot be disturbed between both.
  const nodes = joined.nodes.map(({ after = false, ...node }) => (after ? { ...node, beside: false } : node));
  const graph = { tensors: joined.tensors, nodes };
  const planned = plan(graph, layout, parameterIds, new Set());
  const device = { software: true };
  const update = {
    ...settings,
    ...device,
    blocks: layout.blocks,
    rows,
    sampled: false,
    mostBlocks: Number.POSITIVE_INFINITY,
  };
  const recording = record(graph, planned, { name: "train", device, halts: true, checked: !guards, update });

  // A short batch: the last row is masked.
  const count = model.batch - 1;
  const at = (step: number, part: number): StepValues => {
    const last = part === settings.accumulate - 1;
    const micro = { weight: 1 / settings.accumulate, first: part === 0, last };
    return { step, start: part * model.batch, count, ...(settings.accumulate > 1 && { micro }) };
  };

  await onDevice(
    rows,
    async (gpu, replay) => {
      const store = createStore(gpu, layout, settings);
      const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = Usage;
      const { queue } = gpu.device;
      store.grow(planned.arenas);
      const what = gpu.buffer("what", 16, STORAGE | COPY_DST);
      store.lend("what", what);
      for (const [id, numbers] of traced.given) {
        const { name, role } = tensorAt(graph, id);
        if (role !== "data") continue;
        const isWhole = name === "data.order" || (name === "data.y" && model.loss.integerTarget);
        const words = isWhole ? new Uint32Array(numbers) : new Uint32Array(new Float32Array(numbers).buffer);
        const buffer = gpu.buffer(name, Math.ceil(words.length / 4) * 16, STORAGE | COPY_DST);
        queue.writeBuffer(buffer, 0, words);
        store.lend(name, buffer);
      }
      for (const [i, id] of parameterIds.entries()) {
        store.write("parameters", layout.tensors[i]!, new Float32Array(traced.given.get(id)!));
      }
      if (controlled) {
        let first = names.length * 3;
        const heads = names.flatMap((_, layer) => {
          const own = layerOf.filter((of) => of === layer).length;
          const bits = settings.controllers
            .filter(({ name }) => name !== "guard" || layer < guarded)
            .reduce((all, { part }) => all | part.bit, 0);
          first += own;
          return [first - own, own, bits];
        });
        const order = names.flatMap((_, layer) => layerOf.flatMap((of, row) => (of === layer ? [row] : [])));
        store.set("layers", Uint32Array.from([...heads, ...order]));
      }
      if (settings.average) store.set("shares", new Float32Array(rows).fill(0.25));

      // All that a bad step must leave alone, in one buffer to read back, and in another to start from again.
      const kept = [...store.saved, "state", "scales", "moved"].filter((name) => store.buffers.has(name));
      const sizes = kept.map((name) => store.buffers.get(name)!.size);
      const bytes = sizes.reduce((sum, length) => sum + length, 0);
      const backup = gpu.buffer("backup", bytes, COPY_SRC | COPY_DST);
      const target = gpu.buffer("target", bytes, MAP_READ | COPY_DST);
      const copy = (to: GPUBuffer, back = false): void => {
        const encoder = gpu.device.createCommandEncoder();
        let offset = 0;
        for (const [i, name] of kept.entries()) {
          const own = store.buffers.get(name)!;
          if (back) encoder.copyBufferToBuffer(to, offset, own, 0, sizes[i]!);
          else encoder.copyBufferToBuffer(own, 0, to, offset, sizes[i]!);
          offset += sizes[i]!;
        }
        queue.submit([encoder.finish()]);
      };
      const read = async (): Promise<{ arenas: Arenas; odd: string[]; parameters: Float64Array[] }> => {
        copy(target);
        await target.mapAsync(Usage.READ);
        const all = new Float32Array(target.getMappedRange().slice(0));
        target.unmap();
        const arenas = new Map<string, string>();
        const odd: string[] = [];
        const keep = (key: string, numbers: Float32Array): void => {
          arenas.set(key, String(new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length)));
          if (!numbers.every(Number.isFinite)) odd.push(key);
        };
        const parameters: Float64Array[] = [];
        let offset = 0;
        for (const [i, name] of kept.entries()) {
          const own = all.subarray(offset, offset + sizes[i]! / 4);
          offset += own.length;
          if (store.saved.includes(name)) {
            for (const [row, { offset: from, length }] of layout.tensors.entries()) {
              const numbers = own.subarray(from, from + length);
              if (name === "parameters") parameters.push(Float64Array.from(numbers));
              keep(`${name} ${row}`, numbers);
            }
          } else keep(name, own);
        }
        return { arenas, odd, parameters };
      };

      const fill = (step: number, part: number) => (_: number, table: Float32Array) => {
        for (let row = 0; row < rows; row++)
          optimizer.writeRow(table, row * 4, optimizer.lr, optimizer.weightDecay, step);
        return at(step, part);
      };
      const buffers = new Map(store.buffers).set("metrics", replay.metrics);
      const sound = await replay.prepare(recording, buffers);
      /** One update; its first micro-batch may be another program. */
      const run = async (step: number, first: Prepared = sound) => {
        let found = await (await submitSteps(replay, first, 1, fill(step, 0))).metrics;
        for (let part = 1; part < settings.accumulate; part++)
          found = await (await submitSteps(replay, sound, 1, fill(step, part))).metrics;
        return found;
      };
      const restore = (): void => {
        copy(backup, true);
        replay.clearStatus();
        replay.setAlarms(new Uint32Array(Math.ceil(names.length / 4) * 4));
      };

      await run(1);
      copy(backup);
      const { arenas: before, parameters } = await read();
      await run(2);
      const { arenas: soundAfter } = await read();
      restore();
      await run(3);
      const { arenas: after } = await read();

      const given = new Map([...traced.given, ...parameterIds.map((id, i) => [id, parameters[i]!] as const)]);
      const clean = interpret(graph, given, at(2, 0), single);
      const judge = (values: Values): Verdict => {
        const metrics = graph.tensors.find(({ role }) => role === "metrics")!.id;
        const equal = (id: number): boolean => values.get(id)!.every((value, i) => Object.is(value, clean.get(id)![i]));
        const isBad = (id: number): boolean => values.get(id)!.some((value) => !(Math.abs(value) <= MOST_GRADIENT));
        const of = parameterIds.map((id) => gradients.get(id)!);
        const badLoss = !Number.isFinite(values.get(metrics)![1]);
        const bad = of.flatMap((id, row) => (isBad(id) ? [row] : []));
        const halting = bad.filter((row) => !isGuarded(row));
        const resting = new Set(bad.map((row) => layerOf[row]));
        return {
          halts: badLoss || halting.length > 0,
          badRow: badLoss ? 0 : 1 + (halting.at(-1) ?? -1),
          rests: layerOf.flatMap((layer, row) => (resting.has(layer) ? [row] : [])),
          same: of.flatMap((id, row) =>
            equal(id) && !resting.has(layerOf[row]) && settings.accumulate === 1 ? [row] : [],
          ),
          isSame: equal(metrics) && of.every(equal),
        };
      };

      for (const { node, command } of placesOf(graph)) {
        for (const id of node.outputs) {
          const tensor = tensorAt(graph, id);
          // A gradient is asked as it is stored; where norms are taken, it is asked once more.
          if (tensor.dtype !== "f32" || tensor.role === "metrics" || (tensor.role === "gradient" && !controlled))
            continue;
          const { commands } = recording;
          const poke: Command = {
            kernel: "poke",
            source: POKE,
            holes: {},
            constants: {},
            bindings: [
              { number: 0, name: "data", access: "readWrite", ...planned.sliceOf(id) },
              { number: 1, name: "what", access: "read", arena: "what", offset: 0, bytes: 0 },
            ],
            step: false,
            grid: [1, 1, 1],
            when: 0,
            note: "",
            layer: "",
          };
          const disturbed = {
            ...recording,
            commands: [...commands.slice(0, command + 1), poke, ...commands.slice(command + 1)],
          };
          const prepared = await replay.prepare(disturbed, buffers);
          const length = size(tensor.shape);
          // In the first rows, and in the one that is masked.
          for (const place of new Set([Math.floor(length / 3), length - 1])) {
            for (const value of VALUES) {
              const given32 = Math.fround(value);
              const set: Poke = { tensor: id, at: place, value: given32 };
              restore();
              queue.writeBuffer(what, 0, Uint32Array.of(place, new Uint32Array(Float32Array.of(given32).buffer)[0]!));
              const { badStep, badRow } = await run(2, prepared);
              const { arenas, odd } = await read();
              const twin = judge(interpret(graph, given, at(2, 0), single, set));
              let next = after;
              if (twin.halts) {
                replay.clearStatus();
                await run(3);
                next = (await read()).arenas;
              }
              const name = `${value} at ${place} of ${tensor.name} behind ${node.op.name} (command ${command})`;
              look({ name, twin, found: { arenas, odd, next, badStep, badRow }, before, sound: soundAfter, after });
            }
          }
        }
      }
      for (const buffer of [backup, target]) buffer.destroy();
      store.dispose();
    },
    names.length,
  );
}
