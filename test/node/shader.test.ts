// Shader texts against the records that bind them, for every kernel and every value of every condition: one entry point
// `main`, the same bindings with the same access, the same constants. And the door they go through is strict.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";
import { renamed, shortNames } from "../../demo/build/short-names.ts";
import { shorter, shorterNames } from "../../demo/build/shorter-shaders.ts";
import { adadelta, adagrad, adam, adamax, adamw, lion, nadam, radam, rmsprop, sgd } from "../../src/index.ts";
import { MOST_UNIFORM_ROWS, type UpdateRule } from "../../src/kernels/update.ts";
import { type Access, cutAtHoles, type Holes, inLines, scoped } from "../../src/op/kernel.ts";
import { type Attributes, type Candidate, type Choice, chosen as completed, type Kernel } from "../../src/op/op.ts";
import { specialise } from "../../src/op/shader.ts";
import type { Tensor } from "../../src/op/tensor.ts";
import { autoRgn } from "../../src/optim/controller/auto-rgn.ts";
import { guard } from "../../src/optim/controller/guard.ts";
import { hypergradient } from "../../src/optim/controller/hypergradient.ts";
import { lossPlateau } from "../../src/optim/controller/loss-plateau.ts";
import { updateRatio } from "../../src/optim/controller/update-ratio.ts";
import { lamb } from "../../src/optim/rule/adam.ts";
import { lars } from "../../src/optim/rule/sgd.ts";
import { layOut } from "../../src/plan/layout.ts";
import { type Command, commandOf, kernelsOf } from "../../src/step/command.ts";
import { commitCommands } from "../../src/step/commit.ts";
import { sumCommands } from "../../src/step/sums.ts";
import { plainUpdate, type UpdateSettings, updateCommands } from "../../src/step/update.ts";
import { stepOf } from "../gpu/case.ts";
import { gpuCases } from "../gpu/cases.ts";
import { controllers as found } from "../reference/controllers.ts";
import { allKernels, allOps, opNamed, outputsOf } from "../reference/ops.ts";
import { passTexts } from "../reference/passes.ts";
import { rules as ruleTexts } from "../reference/rules.ts";
import { referencePrograms } from "./program.ts";

/** A kernel as it would be compiled: what a command says of it, without the memory behind it. */
type Variant = Pick<Command, "kernel" | "source" | "holes" | "constants" | "step"> & {
  readonly bindings: readonly { readonly number: number; readonly name: string; readonly access: Access }[];
  /** The names of what there is to bind, where they are known beforehand. */
  readonly given?: readonly string[];
};

const tensor = (shape: readonly number[]): Tensor => ({ id: 0, name: "", shape, dtype: "f32", role: "activation" });

interface WorkOptions {
  readonly attributes?: Attributes;
  /** Elementwise ops at the end. */
  readonly epilogue?: readonly string[];
  /** Whether the sum over columns is a second output. */
  readonly sum?: boolean;
  /** Whether it is only what they choose. */
  readonly defaults?: boolean;
}

const booleans = [false, true];

/** What a kernel may choose for one node, on a GPU and on a CPU, for a gradient that is asked and for any other result. */
function chosen(op: string, shapes: readonly (readonly number[])[], options: WorkOptions = {}): Variant[] {
  const { attributes = {}, epilogue = [], sum = false, defaults = false } = options;
  const value = opNamed(op);
  const kernel = value.kernel as Kernel;
  const all = shapes.map(tensor);
  const own = [...all];
  const outputs = outputsOf(value, all, attributes).map(({ shape }) => tensor(shape));
  const [first] = outputs as [Tensor];
  if (sum) outputs.push(tensor([first.shape.at(-1) as number]));
  const steps = epilogue.map((name) => {
    return stepOf(
      opNamed(name),
      first.shape,
      () => all.push(tensor(name === "bias" ? first.shape.slice(-1) : first.shape)) - 1,
    );
  });
  const named = Object.fromEntries([
    ...own.map((one, i) => [value.inputs[i], one]),
    ...outputs.map((one, i) => [value.outputs[i], one]),
  ]);
  return [true, false].flatMap((software) =>
    booleans.flatMap((checked) => {
      const device = { software, quads: true, rows: 3 };
      const node = { op: value, tensors: named, all, outputs, attributes, epilogue: steps };
      const work = { ...node, device, checked, halts: checked };
      const asks = checked && kernel.source.includes("CHECK");
      const second = sum || value.outputs.includes("dbeta") || op === "channelParts";
      const beside = asks ? ["metrics", "gradient_row", ...(second ? ["sum_row"] : [])] : op === "draw" ? ["path"] : [];
      const variantOf = (one: Choice): Variant => {
        const { tensors: _, times: __, ...choice } = completed({ ...kernel, choose: () => one }, work);
        const shader = { kernel: kernel.name, ...choice, when: 0, layer: "" };
        const command = commandOf(shader, (name) => ({ arena: name, offset: 0, bytes: 0 }));
        // Where bindings go by the names of the op, a variant binds some of them.
        const given =
          one.tensors ?? Object.fromEntries(command.bindings.flatMap(({ name }) => (name in named ? [[name]] : [])));
        return { ...command, given: [...Object.keys(given), ...beside, ...(one.times === undefined ? [] : ["tick"])] };
      };
      const others = checked || defaults ? [] : (kernel.candidates?.(work) ?? []).slice(1);
      return [kernel.choose(work), ...others.map(({ choice }) => choice)].map(variantOf);
    }),
  );
}

test("the first candidate of a product is what it chooses, by a reason for each", () => {
  const kernel = opNamed("matmul").kernel as Kernel;
  const firsts = (
    [
      [true, 16, 256, 16],
      [true, 16, 255, 16],
      [false, 16, 256, 16],
      [true, 4096, 64, 64],
      [false, 4096, 64, 64],
      [false, 4096, 64, 32],
      [false, 4096, 64, 16],
      [false, 4096, 8, 64],
      [false, 1024, 1024, 1024],
      [false, 2048, 4, 2048],
      [false, 2048, 1024, 2048],
    ] as const
  ).map(([software, rows, terms, columns]) => {
    const [a, b, c] = [
      [rows, terms],
      [terms, columns],
      [rows, columns],
    ].map(tensor) as [Tensor, Tensor, Tensor];
    const at = { op: opNamed("matmul"), tensors: { a, b, c }, all: [a, b], outputs: [c], epilogue: [] };
    const candidates = (splits: number): readonly Candidate[] => {
      const work = {
        ...at,
        attributes: { splits },
        device: { software },
        checked: false,
        halts: false,
      };
      const found = kernel.candidates?.(work) ?? [];
      expect(found[0]?.choice).toEqual(kernel.choose(work));
      expect(new Set(found.map(({ tactic }) => JSON.stringify(tactic))).size).toBe(found.length);
      // Each number stands for itself on a CPU adapter, where memory of a workgroup is slow.
      const staged = found.filter(({ tactic }) => tactic.staging === "workgroup").map(({ tactic }) => tactic.threads);
      expect(staged.sort()).toEqual(software ? [] : [256, 64]);
      return found;
    };
    // Whatever has as many threads for a sum adds in one order.
    const [first, ...others] = candidates(1);
    expect(new Set(others.map(({ order }) => order)).size).toBe(1);
    expect(first?.order === others[0]?.order).toBe(first?.tactic.shares === 1);
    expect(candidates(4)[0]?.order).not.toBe(first?.order);
    const { tile, threads, shares, staging } = first!.tactic;
    return `${tile} ${threads} ${staging}${shares === 1 ? "" : ` by ${shares}`}`;
  });
  expect(firsts).toEqual([
    // A CPU has large tiles for much work, a GPU several threads for few long sums.
    "8x8 16 registers",
    "4x4 64 registers",
    "4x4 64 registers by 16",
    // A GPU stages what fills tiles enough of them, with terms enough; where there are many, in larger ones.
    "8x8 16 registers",
    "4x4 64 workgroup",
    "4x4 64 workgroup",
    "4x4 64 registers by 2",
    "4x4 64 registers",
    "4x4 64 workgroup",
    "4x4 64 registers",
    "4x4 256 workgroup",
  ]);
});

const epilogues = [[], ["bias", "relu"], ["gelu", "add", "tanhBackward", "geluBackward"]];

/** Shader texts by kernel, the update and its rules left out. */
const kernels: Readonly<Record<string, string>> = {
  ...Object.fromEntries(allKernels.map(({ name, source }) => [name, source])),
  ...Object.fromEntries(["commit", "sum-rows"].map((name) => [name, readFileSync(`shaders/${name}.wgsl`, "utf8")])),
  ...passTexts,
};

function* products(): Generator<Variant> {
  for (const [M, K, N] of [
    [8, 12, 16],
    [5, 12, 16],
    [8, 7, 16],
    [8, 12, 3],
    [1, 1, 1],
    [4, 5000, 4],
  ] as const) {
    for (const transposeA of booleans) {
      for (const transposeB of booleans) {
        const shapes = [transposeA ? [K, M] : [M, K], transposeB ? [N, K] : [K, N]];
        const attributes = { transposeA, transposeB };
        yield* chosen(
          "matmul",
          shapes.map((shape) => [2, 3, ...shape]),
          { attributes, epilogue: ["bias", "relu"] },
        );
        for (const epilogue of epilogues) yield* chosen("matmul", shapes, { attributes, epilogue });
        yield* chosen("matmul", shapes, { attributes, sum: true });
        yield* chosen("matmul", shapes, { attributes: { ...attributes, splits: 4 }, sum: true });
      }
    }
  }
}

function* windows(): Generator<Variant> {
  const strides = { stride: [2, 1], padding: "same" };
  const kernel = { kernel: [3, 2] };
  const image = { size: [7, 6] };
  for (const channels of [1, 4]) {
    const x = [2, 7, 6, channels];
    for (const filters of [3, 8]) {
      const filter = [3, 2, channels, filters];
      const dy = [2, 4, 6, filters];
      for (const epilogue of epilogues) {
        yield* chosen("conv2d", [x, filter], { attributes: strides, epilogue });
        yield* chosen("conv2dBackwardInput", [dy, filter], { attributes: { ...strides, ...image }, epilogue });
        yield* chosen("conv2dTranspose", [dy, filter], { attributes: strides, epilogue });
      }
      for (const sum of booleans) {
        for (const splits of [1, 2]) {
          yield* chosen("conv2dBackwardFilter", [x, dy], { attributes: { ...strides, ...kernel, splits }, sum });
        }
      }
    }
  }
}

/** What the GPU tests run. */
function* cases(): Generator<Variant> {
  for (const { op, inputs, attributes = {}, epilogue = [], columnSum = false } of gpuCases) {
    const shapes = inputs.map(({ shape }) => shape);
    const end = epilogue.map((step) => step.op);
    yield* chosen(op, shapes, { attributes, epilogue: end, sum: columnSum, defaults: true });
  }
  // Normals are held against the host in another way.
  yield* chosen("draw", [], { attributes: { shape: [3, 5], kind: "normal", index: 0 } });
  // Several losses, and reports that are none.
  const told = { report: 1, reports: 2, layers: 3 };
  for (const attributes of [told, { ...told, later: true }, { ...told, later: true, silent: true }])
    yield* chosen("metrics", [[9, 2]], { attributes });
}

function* elementwises(): Generator<Variant> {
  for (const { name, inputs, elementwise } of allOps.values()) {
    if (elementwise === undefined) continue;
    for (const columns of [3, 4]) {
      const shapes = [inputs.map(() => [5, columns])];
      if (inputs.length > 1) shapes.push([[5, 1], ...inputs.slice(1).map(() => [columns])]);
      for (const one of shapes) {
        yield* chosen(name, one);
        yield* chosen(name, one, { epilogue: ["bias", "add"] });
      }
    }
  }
}

/** Every rule in every variant, alone; each pass around the update with and without what it can do; rules side by side. */
function* updates(): Generator<Variant> {
  const nothing = plainUpdate();
  const states = layOut([{ name: "s", shape: [300], layer: "" }]);
  for (const inParts of booleans) yield* commitCommands(states, [true], inParts);
  const sliceOf = (id: number) => ({ arena: id === 1 ? "activations0" : "gradients", offset: 0, bytes: 16 });
  const places = { sliceOf, rowOf: () => 0 };
  const sum = { x: { ...tensor([2, 3]), id: 1 }, y: tensor([3]), first: 0, step: 3, terms: 2 };
  for (const checked of booleans) yield* sumCommands([sum], places, { checked, software: false });
  const clip = { most: 1, byLayer: false };
  const controllers = [guard(), updateRatio(), autoRgn(), hypergradient(), lossPlateau()];
  const all: UpdateSettings[] = [
    ...rules.flatMap((rule) => {
      const decoupled = { ...rule.variant, DECOUPLED: rule.variant.DECOUPLED !== true };
      return [plainUpdate(rule), plainUpdate({ ...rule, variant: decoupled })];
    }),
    plainUpdate(sgd({ momentum: 0.9 }).rule, adamw().rule, sgd().rule),
    ...controllers.map((controller) => ({ ...plainUpdate(adamw().rule), layers: 2, controllers: [controller] })),
    { ...plainUpdate(adamw().rule, lamb().rule, lars().rule), layers: 2, controllers, clip },
    { ...plainUpdate(lamb().rule), clip: { most: 1, byLayer: true } },
    { ...plainUpdate(sgd({ momentum: 0.9 }).rule), clamp: 1, accumulate: 2, average: true, momentum: true },
    { ...plainUpdate(adam().rule), clamp: 1, clip, average: true, momentum: true },
    { ...nothing, rules: [radam().rule], momentum: true },
  ];
  for (const settings of all) {
    for (const rows of [1, MOST_UNIFORM_ROWS, MOST_UNIFORM_ROWS + 1]) {
      for (const sampled of booleans) {
        const options = {
          blocks: 5,
          rows,
          sampled,
          mostBlocks: Number.POSITIVE_INFINITY,
          software: sampled && rows > 1,
        };
        for (const command of updateCommands({ ...settings, ...options })) {
          yield { ...command, kernel: command.kernel in kernels ? command.kernel : `update ${command.kernel}` };
        }
      }
    }
  }
}

const rules: readonly UpdateRule[] = [
  adam().rule,
  adamw().rule,
  adam({ epsInside: true }).rule,
  adam({ epsFirst: true }).rule,
  adam({ epsInside: true, epsFirst: true }).rule,
  adam({ amsgrad: true }).rule,
  lamb().rule,
  sgd().rule,
  sgd({ momentum: 0.9 }).rule,
  sgd({ momentum: 0.9, nesterov: true }).rule,
  sgd({ momentum: 0.9, lrInMomentum: true }).rule,
  adagrad().rule,
  adagrad({ epsInside: true }).rule,
  adadelta().rule,
  rmsprop().rule,
  rmsprop({ epsInside: true }).rule,
  rmsprop({ momentum: 0.9 }).rule,
  rmsprop({ centered: true }).rule,
  adamax().rule,
  nadam().rule,
  radam().rule,
  lion().rule,
];

const recorded: Variant[] = (["mlp", "cnn"] as const)
  .flatMap((name) => (["train", "evaluate", "predict"] as const).map((mode) => referencePrograms[name]({ mode })))
  .flatMap(({ recording }) => recording.commands.flatMap(kernelsOf))
  .map((command) => ({
    ...command,
    kernel: command.kernel === "adam" ? "update adam" : command.kernel,
    bindings: command.bindings.map(({ number, name, access }) => ({ number, name, access })),
  }));

/** Each text once. */
const all: readonly Variant[] = [
  ...new Map(
    [...products(), ...windows(), ...elementwises(), ...cases(), ...updates(), ...recorded].map((variant) => {
      const { kernel, holes, constants, step, bindings, given } = variant;
      return [JSON.stringify([kernel, holes, Object.keys(constants), step, bindings, given]), variant];
    }),
  ).values(),
];
const ruleText = readFileSync("shaders/parts/rule.wgsl", "utf8");
const conditionsOf = (source: string): string[] =>
  [...source.matchAll(/#(?:if|elif) \$\{([A-Z0-9_]+)\}/g)].map(([, condition]) => condition as string);
const isSwitch = (source: string, name: string): boolean => conditionsOf(source).includes(name);
const names = [...new Set(all.map(({ kernel }) => kernel))];
const variantsOf = (name: string): Variant[] => all.filter(({ kernel }) => kernel === name);

/** The parser takes `block` and `workgroup` for keywords; as names of values WGSL has nothing against them. */
const parsed = (code: string): WgslReflect => new WgslReflect(code.replace(/(?<!<)\b(block|workgroup)\b/g, "$1_"));

describe.each(names)("shader %s", (name) => {
  const texts = variantsOf(name).map(({ kernel, source, holes }) => specialise(kernel, source, holes));
  const reflected = texts.map(parsed);

  test("has one entry point, main", () => {
    for (const { entry } of reflected) {
      expect(entry.compute.map((found) => found.name)).toEqual(["main"]);
      expect([...entry.vertex, ...entry.fragment]).toEqual([]);
    }
  });

  test("declares the bindings that its command says, with the same access, for all that there is to bind", () => {
    for (const [i, { bindings, given }] of variantsOf(name).entries()) {
      if (given !== undefined) expect(bindings.map((binding) => binding.name).sort()).toEqual([...given].sort());
      const { storage, uniforms } = reflected[i] as WgslReflect;
      const declared = [...storage, ...uniforms]
        .filter(({ group }) => group === 0)
        .map((variable) => ({
          number: variable.binding,
          name: variable.name,
          access: uniforms.includes(variable)
            ? "uniform"
            : variable.access === "read_write"
              ? "readWrite"
              : variable.access,
        }));
      const byNumber = (a: { number: number }, b: { number: number }): number => a.number - b.number;
      const said = bindings.map(({ number, name, access }) => ({ number, name, access }));
      expect(declared.sort(byNumber)).toEqual(said.sort(byNumber));
    }
  });

  test("reads the values of the step where its record says so, and nothing else beside its bindings", () => {
    for (const [i, { step, holes }] of variantsOf(name).entries()) {
      const { storage, uniforms, textures, samplers } = reflected[i] as WgslReflect;
      const beside = [...storage, ...uniforms].filter(({ group }) => group !== 0);
      expect([...textures, ...samplers]).toEqual([]);
      const names = beside.map((variable) => `${variable.name} ${variable.group}.${variable.binding}`).sort();
      expect(names.length > 0).toBe(step);
      if (!("TABLE" in holes)) expect(names).toEqual(step ? ["step 1.0"] : []);
      else expect(["step 1.0", "table 1.1"]).toEqual(expect.arrayContaining(names));
    }
  });

  test("declares the constants that its record gives, all of them and no others", () => {
    for (const [i, { constants }] of variantsOf(name).entries()) {
      const declared = (reflected[i] as WgslReflect).overrides.map((override) => override.name);
      expect(declared.sort()).toEqual(Object.keys(constants).sort());
    }
  });

  test("is checked above with both values of each of its conditions", () => {
    for (const condition of new Set(variantsOf(name).flatMap(({ source }) => conditionsOf(source)))) {
      // What all passes over blocks share, all products, all losses and all depthwise ways, is seen with both values in one of them.
      const seen =
        /^(MOMENT.|SCALED|CLAMPED|HALTING|MEASURED|SERIAL|TRANSPOSE_[AB]|STRIDED|COLUMN_SUM|LONG|STAGED|QUADS|FILTER|TARGET|HITS|TUNED)$/.test(
          condition,
        )
          ? all
          : variantsOf(name);
      const values = new Set(seen.map(({ holes }) => holes[condition]).filter((value) => value !== undefined));
      // Rules side by side, and in the norms: their own conditions are seen where each is alone.
      if (!name.includes("+") && !(name === "norm" && /_\d$/.test(condition)))
        expect([...values].sort(), condition).toEqual([false, true]);
    }
  });

  test("keeps its workgroups within what every device allows", () => {
    for (const { holes } of variantsOf(name)) {
      const size = (axis: string): number => (holes[axis] as number | undefined) ?? 1;
      const threads = size("WORKGROUP_X") * size("WORKGROUP_Y") * size("WORKGROUP_Z");
      expect(Number.isInteger(threads) && threads >= 1 && threads <= 256).toBe(true);
    }
  });
});

test("every kernel is checked above, and its text is that of files in shaders/", () => {
  expect(names.filter((name) => !name.startsWith("update ")).sort()).toEqual(Object.keys(kernels).sort());
  const files = readdirSync("shaders", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".wgsl"));
  const texts = files.map((file) => readFileSync(`shaders/${file}`, "utf8"));
  for (const [name, source] of Object.entries(kernels)) {
    expect(texts.reduce((rest, text) => rest.replace(text, ""), source).trim(), name).toBe("");
  }
});

test("every file of shaders/rule is a rule, whose text is that file, after parts or none", () => {
  const files = readdirSync("shaders/rule").map((file) => file.replace(".wgsl", ""));
  expect(files.sort()).toEqual(Object.keys(ruleTexts).sort());
  const parts = ["mean", "root"].map((name) => readFileSync(`shaders/parts/${name}.wgsl`, "utf8"));
  for (const [name, texts] of Object.entries(ruleTexts)) {
    expect(texts.at(-1)).toBe(readFileSync(`shaders/rule/${name}.wgsl`, "utf8"));
    for (const text of texts.slice(0, -1)) expect(parts).toContain(text);
  }
});

test("every file of shaders/control is a controller's text, under a bit of its own, and declares the functions of its stages", () => {
  const files = readdirSync("shaders/control").map((file) => readFileSync(`shaders/control/${file}`, "utf8"));
  expect(found.map(({ part }) => part.text).sort()).toEqual(files.sort());
  expect(found.map(({ part }) => part.bit)).toEqual(found.map((_, i) => 2 ** i));
  for (const { part, constants } of found) {
    const text = specialise("control", part.text, { N: part.bit });
    const stages = part.stages.map((stage) => `${stage}_${part.bit}`);
    expect(declared(text).sort()).toEqual([...stages, ...Object.keys(constants)].sort());
  }
});

/** What a text declares outside of functions, by the parser. */
const declared = (text: string): string[] => {
  const { functions, overrides, structs, aliases, storage, uniforms } = parsed(text);
  return [functions, overrides, structs, aliases, storage, uniforms].flat().map(({ name }) => name);
};

test("rules side by side share no name but what stands around them", () => {
  for (const { kernel, source, holes } of all.filter(({ kernel }) => kernel.includes("+"))) {
    const names = declared(specialise(kernel, source, holes));
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(["update_0", "update_1", "update_2"]));
  }
});

test("a rule's text declares functions under its number alone, and its constants nowhere", () => {
  for (const texts of [...Object.values(ruleTexts), [ruleText]]) {
    for (const text of texts) {
      const holes = cutAtHoles(text).filter((_, i) => i % 2 === 1);
      const off = specialise(
        "rule",
        text,
        Object.fromEntries(holes.map((name) => [name, isSwitch(text, name) ? false : 7])),
      );
      expect(declared(off).filter((name) => !name.endsWith("_7"))).toEqual([]);
    }
  }
});

describe("shader texts in the built file", () => {
  const files = readdirSync("shaders", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".wgsl"));
  const textOf = (file: string): string => readFileSync(`shaders/${file}`, "utf8");
  /** Words, numbers and signs, the longest first as WGSL reads them; what stands between is blank space and comments. */
  const tokens = (text: string): string[] =>
    text.replace(/\/\/.*/g, "").match(/[\w$.]+|<<=|>>=|->|--|\+\+|&&|\|\||<<|>>|[-+*/%&|^!=<>]=|\S/g) ?? [];

  test.each(files)("%s has the same words, signs and directives when it is shortened", (file) => {
    const text = textOf(file);
    expect(tokens(shorter(text))).toEqual(tokens(text));
    const directives = (lines: string): string[] => lines.split("\n").filter((line) => line.startsWith("#"));
    expect(directives(shorter(text))).toEqual(directives(text));
    expect(shorter(text).length).toBeLessThan(text.length);
  });

  test.each(Object.keys(ruleTexts))("the parts of %s can be joined though no line ends them", (name) => {
    const parts: readonly string[] = [ruleText, ...ruleTexts[name]!];
    const filled = (texts: readonly string[]): string[] => {
      const source = scoped(inLines(...texts), 0);
      const holes = cutAtHoles(source).filter((_, i) => i % 2 === 1);
      const values = holes.map((hole) => [hole, isSwitch(source, hole) ? false : hole === "N_0" ? 0 : hole]);
      return declared(specialise(name, source, Object.fromEntries(values)));
    };
    expect(filled(parts.map(shorter))).toEqual(filled(parts));
    expect(filled(parts)).toContain("update_0");
  });
});

describe("names in the built file", () => {
  const shorten = shorterNames();
  const known = new Map<string, string>();
  const short = (text: string): string => {
    const made = known.get(text) ?? shorten(text);
    known.set(text, made);
    return made;
  };
  /** Words and signs; of a member or an attribute the sign is a part, so that it is not taken for a value of that name. */
  const words = (text: string): string[] => text.replace(/\/\/.*/g, "").match(/[.@]?[\w$]+|\S/g) ?? [];
  const parts = readdirSync("shaders/parts").map((file) => readFileSync(`shaders/parts/${file}`, "utf8"));
  /** What fills a hole, where it holds the text of a file. */
  const withParts = (value: Holes[string]): Holes[string] =>
    typeof value === "string" ? parts.reduce((text, part) => text.replace(part, () => short(part)), value) : value;
  /** Where functions begin and end. */
  const functionsIn = (text: readonly string[]): [begin: number, end: number][] =>
    [...text.keys()]
      .filter((at) => text[at] === "fn")
      .map((begin) => {
        let [end, open] = [text.indexOf("{", begin), 1];
        while (open > 0) open += { "{": 1, "}": -1 }[text[++end] ?? "}"] ?? 0;
        return [begin, end + 1];
      });
  /** The words that a text declares: those of a function itself where it is one. */
  const declaredIn = (text: readonly string[]): Set<string> =>
    new Set(text.filter((_, at) => at > 1 && (text[at + 1] === ":" || /^(let|var|const)$/.test(text[at - 1] ?? ""))));

  test.each(names)("%s is the same program under other names, with what TypeScript writes in it", (name) => {
    const variants = variantsOf(name).map((one) => [specialise(one.kernel, one.source, one.holes), one] as const);
    for (const [text, { kernel, source, holes }] of new Map(variants)) {
      const before = words(text);
      const others = Object.entries(holes).map(([hole, value]) => [hole, withParts(value)]);
      const after = words(specialise(kernel, short(source), Object.fromEntries(others)));
      const global = new Map<string, string>();
      const wanted = [...before];
      /** One word for one, both ways, in a part of the text; what that does not declare has one name in the whole text. */
      const rename = (begin: number, end: number, own: ReadonlySet<string>): void => {
        const local = new Map<string, string>();
        for (let at = begin; at < end; at++) {
          const word = before[at] as string;
          const map = own.has(word) ? local : global;
          const name = map.get(word) ?? (after[at] as string);
          map.set(word, name);
          local.set(word, name);
          wanted[at] = name;
        }
        expect(new Set(local.values()).size).toBe(local.size);
      };
      const functions = functionsIn(before);
      for (const [begin, end] of functions) rename(begin, end, declaredIn(before.slice(begin, end)));
      for (const [i, end] of [0, ...functions.map(([, end]) => end)].entries()) {
        rename(end, functions[i]?.[0] ?? before.length, new Set());
      }
      expect(after).toEqual(wanted);
      expect(new Set(global.values()).size).toBe(global.size);
    }
  });

  test("are those of functions, constants, types and values that a text declares for itself", () => {
    const text =
      "override WIDE: u32;fn sum_of(lane: u32){let total=row.total_of+WIDE;let length=length(total);}fn main(){}";
    expect([...shortNames([text], new Set()).keys()]).toEqual(["sum_of", "lane", "total"]);
    expect([...shortNames([text], new Set(["lane"])).keys()]).toEqual(["sum_of", "total"]);
    expect(renamed(`${text} update_\${N}(\${lane});`, new Map([["lane", "a0"]]))).toBe(
      `${text.replace("lane", "a0")} update_\${N}(\${lane});`,
    );
  });
});

describe("texts with holes", () => {
  const hole = (name: string): string => `\${${name}}`;

  test("stand on lines of their own, whatever they end with", () => {
    expect(inLines("fn a() {}", "fn b() {}\n", "fn c() {}")).toBe("fn a() {}\nfn b() {}\n\nfn c() {}");
  });

  test("get holes of their own wherever they stand", () => {
    const text = `fn update_${hole("N")}(){}fn move_${hole("N")}(){update();}\n#if ${hole("WIDE")}\n#endif`;
    expect(scoped(text, 3)).toBe(text.replaceAll(hole("N"), hole("N_3")).replace(hole("WIDE"), hole("WIDE_3")));
  });
});

describe("specialise", () => {
  /** Shader text as it stands in a file; here a hole is written <NAME>. */
  const file = (text: string): string => text.replace(/<([A-Z]*)>/g, (_, name) => `\${${name}}`);
  const source = ["const SIZE = <SIZE>u;", "#if <WIDE>", "fn wide() {}", "#else", "fn narrow() {}", "#endif", ""];
  const text = file(source.join("\n"));

  test("fills holes and follows conditions", () => {
    expect(specialise("x", text, { SIZE: 4, WIDE: true })).toBe("const SIZE = 4u;\n\nfn wide() {}\n\n");
    expect(specialise("x", text, { SIZE: 8, WIDE: false })).toBe("const SIZE = 8u;\n\nfn narrow() {}\n\n");
  });

  test("keeps a # that comes in through a hole: it is text, not a directive", () => {
    expect(specialise("x", file("<TEXT>\n"), { TEXT: "// #1" })).toBe("// #1\n");
  });

  const refused: readonly [what: string, text: string, holes: Holes, message: RegExp][] = [
    ["a hole that nothing was given for", text, { WIDE: true }, /nothing was given for the hole SIZE/],
    ["a value that no hole takes", text, { SIZE: 4, WIDE: true, DEEP: 1 }, /no hole is called DEEP/],
    ["a boolean in the text", text, { SIZE: true, WIDE: true }, /SIZE is boolean/],
    ["a text in a condition", text, { SIZE: 4, WIDE: "true" }, /WIDE is string/],
    ["a number in a condition", text, { SIZE: 4, WIDE: 1 }, /WIDE is number/],
    ["an unknown directive", "#ifdef <WIDE>\n#endif\n", { WIDE: true }, /line 1: "#ifdef/],
    ["a directive that is commented out", "// #if <WIDE>\n// #endif\n", { WIDE: true }, /line 1: "\/\/ #if/],
    ["a directive that is indented", "  #if <WIDE>\n  #endif\n", { WIDE: true }, /line 1: " {2}#if/],
    ["a negated condition", "#if !<WIDE>\n#endif\n", { WIDE: true }, /line 1: "#if !/],
    ["something after a condition", "#if <WIDE> && x\n#endif\n", { WIDE: true }, /line 1: "#if/],
    ["something after #endif", "#if <WIDE>\n#endif // WIDE\n", { WIDE: true }, /line 2: "#endif \/\/ WIDE"/],
    ["a # elsewhere in a line", "let a = 1; #else\n", {}, /line 1: "let a = 1; #else"/],
    ["an #if without an end", "#if <WIDE>\n", { WIDE: true }, /Mismatched/],
    ["an #endif without a beginning", "#endif\n", {}, /not preceeded by/],
    ["an #else without a beginning", "#else\n", {}, /not preceeded by/],
    ["a second #else", "#if <WIDE>\n#else\n#else\n#endif\n", { WIDE: true }, /not preceeded by/],
    ["an empty hole", "const A = <>;\n", {}, /nothing was given/],
  ];

  test.each(refused)("refuses %s", (_, given, holes, message) => {
    expect(() => specialise("x", file(given), holes)).toThrow(message);
  });
});
