// Mixed precision without a device: which numbers lie as f16, what the texts of a step's commands become, and what it saves.

import { describe, expect, test } from "vitest";
import { trainerOf } from "../../demo/bench/gradus.ts";
import { type WorkloadName, workloadNames, workloads } from "../../demo/bench/workload.ts";
import { specialise } from "../../src/op/shader.ts";
import { f16 } from "../../src/precision/index.ts";
import { changed } from "../../src/precision/text.ts";
import { countingDevice, type Kind } from "./counting-device.ts";

/** A training step of a workload as a device with f16 runs it, beside that of f32. */
async function recorded(name: WorkloadName, kind: Kind) {
  const [whole, half] = [countingDevice(kind).device, countingDevice(kind).device];
  (half.features as Set<string>).add("shader-f16");
  const trainers = [
    await trainerOf(workloads[name], {}, whole),
    await trainerOf(workloads[name], { precision: f16() }, half),
  ] as const;
  const [first, second] = trainers.map((trainer) => trainer.recording());
  for (const trainer of trainers) trainer.dispose();
  return { whole: first!, half: second! };
}

const scale = "i32(loss_scale.x)";

/** A CPU has the same ops, of which a GPU shares some out. */
const played: readonly (readonly [Kind, readonly WorkloadName[]])[] = [
  ["gpu", workloadNames],
  ["software", ["mlp", "cnn"]],
];

describe.each(played)("on a device of kind %s", (kind, names) => {
  test.each(names)(
    "%s: each number that lies as f16 is read as f32, and gradients are scaled and unscaled",
    async (name) => {
      const { half, whole } = await recorded(name, kind);
      const all = half.commands.flatMap((command) => command.parts ?? [command]);
      let [halves, seeds] = [0, 0];
      for (const { kernel, source, holes, bindings } of all) {
        const code = specialise(kernel, source, holes).replace(/\/\/.*$/gm, "");
        for (const { name: buffer, access, arena } of bindings) {
          const type = new RegExp(`\\b${buffer}\\s*:\\s*array<(\\w+)`).exec(code)?.[1];
          const indexed = [...code.matchAll(new RegExp(`(\\w+\\()?(?<![.\\w])${buffer}\\[`, "g"))].map(
            ([, call]) => call,
          );
          const stores = code.match(new RegExp(`(?<![.\\w])${buffer}\\[[^;]*?\\] = (f16|vec4h)\\(`, "g")) ?? [];
          if (type === "f16" || type === "vec4h") {
            halves++;
            const reads = indexed.filter((call) => call === (type === "f16" ? "f32(" : "vec4f("));
            expect(reads.length + stores.length, `${kernel} ${buffer}`).toBe(indexed.length);
            expect(arena).toMatch(/^activations/);
          } else expect(stores, `${kernel} ${buffer}`).toEqual([]);
          const isGradient = arena === "gradients" && access === "readWrite" && !/adam|norm|accumulate/.test(kernel);
          if (isGradient) expect(code, kernel).toContain(`(111 - ${scale})`);
        }
        if (code.includes(`(143 + ${scale})`)) seeds++;
      }
      expect(halves).toBeGreaterThan(10);
      expect(seeds).toBe(1);
      expect(half.commands.at(-1)?.kernel).toBe("loss-scale");
      // The taps of pooling are whole numbers, and what a cnn keeps of them is as much as half of its images.
      expect(half.memory.planned / whole.memory.planned).toBeLessThanOrEqual(name === "cnn" ? 0.605 : 0.6);
    },
  );
});

test("a step of f32 knows nothing of it", async () => {
  const { whole } = await recorded("mlp", "gpu");
  expect(JSON.stringify(whole)).not.toMatch(/f16|vec4h|lossScale/);
});

describe("the text of a kernel", () => {
  const code = `alias V = vec4f;
@group(0) @binding(0) var<storage,read>a:array<V>;
@group(0) @binding(1) var<storage, read_write> c: array<f32>;
fn main() { let own = a[i[2]] + a[3]; if (c[0] == own.x) { c[i[1] + 2] = select(0, own.y, true); } }`;

  test("reads what lies as f16 by a conversion, through words of its own and brackets", () => {
    const text = changed(code, [{ name: "a", half: true }]);
    expect(text).toContain("var<storage,read>a:array<vec4h>;");
    expect(text).toContain("let own = vec4f(a[i[2]]) + vec4f(a[3]);");
  });

  test("stores by a conversion, scaled before it is rounded", () => {
    const text = changed(code, [{ name: "c", half: true, factor: "s" }]);
    expect(text).toContain("if (f32(c[0]) == own.x) { c[i[1] + 2] = f16((select(0, own.y, true)) * s); }");
  });

  test("stores f32 as it is, but for the scale", () => {
    expect(changed(code, [{ name: "c", half: false, factor: "s" }])).toContain(
      "{ c[i[1] + 2] = (select(0, own.y, true)) * s; }",
    );
  });

  test("that stores what it has read of the same buffer, or of another type, is no kernel of ours", () => {
    expect(() => changed(code.replace("own.y, true", "c[1], true"), [{ name: "c", half: true }])).toThrow("made of it");
    expect(() => changed(code.replace("array<f32>", "array<vec2f>"), [{ name: "c", half: true }])).toThrow('"vec2f"');
  });
});
