// Random numbers, made anew in each batch.

import source from "../../shaders/draw.wgsl?raw";
import philox from "../../shaders/parts/philox.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { inLines, threads } from "./kernel.ts";
import { defineOp, type Kernel } from "./op.ts";
import { dims, size } from "./tensor.ts";

const kernel: Kernel<"y"> = {
  name: "draw",
  source: inLines(philox, source),
  choose({ tensors: { y }, attributes }) {
    const quads = Math.ceil(size(y.shape) / 4);
    return {
      holes: { STEP: step, KIND: attributes.kind === "normal" ? "normals" : "uniforms" },
      constants: { QUADS: quads },
      grid: threads(quads),
      note: `${dims(y)} ${attributes.kind}`,
    };
  },
};

/** Numbers of a `shape`: "uniform" in [0, 1) or "normal"; `index` is the place of the node's path among those of the graph. */
export const draw = defineOp({
  name: "draw",
  inputs: [],
  outputs: ["y"],
  shape: (_, { shape }: { readonly shape: readonly number[]; readonly kind: string; readonly index: number }) => ({
    y: { shape },
  }),
  kernel,
  moves: () => true,
});
