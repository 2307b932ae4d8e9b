// The buffers that outlive a step: weights, gradients and moments at equal offsets, the base and the states in arenas of their own, the
// words that tie blocks to rows, what the controllers know, and the activation arenas that all recordings of a trainer share.

import { bug, LimitError } from "../errors.ts";
import { apart, type Gpu, type Parts } from "../gpu/device.ts";
import * as Usage from "../gpu/usage.ts";
import { fromHalf, toHalf } from "../half.ts";
import { startState } from "../kernels/control.ts";
import { moments } from "../kernels/update.ts";
import { ROW_STRIDE } from "../op/check.ts";
import { bytesOf } from "../op/tensor.ts";
import { arenaBytes, BLOCK, blockWords, type Layout, layOut, type Placed, spansOf } from "../plan/layout.ts";
import { isControlled, isMeasured, type RawArena, type UpdateSettings } from "./update.ts";

/** A tensor that was read back: its shape, and its numbers row-major. */
export interface HostTensor {
  /** Lengths of its axes, outermost first. */
  readonly shape: readonly number[];
  /** As many numbers as the product of the shape; a copy of its own. */
  readonly data: Float32Array<ArrayBuffer>;
}

export type Store = ReturnType<typeof createStore>;

/** `ruleOf` is the number of the rule that a tensor's row has; `beside` is what needs room too before any of it is made. */
export function createStore(
  gpu: Gpu,
  layout: Layout,
  update: UpdateSettings,
  ruleOf: (row: number) => number = () => 0,
  {
    base = layOut([]),
    states = layOut([]),
    paths = [] as readonly (readonly [number, number])[],
    beside = [] as Parts,
  } = {},
) {
  checkSizes(gpu, layout, "weights");
  checkSizes(gpu, base, "base");
  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST } = Usage;
  const { rules, layers } = update;
  const rows = layout.tensors.length;
  const kept = moments.filter((moment) => rules.some((rule) => rule.moments.includes(moment)));
  /** Arenas of what has no row of the layer table; nobody makes an empty one. */
  const residences = Object.entries({ base, states }).filter(([, { blocks }]) => blocks > 0);
  const saved = ["parameters", ...kept, ...(update.average ? ["average"] : []), ...residences.map(([name]) => name)];
  const layoutOf = (role: string): Layout => residences.find(([name]) => name === role)?.[1] ?? layout;
  const raw = [
    ...(update.controllers.length > 0 ? [{ name: "state", length: layers * 16 }] : []),
    ...(isMeasured(update) ? [{ name: "moved", length: layout.blocks }] : []),
    ...(update.kept ?? []),
  ];
  const buffers = new Map<string, GPUBuffer>();
  type Words = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
  /** Buffers that are to be made, with what is to stand in them. */
  const wanted = new Map<string, readonly [bytes: number, words?: Words]>();
  const make = (name: string, bytes: number): unknown => wanted.set(name, [bytes]);
  const fill = (name: string, words: Words): unknown => wanted.set(name, [words.byteLength, words]);
  const makeAll = (beside: Parts): void => {
    gpu.demandRoom([...[...wanted].map(([name, [bytes]]) => [name, bytes] as const), ...beside]);
    for (const [name, [bytes, words]] of wanted) {
      const usage =
        STORAGE |
        COPY_SRC |
        COPY_DST |
        (["effective", "rowNumbers", "paths", "lossScale"].includes(name) ? UNIFORM : 0);
      const buffer = gpu.buffer(name, bytes, usage, true);
      buffers.set(name, buffer);
      if (words?.length) gpu.device.queue.writeBuffer(buffer, 0, words); // Deno dies of an empty one
    }
    wanted.clear();
  };
  const trained = rules.length > 0 ? ["gradients"] : [];
  for (const name of [...saved, ...trained, ...(update.accumulate > 1 ? ["accumulated"] : [])])
    make(name, arenaBytes(layoutOf(name)));
  if (states.blocks > 0 && rules.length > 0) {
    for (const name of ["next", ...(update.accumulate > 1 ? ["before"] : [])]) make(name, arenaBytes(states));
  }
  const strided = (rows: readonly (readonly number[])[]): Uint32Array<ArrayBuffer> => {
    const words = new Uint32Array((rows.length * ROW_STRIDE) / 4);
    for (const [i, row] of rows.entries()) words.set(row, (i * ROW_STRIDE) / 4);
    return words;
  };
  if (paths.length > 0) fill("paths", strided(paths));
  fill("blocks", blockWords(layout, ruleOf));
  fill("spans", spansOf(layout, ruleOf));
  // What a kernel that stores a gradient binds, to say whose it is.
  if (rules.length > 0) fill("rowNumbers", strided(Array.from({ length: rows + 1 }, (_, i) => [i])));
  for (const { name, length } of update.kept ?? []) make(name, length * bytesOf("f32"));
  if (update.average) make("shares", rows * 4);
  if (isMeasured(update)) make("moved", layout.blocks * 4);
  if (isControlled(update)) {
    make("partials", layout.blocks * 20);
    make("norms", rows * 32);
    make("effective", rows * 16);
    make("layers", (layers * 3 + rows) * 4);
    fill("scales", new Float32Array(rows * 2).fill(1));
    fill(
      "state",
      Float32Array.from({ length: layers * 16 }, (_, i) => startState[i % 16] as number),
    );
  }
  makeAll(beside);
  for (const [row, { offset, length }] of layout.tensors.entries()) {
    const { initial = 0 } = rules[ruleOf(row)] ?? {};
    if (initial === 0) continue;
    const words = new Float32Array(Math.ceil(length / BLOCK) * BLOCK).fill(initial);
    gpu.device.queue.writeBuffer(buffers.get("moment1") as GPUBuffer, offset * bytesOf(layout.dtype), words);
  }
  const arena = (name: string): GPUBuffer => buffers.get(name) ?? bug(`there is no arena "${name}"`);

  return {
    buffers: buffers as ReadonlyMap<string, GPUBuffer>,
    /** The buffer of an arena that is there. */
    arena,
    /** Arenas that a checkpoint holds, tensor by tensor. */
    saved: saved as readonly string[],
    /** The tensors of such an arena. */
    tensorsOf: (role: string): readonly Placed[] => layoutOf(role).tensors,
    /** The arena of a weight or state. */
    homeOf: (placed: Placed): string =>
      residences.find(([, { tensors }]) => tensors.includes(placed))?.[0] ?? "parameters",

    /** Makes what statistics need, once. */
    prepareStatistics(slots: number): void {
      const { blocks } = layout;
      const all = { partials: blocks * 20, moved: blocks * 4, statistics: slots * rows * 32 };
      const noise = update.noise && { noise: blocks * 16 };
      for (const [name, bytes] of Object.entries({ ...all, ...noise })) if (!buffers.has(name)) make(name, bytes);
      makeAll([]);
    },

    /** Sets a whole small arena: "layers", "shares", "state", "moved". */
    set(name: string, words: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): void {
      gpu.device.queue.writeBuffer(arena(name), 0, words);
    },

    /** What a checkpoint holds beside the tensors: arenas by name, with their numbers. */
    raw: raw as readonly RawArena[],
    async readRaw(): Promise<Map<string, Float32Array<ArrayBuffer>>> {
      const read = raw.map(async ({ name, length }) => {
        return [name, new Float32Array(await readBack(gpu, arena(name), 0, length * bytesOf("f32")))] as const;
      });
      return new Map(await Promise.all(read));
    },

    write(role: string, { offset, length, name }: Placed, data: Float32Array<ArrayBuffer>): void {
      if (data.length !== length) bug(`"${name}" has ${length} numbers, ${data.length} were given`);
      const { dtype } = layoutOf(role);
      // Of f16 a whole number of words; behind a tensor there is room.
      const words =
        dtype === "f16"
          ? Uint16Array.from({ length: 2 * Math.ceil(length / 2) }, (_, i) => toHalf(data[i] ?? 0))
          : data;
      gpu.device.queue.writeBuffer(arena(role), offset * bytesOf(dtype), words);
    },

    /** All tensors of an arena, as of the work submitted so far. */
    async read(role: string): Promise<Map<string, HostTensor>> {
      const own = layoutOf(role);
      const bytes = await readBack(gpu, arena(role), 0, arenaBytes(own));
      const words = own.dtype === "f16" ? Float32Array.from(new Uint16Array(bytes), fromHalf) : new Float32Array(bytes);
      return new Map(
        own.tensors.map(({ name, shape, offset, length }) => [
          name,
          { shape, data: words.slice(offset, offset + length) },
        ]),
      );
    },

    /** Weights and states by name. */
    async readWeights(): Promise<Map<string, HostTensor>> {
      const arenas = ["parameters", ...residences.map(([name]) => name)];
      const read = await Promise.all(arenas.map((name) => this.read(name)));
      return new Map(read.flatMap((tensors) => [...tensors]));
    },

    /** Makes sure of activation arenas of these sizes; true where one had to be made anew. */
    grow(arenas: ReadonlyMap<string, number>): boolean {
      const larger = [...arenas].filter(([name, size]) => (buffers.get(name)?.size ?? 0) < size);
      gpu.demandRoom(
        larger,
        larger.map(([name]) => buffers.get(name)),
      );
      for (const [name, size] of larger) {
        buffers.get(name)?.destroy();
        buffers.set(name, gpu.buffer(name, size, STORAGE | COPY_SRC | COPY_DST));
      }
      return larger.length > 0;
    },

    /** For a buffer that another room owns and recordings bind by name. */
    lend(name: string, buffer: GPUBuffer): void {
      buffers.set(name, buffer);
    },

    dispose(): void {
      for (const buffer of buffers.values()) buffer.destroy();
    },
  };
}

/** A tensor must fit a binding and the arena of all of them a buffer; both are refused before anything is allocated. */
function checkSizes({ device: { limits } }: Gpu, layout: Layout, name: string): void {
  const [largest] = layout.tensors.toSorted((a, b) => b.length - a.length);
  if (largest === undefined) return;
  const refuse = (
    what: string,
    place: string,
    bytes: number,
    limit: keyof GPUSupportedLimits & `max${string}`,
  ): void => {
    const most = limits[limit] as number;
    if (bytes <= most) return;
    const [needs, allows] = apart(bytes, most);
    throw new LimitError(
      `model: ${what} needs one ${place} of ${needs}, this device allows ${allows}. Use a smaller model, or a device with a larger ${limit}.`,
    );
  };
  refuse(`"${largest.name}"`, "binding", largest.length * bytesOf(layout.dtype), "maxStorageBufferBindingSize");
  refuse(`the arena of its ${name}`, "buffer", arenaBytes(layout), "maxBufferSize");
}

/** Bytes of a buffer, as of the work submitted so far. */
export async function readBack(gpu: Gpu, source: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
  const { MAP_READ, COPY_DST } = Usage;
  const target = gpu.buffer("read back", bytes, MAP_READ | COPY_DST);
  // No number of ours: what is still there was not copied over.
  gpu.device.queue.writeBuffer(target, 0, Int32Array.of(-1));
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, offset, target, 0, bytes);
  gpu.device.queue.submit([encoder.finish()]);
  const copy = (await gpu.mapped(target)).slice(0, bytes);
  target.destroy();
  if (new Int32Array(copy)[0] === -1) throw gpu.dropped("a reading");
  return copy;
}
