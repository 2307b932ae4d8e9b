// Kernels of one dispatch: which stand beside each other, that their joined text says all that each says alone, and that memory stays.

import { describe, expect, test } from "vitest";
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";
import { charGpt } from "../../demo/models/char-gpt.ts";
import { resnet8 } from "../../demo/models/resnet8.ts";
import type { Grid } from "../../src/op/kernel.ts";
import { beside } from "../../src/step/beside.ts";
import { type Command, commandOf } from "../../src/step/command.ts";
import { allKernels } from "../reference/ops.ts";
import { programOf, referencePrograms } from "./program.ts";

const text = [{ name: "", shape: [16], classes: 65 }];

const programs = {
  mlp: () => referencePrograms.mlp(),
  deep: () => referencePrograms.deep(),
  resnet8: () => programOf(resnet8(), { input: [28, 28, 1], batch: 4, software: true }),
  "char-gpt": () =>
    programOf(charGpt({ vocabulary: 65, length: 16, units: 32, blocks: 2 }), { inputs: text, batch: 4 }),
  "char-gpt that is staged": () =>
    programOf(charGpt({ vocabulary: 65, length: 16, units: 64, blocks: 1 }), { inputs: text, batch: 192 }),
};

/** The parser takes `workgroup` for a keyword. */
const parsed = (code: string): WgslReflect => new WgslReflect(code.replace(/(?<!<)\b(block|workgroup)\b/g, "$1_"));
const placesOf = ({ bindings }: Pick<Command, "bindings">) =>
  bindings.map(({ arena, offset, bytes, access }) => `${arena} ${offset} ${bytes} ${access}`);
const isJoined = ({ source }: Command): boolean => source.includes("main_1(");

describe.each(Object.entries(programs))("a joined dispatch of %s", (_, program) => {
  const { commands } = program().recording;
  const joined = commands.filter(isJoined);

  test("is there, and has no more buffers than every device allows, none of them twice in one form", () => {
    expect(joined.length).toBeGreaterThan(0);
    for (const { source, bindings } of joined) {
      expect(bindings.filter(({ access }) => access !== "uniform").length).toBeLessThanOrEqual(8);
      const written = bindings.filter(({ access }) => access === "readWrite").map(({ arena }) => arena);
      for (const { arena, access } of bindings) if (access === "read") expect(written).not.toContain(arena);
      // In fours and by single numbers it is.
      const forms = new Map(parsed(source).storage.map(({ name, type }) => [name, type.getTypeName()]));
      const places = bindings.map((one) => `${placesOf({ bindings: [one] })} ${forms.get(one.name)}`);
      expect(new Set(places).size).toBe(bindings.length);
    }
  });

  test("declares what its command binds and sets, and has one entry", () => {
    for (const { source, bindings, constants } of joined) {
      const { entry, storage, uniforms, overrides } = parsed(source);
      expect(entry.compute.map(({ name }) => name)).toEqual(["main"]);
      const bound = [...storage, ...uniforms].filter(({ group }) => group === 0).map(({ name }) => name);
      expect(bound.sort()).toEqual(bindings.map(({ name }) => name).sort());
      expect(overrides.map(({ name }) => name).sort()).toEqual(Object.keys(constants).sort());
    }
  });

  test("declares memory of its workgroup once, no more than every device has", () => {
    for (const { source } of joined) {
      const memory = [...source.matchAll(/var<workgroup>\s*(\w+)\s*:\s*array<(\w+),\s*(\w+)>/g)];
      const names = [...source.matchAll(/var<workgroup>\s*(\w+)/g)].map(([, name]) => name);
      expect(memory.map(([, name]) => name)).toEqual([...new Set(names)]);
      expect(names).toEqual([...new Set(names)]);
      // A number by itself, or one that the kernel calls by name; of words a kernel's own are f32.
      const meant = (word: string): string => new RegExp(`\\b${word} ?= ?(\\w+?)u?;`).exec(source)?.[1] ?? word;
      const bytes = memory.map(([, , type = "", count = ""]) => (/vec[34]/.test(type) ? 16 : 4) * Number(meant(count)));
      for (const size of bytes) expect(size).toBeGreaterThan(0);
      expect(bytes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(16_384);
    }
  });

  test("names nothing that only one of the kernels declares under another name", () => {
    for (const { source } of joined) {
      const named = [...source.matchAll(/\b(?:fn|override|const|alias|struct) (\w+)/g)].map(([, name]) => name);
      expect(new Set(named).size).toBe(named.length);
      for (const name of named) if (name !== "main" && name !== "Step") expect(name).toMatch(/_\d$/);
    }
  });
});

test("names nothing twice where the text has no blanks that it can be without, as in the built file", () => {
  const tight = (text: unknown) => (typeof text === "string" ? text.replace(/(var<[^>]*>) /g, "$1") : text);
  const checking = programs
    .mlp()
    .recording.commands.filter(isJoined)
    .flatMap(({ parts = [] }) => parts)
    .map((one): Command => {
      const holes = Object.entries(one.holes).map(([name, text]) => [name, tight(text)]);
      return { ...one, source: tight(one.source) as string, holes: Object.fromEntries(holes) };
    })
    .filter(({ holes }) => JSON.stringify(holes).includes("var<private>"));
  expect(checking.length).toBeGreaterThan(0);
  for (const one of checking) {
    const [{ source } = { source: "" }] = beside([one, one]);
    const named = [...source.matchAll(/\bvar<(?:private|workgroup)>(\w+)/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(1);
    expect(new Set(named).size).toBe(named.length);
  }
});

/** "x2": the third slice of arena x. */
const sliceOf = (name: string) => ({
  arena: name.replace(/\d/, ""),
  offset: 256 * Number(name.replace(/\D+/, "")),
  bytes: 256,
});

/** A kernel that takes `from` to `to`, with words in it that others have too. */
function command(from: string, to: string, grid: Grid = [2, 1, 1], threads = 8): Command {
  const source = `
    struct Pair { at: u32, from: u32 } // a struct Pair of two
    override LENGTH: u32;
    @group(0) @binding(0) var<storage, read> from: array<vec4f>;
    @group(0) @binding(3) var<storage, read_write> to: array<vec4f>;
    var<private> place: u32;
    fn pair(i: u32) -> Pair { return Pair(i, i); }
    @compute @workgroup_size(${threads})
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) groups: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      place = pair(workgroup.x).at + lane;
      if (place < LENGTH) { let from = from[place / 2]; to[place] = from; }
    }`;
  const shader = { source, holes: {}, constants: { LENGTH: 4 }, grid, when: 0, note: `${from}-${to}`, layer: from };
  return commandOf({ kernel: "copy", ...shader }, (name) => sliceOf(name === "from" ? from : to));
}

test("members keep their names, whatever a function, a variable or a buffer is called", () => {
  const [one, other] = [command("a0", "b0"), command("a1", "b1")].map((one) => ({
    ...one,
    source: one.source
      .replace("from: u32 }", "from: u32, pair: u32, place:u32 }")
      .replace("Pair(i, i)", "Pair(i, i, i, i)")
      .replace("pair(workgroup.x).at", "pair(workgroup.x).pair + pair(workgroup.x).place"),
  })) as [Command, Command];
  const [{ source } = { source: "" }, ...more] = beside([one, other]);
  expect(more).toEqual([]);
  for (const i of [0, 1]) {
    expect(source).toContain(`struct Pair_${i} { at: u32, from: u32, pair: u32, place:u32 }`);
    expect(source).toContain(`place_${i} = pair_${i}(workgroup.x).pair + pair_${i}(workgroup.x).place + lane;`);
  }
});

test("what is staged and what is shared out have memory of their own in one dispatch", () => {
  const { commands } = programs["char-gpt that is staged"]().recording;
  const both = commands.filter(({ parts = [] }) =>
    ["STAGED", "SHARED"].every((hole) => parts.some(({ holes }) => holes[hole] === true)),
  );
  expect(both.length).toBeGreaterThan(0);
  for (const { source } of both) expect(source).toMatch(/var<workgroup> pieces.*var<workgroup> tiles/s);
});

/** Words that a text uses for what it declares, by what stands around them. */
const wordsOf = (text: string, form: RegExp): string[] => [...text.matchAll(form)].map(([, word]) => word as string);

describe.each(allKernels.filter(({ beside }) => beside === true))("$name may stand beside others:", ({ source }) => {
  const bound = wordsOf(source, /@binding\(\d+\) var<[^>]*> (\w+)/g);

  test("no parameter is called as what it binds, so that a name with an index is a buffer", () => {
    expect(bound.length).toBeGreaterThan(1);
    const parameters = wordsOf(source, /^fn \w+\((.*?)\)/gm).flatMap((all) => wordsOf(all, /(\w+):/g));
    expect(bound.filter((one) => parameters.includes(one))).toEqual([]);
  });

  test("it begins as all that may", () => {
    expect(source.replace(/\s+/g, " ")).toContain(
      "fn main( @builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32, )",
    );
  });
});

test("what several read is bound once, each other thing by itself, and words are the kernel's own", () => {
  const [joined, ...others] = beside([command("x0", "y0"), command("x0", "y1", [3, 2, 1])]);
  expect(others).toEqual([]);
  expect(placesOf(joined!)).toEqual(["x 0 256 read", "y 0 256 readWrite", "y 256 256 readWrite"]);
  expect(joined).toMatchObject({ kernel: "copy", note: "x0-y0 + x0-y1", layer: "x0", grid: [8, 1, 1] });
  expect(joined!.constants).toEqual({ LENGTH_0: 4, LENGTH_1: 4 });
  expect(joined!.source).toContain("struct Pair_1 { at: u32, from: u32 }");
  expect(joined!.source).toContain("place_1 = pair_1(workgroup.x).at + lane;");
  expect(joined!.source).toContain(
    "if (place_1 < LENGTH_1) { let from = bound_0[0u + place_1 / 2]; bound_2[0u + place_1] = from; }",
  );
  expect(joined!.source).toContain(
    "main_1(vec3u((at - 2u) % 3u, (at - 2u) / 3u % 2u, (at - 2u) / 6u), vec3u(3, 2, 1), lane)",
  );
});

test("weights are bound as a range, where a shader sees so much", () => {
  const five = [4, 1, 3, 2, 5].map((place, i) => command(`parameters${place}`, `y${i}`));
  const [joined, ...others] = beside(five);
  expect(others).toEqual([]);
  expect(placesOf(joined!)[0]).toBe("parameters 256 1280 read");
  expect(joined!.bindings.length).toBe(6);
  const before = [...joined!.source.matchAll(/= bound_0\[(\d+)u \+ place_\d \/ 2\]/g)].map(([, text]) => Number(text));
  expect(before).toEqual([48, 0, 32, 16, 64]);
  const [four, last, ...none] = beside(five, 1024);
  expect([placesOf(four!)[0], last, ...none]).toEqual(["parameters 256 1024 read", five[4]]);
});

test("activations are not, so that kernels of layers of one kind are one text wherever their activations lie", () => {
  const [one, other] = [2, 3].map((place) => beside([command("x0", "y0"), command(`x${place}`, "y1")])[0]!);
  expect(one!.bindings).not.toEqual(other!.bindings);
  expect(one!.source).toBe(other!.source);
});

test("layers of one kind have one text for all of their joined dispatches", () => {
  const { commands } = programs["char-gpt"]().recording;
  const sourcesOf = (block: number) =>
    commands
      .filter((one) => isJoined(one) && one.layer.startsWith(`block${block}.attention`))
      .map(({ source }) => source);
  expect(sourcesOf(0).length).toBeGreaterThan(4);
  expect(sourcesOf(0)).toEqual(sourcesOf(1));
});

test("what needs more buffers than a device must have is several dispatches", () => {
  const eight = Array.from({ length: 8 }, (_, i) => command("x0", `y${i}`));
  const [seven, ...others] = beside(eight);
  expect(seven!.bindings.length).toBe(8);
  expect(others).toEqual(eight.slice(7));
});

test("a workgroup runs one of them: what they keep in its memory is one thing for all", () => {
  const keeping = (from: string, to: string): Command => {
    const one = command(from, to);
    const place = "@compute";
    const memory = "var<workgroup> kept: array<f32, 2 * 8>;\nvar<workgroup> others: array<f32, 2 * 8>;\n";
    const source = one.source
      .replace(place, memory + place)
      .replace("place = pair", "kept[lane] = others[lane]; place = pair");
    return { ...one, source };
  };
  const [joined, ...others] = beside([keeping("x0", "y0"), keeping("x1", "y1")]);
  expect(others).toEqual([]);
  const { source } = joined!;
  expect(source.match(/var<workgroup> \w+: array<f32, 2 \* 8>;/g)).toEqual([
    "var<workgroup> kept: array<f32, 2 * 8>;",
    "var<workgroup> others: array<f32, 2 * 8>;",
  ]);
  expect(source.match(/kept\[lane\] = others\[lane\];/g)).toHaveLength(2);
});

test("smaller workgroups are several to one of the dispatch, unless their threads wait for one another", () => {
  const both = [command("x0", "y0", [3, 1, 1]), command("x0", "y1", [1, 1, 1], 16)] as const;
  const [joined, ...others] = beside(both);
  expect(others).toEqual([]);
  expect(joined!.grid).toEqual([3, 1, 1]);
  const at = "((at - 0u) * 2u + lane / 8u)";
  expect(joined!.source).toContain(
    `if (at < 2u) { if (${at} < 3u) { main_0(vec3u(${at} % 3u, ${at} / 3u % 1u, ${at} / 3u), vec3u(3, 1, 1), lane % 8u); } }`,
  );
  expect(joined!.source).toContain("if (at < 3u) { main_1(");
  const waiting = { ...both[0], source: both[0].source.replace("place = pair", "workgroupBarrier(); place = pair") };
  expect(beside([waiting, both[1]])).toEqual([waiting, both[1]]);
});
