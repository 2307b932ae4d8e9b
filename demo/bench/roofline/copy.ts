// What memory gives: kernels that copy vec4f by vec4f as many bytes as an update reads and writes. The first has the
// shape of the update, 64 threads with one vec4f each; the others show what other shapes of a copy reach.

import type { Gpu } from "../../../src/gpu/device.ts";
import * as Usage from "../../../src/gpu/usage.ts";

/** Adam reads weight, gradient and two moments, and writes all but the gradient. */
export const BYTES_PER_PARAMETER = 28;

export interface Shape {
  readonly threads: number;
  /** Vectors that one thread copies. */
  readonly each: number;
  /** Whether the shader knows the length of its arrays: then it spares the look-up for the check of each index. */
  readonly sized: boolean;
}

export const shapes: readonly Shape[] = [
  { threads: 64, each: 1, sized: false },
  { threads: 64, each: 1, sized: true },
  { threads: 256, each: 1, sized: true },
  { threads: 256, each: 4, sized: true },
];

export interface Copy extends Shape {
  run(steps: number): Promise<void>;
}

export async function copiesOn({ device }: Gpu, parameters: number): Promise<Copy[]> {
  const bytes = (parameters * BYTES_PER_PARAMETER) / 2;
  const usage = Usage.STORAGE | Usage.COPY_DST;
  const [x, y] = ["x", "y"].map((label) => device.createBuffer({ label, size: bytes, usage })) as [
    GPUBuffer,
    GPUBuffer,
  ];
  device.queue.writeBuffer(x, 0, new Float32Array(bytes / 4).fill(1));
  return Promise.all(
    shapes.map(async (shape) => {
      const { threads, each, sized } = shape;
      const array = sized ? `array<vec4f, ${bytes / 16}>` : "array<vec4f>";
      const code = `
@group(0) @binding(0) var<storage, read> x: ${array};
@group(0) @binding(1) var<storage, read_write> y: ${array};
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = workgroup.x * ${threads * each} + lane;
  ${Array.from({ length: each }, (_, i) => `y[at + ${i * threads}] = x[at + ${i * threads}];`).join("\n  ")}
}`;
      const pipeline = await device.createComputePipelineAsync({
        layout: "auto",
        compute: { module: device.createShaderModule({ code }) },
      });
      const group = device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [x, y].map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
      return {
        ...shape,
        async run(steps: number) {
          const encoder = device.createCommandEncoder();
          const pass = encoder.beginComputePass();
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          for (let i = 0; i < steps; i++) pass.dispatchWorkgroups(bytes / 16 / threads / each);
          pass.end();
          device.queue.submit([encoder.finish()]);
          await device.queue.onSubmittedWorkDone();
        },
      };
    }),
  );
}
