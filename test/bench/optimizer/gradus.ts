// The update of Gradus alone, as the trainer runs it: one dispatch for all tensors or, for comparison, the same kernel
// once for each group of tensors with one rate. The only file of the benchmark that reaches into the engine.

import { adam } from "../../../demo/bench/engine.ts";
import type { Gpu } from "../../../src/gpu/device.ts";
import { adam as adamRule } from "../../../src/optim/rule/adam.ts";
import { blockWords, type Layout, layOut } from "../../../src/plan/layout.ts";
import { recordUpdate } from "../../../src/step/record.ts";
import { createReplay, MOST_STEPS, type Prepared, type Replay, submitSteps } from "../../../src/step/replay.ts";
import { createStore, type Store } from "../../../src/step/store.ts";
import { plainUpdate } from "../../../src/step/update.ts";
import { type Cell, type Contestant, distinctRates, groupOf, lengthsOf, rateOf } from "./cell.ts";

const { lr, beta1, beta2, epsilon } = adam;
const optimizer = adamRule({ lr, betas: [beta1, beta2], eps: epsilon });

export type Enter = (cell: Cell, gradient: Float32Array<ArrayBuffer>, perGroup: boolean) => Promise<Contestant>;

/** Makes contestants. Cells that differ in nothing but the numbers of their rates share buffers and pipelines. */
export function gradusOn(gpu: Gpu): Enter {
  const known = new Map<string, Promise<Ready>>();
  return async (cell, gradient, perGroup) => {
    const groups = perGroup ? distinctRates(cell) : 1;
    const key = `${cell.parameters} ${cell.tensors} ${groups}`;
    const ready = known.get(key) ?? make(gpu, cell, gradient, groups);
    known.set(key, ready);
    return contestant(gpu, cell, await ready);
  };
}

interface Ready {
  readonly replay: Replay;
  readonly stores: readonly Store[];
  readonly prepared: Prepared;
}

async function make(gpu: Gpu, cell: Cell, gradient: Float32Array<ArrayBuffer>, groups: number): Promise<Ready> {
  const replay = createReplay(gpu, { rows: cell.tensors });
  const stores: Store[] = [];
  const parts: Prepared[] = [];
  const whole = layoutOf(
    cell,
    lengthsOf(cell).map((_, tensor) => tensor),
  );
  for (let group = 0; group < groups; group++) {
    const members = [...whole.tensors.keys()].filter((tensor) => groups === 1 || groupOf(cell, tensor) === group);
    const layout = layoutOf(cell, members);
    const update = plainUpdate(optimizer.rule);
    const store = createStore(gpu, layout, update);
    // Rows are those of the whole cell, which all groups share a table with.
    const words = blockWords(layout, () => 0).map((word) => ((members[word >>> 12] as number) << 12) | (word & 0xfff));
    store.set("blocks", words);
    for (const placed of layout.tensors) {
      const { offset, length } = whole.tensors[Number(placed.name)] as (typeof whole.tensors)[number];
      store.write("gradients", placed, gradient.slice(offset, offset + length));
    }
    const recording = recordUpdate(update, { ...layout, tensors: whole.tensors }, { software: gpu.software });
    parts.push(await replay.prepare(recording, new Map(store.buffers).set("metrics", replay.metrics)));
    stores.push(store);
  }
  const [{ recording }] = parts as [Prepared];
  return {
    replay,
    stores,
    prepared: { recording, statistics: undefined, commands: parts.flatMap(({ commands }) => commands) },
  };
}

/** Some tensors of a cell in arenas of their own. Names and rows count the tensors of the whole cell. */
function layoutOf(cell: Cell, members: readonly number[]): Layout {
  const lengths = lengthsOf(cell);
  const tensors = members.map((tensor) => ({ name: `${tensor}`, shape: [lengths[tensor] as number], layer: "" }));
  return layOut(tensors);
}

function contestant({ device }: Gpu, cell: Cell, { replay, stores, prepared }: Ready): Contestant {
  const encoder = device.createCommandEncoder();
  for (const store of stores) {
    for (const arena of store.saved) encoder.clearBuffer(store.buffers.get(arena) as GPUBuffer);
  }
  device.queue.submit([encoder.finish()]);
  let step = 0;
  const fill = (_: number, table: Float32Array) => {
    step++;
    for (let row = 0; row < cell.tensors; row++) optimizer.writeRow(table, row * 4, rateOf(cell, row), 0, step);
    return { step, start: 0, count: 1 };
  };
  return {
    async run(steps) {
      for (let left = steps; left > 0; left -= MOST_STEPS) {
        await submitSteps(replay, prepared, Math.min(left, MOST_STEPS), fill);
      }
      await device.queue.onSubmittedWorkDone();
    },
    async firsts() {
      const all = await Promise.all(stores.map((store) => store.read("parameters")));
      const named = new Map(all.flatMap((tensors) => [...tensors]));
      return Array.from({ length: cell.tensors }, (_, tensor) => named.get(`${tensor}`)?.data[0] ?? Number.NaN);
    },
  };
}
