// The base: weights that never train lie in an arena of their own, which nothing writes to, and whatever belongs to training is smaller by
// just their bytes.

import { describe, expect, test } from "vitest";
import {
  adam,
  dense,
  type Layer,
  layerDecay,
  NameError,
  OptionError,
  ops,
  type Rates,
  relu,
  sequential,
  sgd,
} from "../../src/index.ts";
import type { Edit } from "../../src/optim/edit.ts";
import { arenaBytes } from "../../src/plan/layout.ts";
import type { Command } from "../../src/step/command.ts";
import { plainUpdate } from "../../src/step/update.ts";
import { checkedSettings } from "../../src/trainer/options.ts";
import { createCountedTable } from "../reference/counted-table.ts";
import { programOf, referencePrograms } from "./program.ts";

const model = sequential({ one: [dense(80), relu()], two: [dense(8), relu()], three: dense(3) });
const tensors = ["one.0.weight", "one.0.bias", "two.0.weight", "two.0.bias", "three.weight", "three.bias"];

/** A command without where its weights lie. */
const work = ({ kernel, layer, note, grid }: Command): string => `${kernel} ${layer} ${note} ${grid}`;
const arenasOf = (commands: readonly Command[]): Set<string> =>
  new Set(commands.flatMap(({ bindings }) => bindings.map(({ arena }) => arena)));

describe("weights of the base", () => {
  test("have an arena that is as long as the others are shorter", () => {
    const [plain, based] = [programOf(model), programOf(model, { base: "one" })];
    // 480 numbers in two blocks and 80 in one.
    expect(arenaBytes(based.base.layout)).toBe(3 * 1024);
    expect(arenaBytes(based.layout)).toBe(arenaBytes(plain.layout) - 3 * 1024);
    expect(based.base.parameters.map(({ name }) => name)).toEqual(tensors.slice(0, 2));
    expect(based.parameters.map(({ name }) => name)).toEqual(tensors.slice(2));
    expect(based.parameters.map((_, row) => based.takesPart(row))).toEqual([true, true, true, true]);
    expect(plain.base.layout.blocks).toBe(0);
  });

  test.each(["one", "two", "*.0.bias", "three.weight"])(
    "of %s leave the step of frozen ones, but a shorter update",
    (base) => {
      const names = programOf(model, { base }).base.parameters.map(({ name }) => name);
      const { recording: based } = programOf(model, { base });
      const { recording: frozen } = programOf(model, { frozen: new Set(names) });
      expect(based.commands.slice(0, -1).map(work)).toEqual(frozen.commands.slice(0, -1).map(work));
      expect(based.commands.at(-1)?.note).toContain(`${tensors.length - names.length} rows`);
      expect(based.memory).toEqual(frozen.memory);
    },
  );

  test.each(["train", "evaluate", "predict", "gradients"] as const)("are read and never written: %s", (mode) => {
    const { commands } = programOf(model, { base: "one", mode }).recording;
    const bindings = commands.flatMap(({ bindings: all }) => all).filter(({ arena }) => arena === "base");
    expect(bindings.map(({ offset, access }) => [offset, access])).toEqual([
      [0, "read"],
      [2048, "read"],
    ]);
  });

  test("are counted like others, and leave the depths of layers as they are", () => {
    const [plain, based] = [programOf(model), programOf(model, { base: "one" })];
    expect(based.summary.layers).toEqual(plain.summary.layers);
    expect(String(based.summary)).toBe(String(plain.summary));
    expect(based.depths).toEqual(plain.depths);
  });

  test("put a layer that has no others into the mode of predictions", () => {
    const modes: string[] = [];
    const seen: Layer = {
      kind: "seen",
      apply(scope, x) {
        const scale = scope.parameter("scale", [6], "zeros");
        const shift = scope.parameter("shift", [6], "zeros");
        modes.push(scope.mode);
        return scope.op(ops.bias, { x: scope.op(ops.bias, { x, b: scale }).z, b: shift }).z;
      },
    };
    const modeOf = (base?: string, frozen = new Set<string>()): string | undefined => {
      programOf(sequential({ seen, head: dense(2) }), { base, frozen });
      return modes.at(-1);
    };
    expect(modeOf()).toBe("train");
    expect(modeOf("seen.scale")).toBe("train");
    expect(modeOf("seen")).toBe("predict");
    expect(modeOf("seen.scale", new Set(["seen.shift"]))).toBe("predict");
  });

  test("are nobody's business where there are none", () => {
    for (const name of ["mlp", "cnn"] as const)
      expect(arenasOf(referencePrograms[name]().recording.commands)).not.toContain("base");
  });

  test("take their blocks out of the update: 785 of 920 with the first layer of the reference mlp", () => {
    const { layout, base, recording } = referencePrograms.mlp({ base: "fc1" });
    expect([base.layout.blocks, layout.blocks]).toEqual([785, 135]);
    expect(recording.commands.at(-1)?.note).toBe("adam: 4 rows, 135 blocks");
  });
});

describe("a base of all but some", () => {
  const basedOn = (except: string | readonly string[]) =>
    programOf(model, { base: { except } }).base.parameters.map(({ name }) => name);

  test("is what the patterns leave", () => {
    expect(basedOn("three")).toEqual(tensors.slice(0, 4));
    expect(basedOn(["**.bias", "three"])).toEqual(["one.0.weight", "two.0.weight"]);
    const [named, left] = [programOf(model, { base: "one" }), programOf(model, { base: { except: ["two", "three"] } })];
    expect(left.recording.commands.map(work)).toEqual(named.recording.commands.map(work));
  });

  test.each([
    [{ except: "oen" }, NameError, 'compile: base: "oen" matches no layer. Did you mean "one"?'],
    [{ except: ["three", "**"] }, OptionError, 'except "three" and "**" names all weights, so there is no base'],
  ] as const)("is refused for %j", (base, kind, says) => {
    expect(() => programOf(model, { base })).toThrow(kind);
    expect(() => programOf(model, { base })).toThrow(says);
  });

  test.each([
    [{ except: [] }, "except is []. Name what is to train."],
    [{ except: "a b" }, 'compile: base: except: "a b" is no pattern.'],
    [{ but: "a" }, 'compile: base: it has no "but".'],
    [{}, "compile: base: except: undefined is no pattern."],
  ])("is refused before there are names for %j", (base, says) => {
    const options = { input: [6], loss: { op: {} } as never };
    expect(() => checkedSettings(model, { ...options, base: base as never })).toThrow(OptionError);
    expect(() => checkedSettings(model, { ...options, base: base as never })).toThrow(says);
  });
});

describe("a pattern for the base is refused", () => {
  test("where it names nothing, or is none", () => {
    expect(() => programOf(model, { base: "oen" })).toThrow(NameError);
    expect(() => programOf(model, { base: "oen" })).toThrow(
      'compile: base: "oen" matches no layer. Did you mean "one"? Layers: one.0, two.0, three.',
    );
    const options = { input: [6], loss: { op: {} } as never };
    expect(() => checkedSettings(model, { ...options, base: "a b" })).toThrow('compile: base: "a b" is no pattern.');
    expect(() => checkedSettings(model, { ...options, base: true as never })).toThrow(OptionError);
  });

  test("where it leaves nothing to train", () => {
    expect(() => programOf(model, { base: "**" })).toThrow(OptionError);
    expect(() => programOf(model, { base: "**" })).toThrow(
      'compile: base: "**" names all weights, so there is nothing to train.',
    );
  });
});

describe("rates", () => {
  const { layout, depths, base } = programOf(model, { base: "one", update: plainUpdate(adam().rule) });
  const names = base.parameters.map(({ name }) => name);
  const tableOf = (rates?: Rates) => createCountedTable(layout.tensors, depths, sgd({ lr: 1 }), { rates, base: names });
  const said = (place: string, pattern: string) =>
    `${place}: "${pattern}" names one.0.weight, one.0.bias, which are of the base and never train. Compile with another base, or name what trains: two.0, three.`;

  test("go by the depth in the whole model, and pass over the base where they name more", () => {
    const { rows } = tableOf([layerDecay(0.5), { "**.weight": { weightDecay: 0.25 } }]);
    expect(rows.map(({ name, multiplier, weightDecay }) => [name, multiplier, weightDecay])).toEqual([
      ["two.0.weight", 0.5, 0.25],
      ["two.0.bias", 0.5, 0],
      ["three.weight", 1, 0.25],
      ["three.bias", 1, 0],
    ]);
    expect(tableOf().freeze("*.0")).toEqual(["two.0.weight", "two.0.bias"]);
  });

  test("for the base alone are refused, at compile time and by every change", () => {
    expect(() => tableOf({ one: 0.1 })).toThrow(said("rates", "one"));
    expect(() => tableOf([layerDecay(0.5), ["one.0", 0.1]])).toThrow(said("rates", "one.0"));
    const table = tableOf();
    const changes: Readonly<Record<string, () => unknown>> = {
      "rates.set": () => table.set("one", { lr: 1 }),
      freeze: () => table.freeze("one"),
      unfreeze: () => table.unfreeze("one"),
      "rates.assign": () => table.assign("one", "three"),
      "rates.scale": () => table.scale("one", 0.5),
      guard: () => table.find("guard", "one"),
      findRate: () => table.sweep("one"),
      "rates.replay: edit 0, freeze": () =>
        table.replay([{ step: 3, kind: "freeze", pattern: "one", change: {} } satisfies Edit]),
    };
    for (const [place, change] of Object.entries(changes)) {
      expect(change, place).toThrow(NameError);
      expect(change).toThrow(said(place, "one"));
    }
    expect(() => table.scale("one", 1)).toThrow(said("rates.scale", "one"));
    expect(() => table.assign("three", "one.0")).toThrow('there is no layer "one.0"');
    expect(table.edits()).toEqual([]);
  });
});
