// jax-js: one `jit` around the Adam update of all tensors. It has no optimizer of its own, so the formula is that of the
// training benchmark, in its public operations.

import { blockUntilReady, defaultDevice, init, jit, numpy as np } from "@jax-js/jax";
import { type State, updated } from "../jax.ts";
import type { CreateContestant } from "./cell.ts";

export const create: CreateContestant = async (slices) => {
  if (!(await init("webgpu")).includes("webgpu")) throw new Error("jax-js: its WebGPU device did not start");
  defaultDevice("webgpu");
  const gradients = slices.map((slice) => np.array(slice));
  let state: State = {
    slots: slices.map(({ length }) => ({
      weight: np.zeros([length]),
      moment1: np.zeros([length]),
      moment2: np.zeros([length]),
    })),
    count: np.array(0),
  };
  await blockUntilReady([gradients, state]);
  const step = jit(({ slots, count }: State, given: np.Array[]): State => {
    const next = count.add(1);
    return { slots: slots.map((slot, i) => updated(slot, given[i] as np.Array, next.ref)), count: next };
  });
  return {
    async run(steps) {
      for (let i = 0; i < steps; i++) {
        state = step(
          state,
          gradients.map((gradient) => gradient.ref),
        );
      }
      await blockUntilReady(state);
    },
    firsts: () => Promise.all(state.slots.map(async ({ weight }) => (await weight.ref.data())[0] as number)),
  };
};
