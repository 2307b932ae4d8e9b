// Random numbers on the GPU against those of the host: words and uniform numbers bit for bit, normal ones within 1e-6, also
// for the words from which the largest and the smallest come.

import { expect, test } from "vitest";
import part from "../../../shaders/parts/philox.wgsl?raw";
import type { Gpu } from "../../../src/gpu/device.ts";
import * as Usage from "../../../src/gpu/usage.ts";
import { philox, randomFrom, type Stream, stream } from "../../../src/random.ts";
import { readBack } from "../../../src/step/store.ts";
import { onDevice } from "../device.ts";

const shader = (body: string): string => `${part}
@group(0) @binding(0) var<storage, read> counters: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> found: array<vec4u>;
override KEY0: u32;
override KEY1: u32;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&counters)) { return; }
  found[id.x] = ${body};
}`;

/** Four words for each counter. */
async function computed(gpu: Gpu, body: string, counters: Uint32Array<ArrayBuffer>, key: readonly [number, number]) {
  const { STORAGE, COPY_SRC, COPY_DST } = Usage;
  const [input, output] = ["counters", "found"].map((name) =>
    gpu.buffer(name, counters.byteLength, STORAGE | COPY_SRC | COPY_DST),
  ) as [GPUBuffer, GPUBuffer];
  gpu.device.queue.writeBuffer(input, 0, counters);
  const pipeline = await gpu.device.createComputePipelineAsync({
    layout: "auto",
    compute: {
      module: gpu.device.createShaderModule({ code: shader(body) }),
      constants: body.includes("KEY") ? { KEY0: key[0], KEY1: key[1] } : { KEY0: 0, KEY1: 0 },
    },
  });
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = [input, output].map((buffer, binding) => ({ binding, resource: { buffer } }));
  pass.setBindGroup(0, gpu.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(Math.ceil(counters.length / 256));
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
  const bytes = await readBack(gpu, output, 0, counters.byteLength);
  input.destroy();
  output.destroy();
  return bytes;
}

const BLOCKS = 100_000;
const streams: readonly Stream[] = [stream(0, "h.3.mlp.c_fc.weight"), stream(2 ** 32 - 1, "dropout", 123_456_789)];

const countersOf = ({ path }: Stream): Uint32Array<ArrayBuffer> =>
  Uint32Array.from({ length: 4 * BLOCKS }, (_, i) => [path[0], path[1], i >> 2, 0][i % 4] as number);

test.each(streams)("words, uniform and normal numbers of %o are those of the host", async (from) => {
  const key = [from.seed, from.draw] as const;
  const call = "philox(vec2u(KEY0, KEY1), counters[id.x])";
  const counters = countersOf(from);
  const [words, uniforms, normals] = await onDevice(1, (gpu) =>
    Promise.all([
      computed(gpu, call, counters, key),
      computed(gpu, `bitcast<vec4u>(uniforms(${call}))`, counters, key),
      computed(gpu, `bitcast<vec4u>(normals(${call}))`, counters, key),
    ]),
  );
  const expected = new Uint32Array(4 * BLOCKS);
  for (let i = 0; i < BLOCKS; i++) expected.set(philox(...key, ...from.path, i, 0), 4 * i);
  expect(new Uint32Array(words!)).toEqual(expected);

  const { uniform } = randomFrom(from);
  expect(new Float32Array(uniforms!)).toEqual(Float32Array.from({ length: 4 * BLOCKS }, uniform));
  const { normal } = randomFrom(from);
  const gaps = new Float32Array(normals!).map((value) => Math.abs(value - normal()));
  expect(
    Math.max(
      ...gaps.slice(0, 50_000),
      gaps.reduce((a, b) => Math.max(a, b)),
    ),
  ).toBeLessThan(1e-6);
});

test("normal numbers of every kind of word are right within 1e-6", async () => {
  const kinds = [
    0,
    1,
    2,
    255,
    2 ** 23 - 1,
    2 ** 23,
    2 ** 24 + 1,
    2 ** 30,
    2 ** 31 - 1,
    2 ** 31,
    0xb504f332,
    0xb504f333,
  ];
  const words = [...kinds, ...kinds.map((word) => 2 ** 32 - 1 - word)];
  const pairs = words.flatMap((radius) => words.map((angle) => [radius, angle] as const));
  const given = Uint32Array.from(pairs.flatMap(([radius, angle]) => [radius, angle, radius, angle]));
  const bytes = await onDevice(1, (gpu) => computed(gpu, "bitcast<vec4u>(normals(counters[id.x]))", given, [0, 0]));
  const found = new Float32Array(bytes);
  for (const [i, [a, b]] of pairs.entries()) {
    const radius = Math.sqrt(-2 * Math.log1p(-(2 ** 32 - 0.5 - a) / 2 ** 32));
    const angle = (2 * Math.PI * (b - (b % 64) + 32)) / 2 ** 32;
    const expected = [radius * Math.cos(angle), radius * Math.sin(angle)];
    for (let lane = 0; lane < 4; lane++)
      expect(Math.abs(found[4 * i + lane]! - expected[lane % 2]!), `${a}, ${b}`).toBeLessThan(1e-6);
  }
});
