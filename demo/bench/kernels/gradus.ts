// A case on the GPU by the engine's own path: plan, record, prepare, submit.

import type { Gpu } from "../../../src/gpu/device.ts";
import * as Usage from "../../../src/gpu/usage.ts";
import { size } from "../../../src/op/tensor.ts";
import { sgd } from "../../../src/optim/rule/sgd.ts";
import { createReplay, MOST_STEPS, submitSteps } from "../../../src/step/replay.ts";
import { createStore, readBack } from "../../../src/step/store.ts";
import { plainUpdate } from "../../../src/step/update.ts";
import { type Work, worksOf } from "../roofline/work.ts";
import type { KernelCase } from "./cases.ts";
import { graphOf, recordingOf } from "./graph.ts";
import { type Runner, SAMPLE, valuesOf } from "./runner.ts";

/** Makes runners on a device. */
export function gradusKernels(gpu: Gpu): (one: KernelCase) => Promise<Runner & { readonly works: readonly Work[] }> {
  const replay = createReplay(gpu, { rows: 1 });
  return async (one) => {
    const built = graphOf(one);
    const { recording, layout, planned } = recordingOf(built, gpu);
    const store = createStore(gpu, layout, plainUpdate(sgd().rule), () => 0, { paths: [] });
    const { STORAGE, COPY_SRC, COPY_DST } = Usage;
    for (const [name, bytes] of planned.arenas)
      store.lend(name, gpu.buffer(name, bytes, STORAGE | COPY_SRC | COPY_DST));
    for (const { name, shape, role } of built.graph.tensors) {
      if (role !== "data") continue;
      const buffer = gpu.buffer(name, Math.ceil(size(shape) / 4) * 16, STORAGE | COPY_DST);
      gpu.device.queue.writeBuffer(buffer, 0, new Uint32Array(size(shape))); // class 0 for all
      store.lend(name, buffer);
    }
    for (const [i, placed] of layout.tensors.entries()) store.write("parameters", placed, valuesOf(i, placed.length));
    const prepared = await replay.prepare(recording, store.buffers);
    const [batch = 1] = one.shapes[0] as readonly number[];
    const values = { step: 1, start: 0, count: batch };
    return {
      works: worksOf(recording),
      async run(count) {
        for (let left = count; left > 0; left -= MOST_STEPS) {
          await submitSteps(replay, prepared, Math.min(left, MOST_STEPS), () => values);
        }
        await gpu.device.queue.onSubmittedWorkDone();
      },
      async sample() {
        await submitSteps(replay, prepared, 1, () => values);
        const [result] = built.results;
        const { arena, offset, bytes } = planned.sliceOf(result as number);
        const data = await readBack(gpu, store.buffers.get(arena) as GPUBuffer, offset, Math.min(bytes, 4 * SAMPLE));
        return new Float32Array(data);
      },
      dispose: () => store.dispose(),
    };
  };
}
