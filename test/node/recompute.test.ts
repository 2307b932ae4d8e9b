// Computing activations again instead of keeping them: the same numbers whatever the segments, second runs as late as they may be,
// nothing for frozen parts, and memory as promised.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fuse } from "../../src/graph/fuse.ts";
import { recompute } from "../../src/graph/recompute.ts";
import {
  dense,
  functional,
  gelu,
  type Layer,
  NameError,
  OptionError,
  relu,
  sequential,
  tanh,
} from "../../src/index.ts";
import { lean } from "../../src/plan/segment.ts";
import type { Command } from "../../src/step/command.ts";
import { checkedSettings } from "../../src/trainer/options.ts";
import { interpret } from "../reference/interpret.ts";
import { randomModel } from "../reference/random-model.ts";
import { tracedModel } from "../reference/traced-model.ts";
import { exact } from "../reference/twin.ts";
import { programOf } from "./program.ts";

const step = { step: 1, start: 0, count: 3 };

describe("the gradients of any model are the same bits", () => {
  const property = (check: (seed: number, draw: readonly number[]) => void): void =>
    fc.assert(fc.property(fc.nat(10_000), fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }), check), { numRuns: 60 });

  test("with any nodes in any segments", () => {
    property((seed, draw) => {
      const { graph, loss, gradients, given } = tracedModel(randomModel(seed));
      const whole = fuse(graph, new Set());
      const segmented = whole.nodes.map((node, i) => [node, (draw[i % draw.length] as number) + (i >> 3) * 4] as const);
      const again = recompute(whole, loss, new Map(segmented.filter(([, segment]) => segment % 4 > 0)));
      const [kept, made] = [whole, again].map((one) => interpret(one, given, step, exact));
      for (const id of [loss, ...gradients.values()]) expect(made?.get(id)).toEqual(kept?.get(id));
      // A view is one of what its node reads, or the plan would look for it where the first run left it.
      for (const { inputs, outputs } of again.nodes) {
        for (const { view } of outputs.map((id) => again.tensors[id]!))
          if (view !== undefined) expect(inputs).toContain(view);
      }
    });
  });

  test("with the segments that the pass chooses", () => {
    property((seed) => {
      const { graph, loss, gradients, given } = tracedModel(randomModel(seed));
      const whole = fuse(graph, new Set());
      const [kept, made] = [whole, lean(whole, loss, "auto")].map((one) => interpret(one, given, step, exact));
      for (const id of [loss, ...gradients.values()]) expect(made?.get(id)).toEqual(kept?.get(id));
    });
  });
});

/** 32 equal layers in groups of `group`, then a head. */
function chain(group: number, activation: () => Layer = relu): Layer {
  const layers = Array.from({ length: 32 }, () => sequential([dense(64), activation()]));
  const groups = Array.from({ length: 32 / group }, (_, i) => layers.slice(i * group, (i + 1) * group));
  return sequential({ groups: sequential(groups), head: dense(4) });
}

type Options = Parameters<typeof programOf>[1];

/** Of what stands beside each other each by itself. */
const recordingOf = (model: Layer, options: Options) => {
  const { commands, ...others } = programOf(model, { input: [64], batch: 1024, ...options }).recording;
  return { ...others, commands: commands.flatMap((command) => command.parts ?? [command]) };
};

const frozenBelow = (count: number): ReadonlySet<string> =>
  new Set(
    Array.from({ length: count }, (_, i) =>
      ["weight", "bias"].map((name) => `groups.${i >> 2}.${i % 4}.0.${name}`),
    ).flat(),
  );

/** Paths of the layers whose forward kernel, a dense layer's, runs more than once. */
function repeated(commands: readonly Command[]): string[] {
  const forward = commands.filter(({ note }) => note.includes("+bias")).map(({ layer }) => layer as string);
  return [...new Set(forward.filter((layer, i) => forward.indexOf(layer) < i))];
}

describe("a chain of 32 layers", () => {
  test("takes less memory by a factor of 2.5 with equal segments, and of 3 with those that the pass chooses", () => {
    const planned = (group: number, again?: string): number =>
      recordingOf(chain(group), { recompute: again }).memory.planned;
    expect(planned(4) / planned(4, "groups.*")).toBeGreaterThan(2.5);
    expect(planned(1) / planned(1, "auto")).toBeGreaterThan(3);
  });

  test("computes nothing more than twice", () => {
    // Sums wait for one another only where nothing is computed again.
    const count = (recompute?: string): number =>
      recordingOf(chain(4), { recompute }).commands.filter(({ kernel }) => kernel !== "sum-rows").length;
    expect(count("auto")).toBeLessThan(count() + 32);
  });

  test("is not computed again where that saves nothing: in the last segment, and where all would be kept", () => {
    const { commands } = recordingOf(chain(4), { recompute: "groups.*" });
    expect(repeated(commands).filter((path) => path.startsWith("groups.7"))).toEqual([]);
    expect(repeated(commands)).toHaveLength(7 * 3);
    expect(repeated(recordingOf(chain(1), { recompute: "groups.*" }).commands)).toEqual([]);
  });

  test.each(["groups.*", "auto"])("computes again what the trained part needs, and nothing frozen: %s", (recompute) => {
    const { commands } = recordingOf(chain(4), { recompute, frozen: frozenBelow(16) });
    const again = repeated(commands);
    expect(again.length).toBeGreaterThan(0);
    expect(again.every((path) => Number(path.split(".")[1]) >= 4)).toBe(true);
    expect(repeated(recordingOf(chain(4), { recompute, frozen: frozenBelow(32) }).commands)).toEqual([]);
  });

  test("runs a segment again right before the way back needs it", () => {
    const { commands } = recordingOf(chain(4), { recompute: "groups.*" });
    const at = (path: string): number[] =>
      commands.flatMap(({ layer, note }, i) => (layer === path && note.includes("+bias") ? [i] : []));
    const places = ["groups.3.0.0", "groups.3.1.0", "groups.3.2.0"].map((path) => at(path)[1] as number);
    const [first] = places as [number];
    expect(places).toEqual([first, first + 1, first + 2]);
    expect(commands[first + 3]).toMatchObject({ layer: "groups.3.3.0" });
    expect(commands[first - 1]?.layer?.startsWith("groups.4.0")).toBe(true);
  });

  test("keeps no activations of layers without weights that are named alone", () => {
    const kept = recordingOf(chain(1, gelu), {}).memory.planned;
    expect(recordingOf(chain(1, gelu), { recompute: "groups.*.0.1" }).memory.planned).toBeLessThan(0.6 * kept);
  });
});

test("evaluation and prediction have no way back", () => {
  for (const mode of ["evaluate", "predict"] as const) {
    const [kept, made] = [undefined, "auto"].map((recompute) => recordingOf(chain(4), { mode, recompute }).commands);
    expect(made).toEqual(kept);
  }
});

test("a layer that is used again and again is one segment with itself", () => {
  const model = functional((x, { use }) => {
    const twice = sequential([dense(64), tanh(), dense(64), tanh()]);
    const between = use("between", dense(64), use("twice", twice, x));
    return use("head", dense(4), use("twice", twice, between));
  });
  expect(repeated(recordingOf(model, { recompute: "twice" }).commands).every((path) => path.startsWith("twice"))).toBe(
    true,
  );
});

test("a pattern that names nothing, or is none, is refused", () => {
  expect(() => recordingOf(chain(4), { recompute: "gruops.*" })).toThrow(NameError);
  expect(() => recordingOf(chain(4), { recompute: "gruops.*" })).toThrow(
    'compile: recompute: "gruops.*" matches no layer.',
  );
  const options = { input: [64], loss: { op: {} } as never };
  expect(() => checkedSettings(chain(4), { ...options, recompute: true as never })).toThrow(OptionError);
});
